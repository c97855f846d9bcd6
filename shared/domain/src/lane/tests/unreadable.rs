//! Stored items that cannot be read.

use super::bench::{Bench, key};
use crate::{
    failure::ErrorClass,
    id::{EntryId, MapUid},
    lane::{
        Admission, ArchiveCause, Archiving, Attribution, Claim, Entry, Head, JournalEffect, Mode, NotNow, ParkReason,
        Rejection, Unreadable, archive, plan,
    },
    log::{ErrorDisposition, LogEvent},
    map::SideIx,
    side::Capability,
};

const A: SideIx = SideIx::First;

fn damaged() -> Unreadable {
    Unreadable { raw: "7b".to_owned(), why: "Eof error at byte 3 of its JSON".to_owned() }
}

/// A lane whose only entry, in place 1, cannot be read.
fn bench() -> Bench {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.head = Some(Head { next_seq: 2, version: 4, ..Head::new(bench.map.uid, bench.now) });
    bench.entries = vec![Entry::unreadable(1, damaged())];
    bench
}

fn error(effects: &[JournalEffect]) -> &crate::log::ErrorEvent {
    let [JournalEffect::Log(LogEvent::Error(error))] = effects else { panic!("{effects:?}") };
    error
}

#[test]
fn an_entry_that_cannot_be_read_parks_its_lane_and_says_so() {
    let mut bench = bench();
    let Claim::Park(head, effects) = bench.claim() else { panic!() };
    assert!(head.parked && head.not_before == bench.now);
    let error = error(&effects);
    assert_eq!((error.seq, error.key.as_ref()), (Some(1), Some(&key())));
    assert_eq!(
        (error.class, error.code.as_deref(), error.fate),
        (ErrorClass::Mapping, Some("unreadable"), ErrorDisposition::Parked)
    );
    assert!(error.message.contains("Eof error at byte 3") && !error.message.contains("7b"), "{}", error.message);
    let entry = &bench.entries[0];
    assert_eq!((entry.parked, entry.write(), entry.copied_to()), (Some(ParkReason::Unreadable), None, None));
    assert!(plan(entry, &bench.map.config).is_err(), "nothing of it can be sent");
    // An operator who tries it again does not get it written.
    bench.entries[0].parked = None;
    assert!(matches!(bench.claim(), Claim::Park(..)));
}

#[test]
fn one_that_was_being_written_is_parked_when_its_call_cannot_land_any_more() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    let Ok(Admission::Execute { mut head, .. }) = bench.admit(save) else { panic!() };
    let inflight = head.inflight.as_mut().unwrap();
    inflight.direct = None;
    let landed = inflight.lease_end.plus_ms(60_000); // the life of a call
    bench.now = inflight.lease_end;
    bench.head = Some(*head);
    bench.entries = vec![Entry::unreadable(1, damaged())];
    assert_eq!(bench.claim(), Claim::NotYet(landed));
    bench.now = landed;
    let Claim::Park(head, _) = bench.claim() else { panic!() };
    assert_eq!(head.inflight, None, "an operator can take it out");
    assert_eq!(head.sides[A.other()].recent_writes.len(), 1, "the app may report what it was sent");
}

#[test]
fn it_is_archived_as_it_is_stored() {
    let bench = bench();
    let by = Attribution { actor: "ada".to_owned(), at: bench.now, reason: "no way to read it".to_owned() };
    let (map, key, ids) = ("customers".parse().unwrap(), key(), [EntryId(9)]);
    let archiving = Archiving {
        map: &map,
        key: &key,
        entries: &bench.entries,
        cause: ArchiveCause::Skipped,
        by: &by,
        ids: &ids,
        sides: [&bench.sides[0], &bench.sides[1]],
        now: bench.now,
    };
    let Ok::<_, NotNow>((head, effects)) = archive(bench.head.as_ref().unwrap(), &archiving) else { panic!() };
    assert!(head.idle());
    let [JournalEffect::Archive(archived, None)] = &effects[..] else { panic!("{effects:?}") };
    assert_eq!(archived.entry, Entry::unreadable(1, damaged()));
}

/// The memory of earlier writes is gone: what waits is not written on top of what may be newer.
#[test]
fn what_waits_behind_a_rebuilt_head_is_parked_and_the_lane_takes_no_old_write() {
    let mut bench = Bench::new(Capability::Idempotent);
    let old = bench.save(A, "old");
    bench.now = bench.now.plus_ms(1_000);
    let (uid, now) = (bench.map.uid, bench.now);
    assert_eq!(Head::rebuilt(uid, 7, None, damaged(), now).version, 7);
    assert!(Head::rebuilt(MapUid(1), 7, None, damaged(), now).idle(), "nothing waits");
    let head = Head::rebuilt(uid, 7, Some((4, 6)), damaged(), now);
    assert_eq!((head.done_seq, head.next_seq, head.generation), (3, 7, now.0));
    bench.head = Some(head);
    assert_eq!(bench.admit(old).unwrap_err(), Rejection::IdTooOld, "it may be a late repeat");
    let mut waits = bench.save(A, "waits");
    waits.mode = Mode::Committed;
    let mut other = Bench::new(Capability::Idempotent);
    let Ok(Admission::Execute { entry, .. }) = other.admit(waits.clone()) else { panic!() };
    bench.entries = vec![Entry { seq: 4, ..*entry }];
    let Claim::Park(head, effects) = bench.claim() else { panic!() };
    assert!(head.parked && error(&effects).message.contains("earlier writes"));
    bench.now = bench.now.plus_ms(1);
    let later = bench.save(A, "later");
    assert!(matches!(bench.admit(later), Ok(Admission::Append { .. })), "it waits behind the others");
}
