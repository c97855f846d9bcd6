//! Entries that leave a lane, and what is put at its end.

use super::bench::{Bench, image, key};
use crate::{
    failure::{CallEffect, ErrorClass, Failure},
    id::{EntryId, Owner},
    lane::{
        Admission, Answer, ArchiveCause, Archiving, Attribution, Conflict, Entry, Handling, Head, JournalEffect,
        MarkerState, NotNow, Outcome, RestoreCause, StepFailure, Winner, Work, append, archive, newest, note_conflict,
        recovery,
    },
    map::{PerSide, SideIx},
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

fn by(bench: &Bench) -> Attribution {
    Attribution { actor: "kim".to_owned(), at: bench.now, reason: String::new() }
}

/// A direct write in flight, with one behind it.
fn in_flight(bench: &mut Bench) -> Vec<Entry> {
    let save = bench.save(A, "v1");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let save = bench.save(A, "v2");
    let Ok(Admission::Append { entry: behind, .. }) = bench.admit(save) else { panic!() };
    vec![*entry, *behind]
}

fn try_archive(bench: &Bench, entries: &[Entry]) -> Result<(Head, Vec<JournalEffect>), NotNow> {
    let (map, key, by) = (bench.map.id.clone(), key(), by(bench));
    // One id more than is needed does no harm.
    let ids: Vec<_> = (0..=entries.len()).map(|n| EntryId(n as u128)).collect();
    let sides = [&bench.sides[0], &bench.sides[1]];
    let cause = ArchiveCause::Skipped;
    archive(
        bench.head.as_ref().unwrap(),
        &Archiving { map: &map, key: &key, entries, cause, by: &by, ids: &ids, sides, now: bench.now },
    )
}

#[test]
fn a_write_whose_holder_died_leaves_when_none_of_its_calls_can_land_any_more() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entries = in_flight(&mut bench);
    let lease_end = bench.head.as_ref().unwrap().inflight.as_ref().unwrap().lease_end;
    bench.now = lease_end.minus_ms(1);
    assert_eq!(try_archive(&bench, &entries), Err(NotNow::InFlight(lease_end)));
    let landed = lease_end.plus_ms(bench.sides[0].call_life_ms);
    for now in [lease_end, landed.minus_ms(1)] {
        bench.now = now;
        assert_eq!(try_archive(&bench, &entries), Err(NotNow::MayLand(landed)));
    }
    bench.now = landed;
    let (head, effects) = try_archive(&bench, &entries).unwrap();
    assert_eq!((head.inflight.is_none(), head.not_before, head.idle(), head.done_seq), (true, landed, true, 2));
    let unknown = effects.iter().map(|effect| match effect {
        JournalEffect::Archive(archived, _) => archived.entry.outcome_unknown,
        other => panic!("{other:?}"),
    });
    assert_eq!(unknown.collect::<Vec<_>>(), [true, false], "only the first one had been called");
}

#[test]
fn a_lane_that_is_kept_closed_for_a_late_call_opens_with_its_lease() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entries = in_flight(&mut bench);
    let inflight = bench.head.as_mut().unwrap().inflight.as_mut().unwrap();
    inflight.owner = None;
    let lease_end = inflight.lease_end;
    assert_eq!(try_archive(&bench, &entries), Err(NotNow::MayLand(lease_end)));
    bench.now = lease_end;
    let (_, effects) = try_archive(&bench, &entries).unwrap();
    assert!(matches!(&effects[0], JournalEffect::Archive(archived, _) if !archived.entry.outcome_unknown));
}

#[test]
fn a_call_that_ended_with_an_unknown_outcome_may_land_for_its_life() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut entries = in_flight(&mut bench);
    bench.head.as_mut().unwrap().inflight = None;
    let failure = Failure::new(ErrorClass::Timeout, CallEffect::Unknown, None, "no answer");
    entries[0].last_failure = Some(StepFailure { to: B, at: bench.now, failure });
    assert!(try_archive(&bench, &entries).is_ok(), "it is known to have had no effect");
    entries[0].outcome_unknown = true;
    let landed = bench.now.plus_ms(bench.sides[1].call_life_ms);
    assert_eq!(try_archive(&bench, &entries), Err(NotNow::MayLand(landed)));
    bench.now = landed;
    assert!(try_archive(&bench, &entries).is_ok());
}

#[test]
fn only_the_next_entries_leave_and_none_without_an_id() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entries = in_flight(&mut bench);
    bench.head.as_mut().unwrap().inflight = None;
    assert_eq!(try_archive(&bench, &[]), Err(NotNow::Changed));
    assert_eq!(try_archive(&bench, &entries[1..]), Err(NotNow::Changed));
    let mut beyond = entries.clone();
    beyond.push(Entry { seq: 3, ..entries[0].clone() });
    assert_eq!(try_archive(&bench, &beyond), Err(NotNow::Changed));
}

#[test]
fn an_archived_write_of_which_only_the_write_back_was_left_is_written() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut entries = in_flight(&mut bench);
    bench.head.as_mut().unwrap().inflight = None;
    entries[0].done = PerSide([false, true]);
    entries[1].done = PerSide([true, false]);
    let (_, effects) = try_archive(&bench, &entries).unwrap();
    let outcomes = effects.iter().map(|effect| match effect {
        JournalEffect::Archive(_, Some(marker)) => match &marker.state {
            MarkerState::Final { outcome, .. } => outcome.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    });
    let archived = Outcome::Archived { cause: ArchiveCause::Skipped };
    assert_eq!(outcomes.collect::<Vec<_>>(), [Outcome::Written { crossing: None }, archived]);
}

#[test]
fn what_is_put_at_the_end_is_for_its_targets_and_due_at_once_in_an_idle_lane() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    let read = bench.head.clone().unwrap();
    assert!(newest(&read, read.version_of(1)) && !newest(&read, read.version_of(0)));
    let later = bench.now.plus_ms(9);
    let restore = |from: SideIx| Work::Restore { from, to: from.other(), cause: RestoreCause::Reverted };
    let write = |origin| {
        let mut write = bench_write(Capability::Idempotent);
        write.origin = origin;
        Work::Write(write)
    };
    for (work, targets) in [
        (restore(A), [0, 2]),
        (restore(B), [2, 1]),
        (write(Some(A)), [0, 2]),
        (write(Some(B)), [2, 1]),
        (write(None), [2, 2]),
    ] {
        let (head, entry) = append(&read, work.clone(), EntryId(9), 7, later);
        assert_eq!([A, B].map(|side| head.sides[side].last_write_seq), targets, "{work:?}");
        assert_eq!((head.version, head.next_seq, head.not_before), (read.version + 1, 3, later));
        assert_eq!((entry.seq, entry.id, entry.epoch, entry.accepted_at), (2, EntryId(9), 7, later));
        let (behind, _) = append(&head, work, EntryId(10), 7, later.plus_ms(1));
        assert_eq!(behind.not_before, later, "what waits already is not put off");
    }
}

fn bench_write(capability: Capability) -> crate::lane::Write {
    let mut bench = Bench::new(capability);
    in_flight(&mut bench)[0].write().unwrap().clone()
}

#[test]
fn what_both_apps_lack_comes_back_as_it_is_and_anything_else_as_a_copy() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut entry = in_flight(&mut bench).remove(0);
    let copy = |from: SideIx| Work::Restore { from, to: from.other(), cause: RestoreCause::Recovered };
    assert_eq!(recovery(&entry), copy(A));
    let Work::Write(write) = &mut entry.work else { panic!() };
    write.origin = None;
    assert_eq!(recovery(&entry), entry.work);
    for (done, wanted) in [([true, false], copy(A)), ([false, true], copy(B)), ([true, true], copy(A))] {
        entry.done = PerSide(done);
        assert_eq!(recovery(&entry), wanted);
    }
    entry.work = copy(B);
    assert_eq!(recovery(&entry), copy(B));
}

#[test]
fn a_conflict_is_noted_with_its_entry_wherever_that_is() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entry = in_flight(&mut bench).remove(0);
    let read = bench.head.clone().unwrap();
    let conflict = Conflict {
        entry: entry.id,
        key: key(),
        version: read.version_of(1),
        at: bench.now,
        origin: A,
        winner: Winner::ThisWrite,
        kept: image(A, "v1"),
        kept_on: A,
        lost: image(B, "w1"),
        reversed: None,
        unreadable: None,
    };
    let (head, noted, effects) = note_conflict(&read, &entry, conflict.clone());
    assert!(noted.conflict_noted);
    assert_eq!(head.version, read.version + 1);
    assert_eq!(head.inflight.as_ref().unwrap().direct.as_deref(), Some(&noted));
    assert_eq!(effects, [JournalEffect::Conflict(Box::new(conflict.clone()))]);
    let mut stored = read;
    stored.inflight.as_mut().unwrap().direct = None;
    let (_, noted, effects) = note_conflict(&stored, &entry, conflict);
    assert_eq!(effects[1..], [JournalEffect::Update(noted, None)]);
}

#[test]
fn an_entry_bears_what_was_noted_with_it() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entry = in_flight(&mut bench).remove(0);
    let (ours, other) = (by(&bench), Attribution { actor: "lee".to_owned(), ..by(&bench) });
    let handled = |handling: Handling| Entry { handling: Some(Box::new(handling)), ..entry.clone() };
    let noted = [
        Entry { cancelled: Some(ours.clone()), ..entry.clone() },
        handled(Handling { acknowledged: Some(ours.clone()), ..Handling::default() }),
        handled(Handling { retried: Some(ours.clone()), ..Handling::default() }),
        handled(Handling { notes: vec![other.clone(), ours.clone()], ..Handling::default() }),
    ];
    for entry in &noted {
        assert!(entry.bears(&ours), "{entry:?}");
    }
    assert!(!entry.bears(&ours) && !noted[0].bears(&other));
    assert!(!handled(Handling::default()).bears(&ours));
}

#[test]
fn a_cause_has_one_name_and_an_owner_holds_its_own_lane() {
    for cause in ArchiveCause::ALL {
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
    }
    let mut bench = Bench::new(Capability::Idempotent);
    let entry = in_flight(&mut bench).remove(0);
    let head = bench.head.as_ref().unwrap();
    let inflight = head.inflight.as_ref().unwrap();
    assert_eq!(inflight.direct_id(), Some(entry.write().unwrap().id));
    assert!(head.held_by(inflight.owner.unwrap()) && !head.held_by(Owner(0)));
    assert!(matches!(bench.settle(&entry, &bench.done(&entry, true)), Some(Answer::Written { .. })));
}
