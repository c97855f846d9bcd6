//! What operators do to a lane: retry, edit, hold, cancel, archive, and the cut of a resume.

use super::bench::{Bench, image, key};
use crate::{
    failure::{CallEffect, ErrorClass},
    id::{EntryId, WriteId},
    lane::{
        Admission, Answer, ArchiveCause, Archived, Archiving, Attribution, Claim, Entry, JournalEffect, LaneCommand,
        Mode, NotNow, NotPossible, RestoreCause, Work, append, archive, operate, recovery, requeue_abandoned,
    },
    map::{Cut, MapState, SideIx},
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

impl Bench {
    fn by(&self) -> Attribution {
        Attribution { actor: "kim".to_owned(), at: self.now, reason: "to see".to_owned() }
    }

    /// Appends entries behind one that was refused and is parked.
    fn parked(&mut self, behind: usize) -> Vec<Entry> {
        let mut save = self.save(A, "refused");
        save.mode = Mode::Committed;
        let Ok(Admission::Execute { entry, .. }) = self.admit(save) else { panic!() };
        let attempt = self.failed(&entry, B, ErrorClass::Application, CallEffect::Refused);
        assert!(matches!(self.settle(&entry, &attempt), Some(Answer::Parked { .. })));
        for n in 0..behind {
            let save = self.save(A, &format!("v{n}"));
            assert!(matches!(self.admit(save), Ok(Admission::Append { .. })));
        }
        self.stored()
    }

    fn stored(&self) -> Vec<Entry> {
        let mut entries = self.entries.clone();
        entries.sort_by_key(|entry| entry.seq);
        entries
    }

    fn operate(&mut self, seq: u64, command: LaneCommand) -> Result<Vec<JournalEffect>, NotPossible> {
        let entry = self.entries.iter().find(|entry| entry.seq == seq).cloned().unwrap();
        let (head, effects) = operate(self.head.as_ref().unwrap(), &key(), &entry, command, self.by())?;
        assert_eq!(head.version, self.head.as_ref().unwrap().version + 1);
        self.head = Some(head);
        for effect in &effects {
            if let JournalEffect::Update(entry, _) = effect {
                self.entries.retain(|known| known.seq != entry.seq);
                self.entries.push(entry.clone());
            }
        }
        Ok(effects)
    }

    fn archive(&mut self, entries: &[Entry], cause: ArchiveCause) -> Result<Vec<Archived>, NotNow> {
        let ids: Vec<_> = entries.iter().map(|_| EntryId(self.id())).collect();
        let (by, key, sides) = (self.by(), key(), [&self.sides[0], &self.sides[1]]);
        let map = self.map.id.clone();
        let what = Archiving { map: &map, key: &key, entries, cause, by: &by, ids: &ids, sides, now: self.now };
        let (head, effects) = archive(self.head.as_ref().unwrap(), &what)?;
        assert_eq!(head.version, self.head.as_ref().unwrap().version + 1);
        self.head = Some(head);
        let mut all = Vec::new();
        for effect in effects {
            let (archived, marker) = match effect {
                JournalEffect::Archive(archived, Some(marker)) => (archived, marker),
                JournalEffect::Log(event) => {
                    self.logged.push(event);
                    continue;
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(marker.seq, archived.entry.seq);
            self.entries.retain(|known| known.seq != archived.entry.seq);
            all.push(*archived);
        }
        Ok(all)
    }
}

#[test]
fn a_retry_opens_the_lane_and_a_hold_closes_it_again() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.parked(1);
    assert!(matches!(bench.claim(), Claim::Parked));
    assert_eq!(bench.operate(2, LaneCommand::Retry), Err(NotPossible::NotNext));
    bench.operate(1, LaneCommand::Retry).unwrap();
    bench.operate(1, LaneCommand::Hold).unwrap();
    assert!(matches!(bench.claim(), Claim::Parked), "what was not tried yet is called off");
    assert_eq!(bench.operate(1, LaneCommand::Hold), Err(NotPossible::Already));
    bench.operate(1, LaneCommand::Retry).unwrap();
    bench.drain();
    assert!(bench.head.as_ref().unwrap().idle() && bench.entries.is_empty());
}

#[test]
fn an_entry_that_is_being_executed_is_left_alone() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.parked(0);
    bench.operate(1, LaneCommand::Retry).unwrap();
    let Claim::Taken { entry, .. } = bench.claim() else { panic!() };
    let until = bench.head.as_ref().unwrap().inflight.as_ref().unwrap().lease_end;
    for command in [LaneCommand::Retry, LaneCommand::Hold, LaneCommand::Cancel] {
        assert_eq!(bench.operate(1, command), Err(NotPossible::InFlight(until)));
    }
    assert_eq!(bench.archive(&[*entry], ArchiveCause::Skipped), Err(NotNow::InFlight(until)));
}

#[test]
fn an_edit_is_written_to_both_apps_unless_later_changes_wait_and_what_was_is_kept() {
    for (behind, origin) in [(0, None), (1, Some(A))] {
        let mut bench = Bench::new(Capability::Idempotent);
        bench.parked(behind);
        let edit =
            LaneCommand::Edit { image: image(A, "mended"), id: EntryId(6), kept: EntryId(5), call_life_ms: 60_000 };
        let effects = bench.operate(1, edit).unwrap();
        let [JournalEffect::Keep(kept), JournalEffect::Update(edited, None)] = &effects[..] else {
            panic!("{effects:?}")
        };
        assert_eq!(
            (kept.id, kept.cause, kept.entry.write().unwrap().image.clone()),
            (EntryId(5), ArchiveCause::Edited, image(A, "refused"))
        );
        assert_eq!(edited.id, EntryId(6), "an app that knows the old id would take this for a repeat of it");
        let write = edited.write().unwrap();
        assert_eq!((write.image.clone(), write.origin), (image(A, "mended"), origin), "{behind} behind");
        assert!(matches!(bench.claim(), Claim::Taken { .. }));
    }
}

#[test]
fn a_cancelled_entry_is_archived_when_its_turn_comes() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.parked(2);
    bench.operate(2, LaneCommand::Cancel).unwrap();
    assert_eq!(bench.operate(2, LaneCommand::Cancel), Err(NotPossible::Already));
    bench.operate(1, LaneCommand::Retry).unwrap();
    bench.drain();
    let Claim::Archive(entry) = bench.claim() else { panic!() };
    assert_eq!(entry.seq, 2);
    let archived = bench.archive(&[*entry], ArchiveCause::Cancelled).unwrap();
    assert_eq!((archived[0].cause, archived[0].version.seq), (ArchiveCause::Cancelled, 2));
    bench.drain();
    assert!(bench.head.as_ref().unwrap().idle());
    bench.operate_restores_what_was_cancelled();
}

impl Bench {
    fn operate_restores_what_was_cancelled(&mut self) {
        self.parked(1);
        let seq = self.stored()[1].seq;
        assert_eq!(self.operate(seq, LaneCommand::Restore), Err(NotPossible::Already), "it is not cancelled");
        self.operate(seq, LaneCommand::Cancel).unwrap();
        self.operate(seq, LaneCommand::Restore).unwrap();
        assert!(self.stored()[1].cancelled.is_none());
    }
}

#[test]
fn archived_entries_leave_the_lane_in_order_and_their_callers_are_told() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entries = bench.parked(2);
    assert_eq!(bench.archive(&entries[1..], ArchiveCause::Skipped), Err(NotNow::Changed), "not past the first");
    let archived = bench.archive(&entries[..2], ArchiveCause::Superseded).unwrap();
    assert_eq!(archived.len(), 2);
    let head = bench.head.clone().unwrap();
    assert_eq!((head.done_seq, head.parked), (2, false));
    let id = entries[0].write().unwrap().id;
    let told = &head.recent.get(id).unwrap().outcome;
    assert!(matches!(
        Answer::replay(told, head.version_of(1), None),
        Answer::Archived { cause: ArchiveCause::Superseded, .. }
    ));
    bench.drain();
    assert!(bench.head.as_ref().unwrap().idle(), "the last one was written");
}

#[test]
fn an_entry_whose_call_may_still_land_does_not_leave_its_lane() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Timeout, CallEffect::Unknown);
    bench.settle(&entry, &attempt).unwrap();
    let stored = bench.stored();
    let landed = bench.now.plus_ms(bench.sides[1].call_life_ms);
    assert_eq!(bench.archive(&stored, ArchiveCause::Skipped), Err(NotNow::MayLand(landed)));
    bench.now = landed;
    assert!(bench.archive(&stored, ArchiveCause::Skipped).is_ok());
}

#[test]
fn a_cut_archives_what_was_accepted_before_the_resume_and_nothing_else() {
    let mut bench = Bench::new(Capability::Idempotent);
    (bench.map.state, bench.map.epoch) = (MapState::Paused, 4);
    let save = bench.save(A, "kept");
    assert!(matches!(bench.admit(save), Ok(Admission::Append { .. })));
    let cut = Cut { before_epoch: 5, cause: ArchiveCause::Discarded, actor: "kim".to_owned(), reason: String::new() };
    (bench.map.state, bench.map.epoch, bench.map.cut) = (MapState::CatchingUp, 5, Some(cut));
    let save = bench.save(A, "live");
    assert!(matches!(bench.admit(save), Ok(Admission::Append { .. })), "behind what is still there");
    let Claim::Archive(entry) = bench.claim() else { panic!() };
    assert_eq!((entry.seq, entry.epoch), (1, 4));
    bench.archive(&[*entry], ArchiveCause::Discarded).unwrap();
    let Claim::Taken { entry, .. } = bench.claim() else { panic!() };
    assert_eq!((entry.seq, entry.epoch), (2, 5));
}

#[test]
fn a_cut_takes_parked_entries_along() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.parked(0);
    let cut =
        Cut { before_epoch: 9, cause: ArchiveCause::SkippedToLive, actor: "kim".to_owned(), reason: String::new() };
    (bench.map.state, bench.map.cut) = (MapState::CatchingUp, Some(cut));
    assert!(matches!(bench.claim(), Claim::Archive(_)));
    bench.map.state = MapState::Running;
    assert!(matches!(bench.claim(), Claim::Parked), "only while it catches up");
}

#[test]
fn what_comes_back_is_copied_from_the_app_that_has_it() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entries = bench.parked(0);
    bench.archive(&entries, ArchiveCause::Discarded).unwrap();
    let work = recovery(&entries[0]);
    assert_eq!(work, Work::Restore { from: A, to: B, cause: RestoreCause::Recovered });
    let (head, entry) = append(bench.head.as_ref().unwrap(), work, EntryId(9), 7, bench.now);
    assert_eq!((entry.seq, entry.epoch, head.next_seq, head.sides[B].last_write_seq), (2, 7, 3, 2));
    let mut neither = entries[0].clone();
    if let Work::Write(write) = &mut neither.work {
        (write.origin, write.id) = (None, WriteId::made(1));
    }
    assert_eq!(recovery(&neither), neither.work, "nobody else has it");
}

#[test]
fn a_write_whose_holder_died_is_laid_down_when_its_lease_has_ended() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { head, entry }) = bench.admit(save) else { panic!() };
    assert_eq!(requeue_abandoned(&head, &key(), bench.now), None, "its holder may be alive");
    let later = head.inflight.as_ref().unwrap().lease_end;
    let (next, laid, effects) = requeue_abandoned(&head, &key(), later).unwrap();
    assert!(next.inflight.is_none() && laid.outcome_unknown && laid.id == entry.id && next.version == head.version + 1);
    assert!(matches!(&effects[..], [JournalEffect::Append(_, Some(_))]));
    assert_eq!(next.sides[B].recent_writes.len(), 1, "it may be there");
}

#[test]
fn what_people_note_stays_with_the_entry_up_to_fifty_notes() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.parked(0);
    for n in 0..51 {
        let by = Attribution { reason: format!("note {n}"), ..bench.by() };
        let (head, effects) =
            operate(bench.head.as_ref().unwrap(), &key(), &bench.stored()[0], LaneCommand::Note, by).unwrap();
        let [JournalEffect::Update(entry, None)] = &effects[..] else { panic!("{effects:?}") };
        (bench.head, bench.entries) = (Some(head), vec![entry.clone()]);
    }
    let notes = bench.stored()[0].handling.clone().unwrap().notes;
    assert_eq!((notes.len(), &*notes[0].reason, &*notes[49].reason), (50, "note 1", "note 50"));
    bench.operate(1, LaneCommand::Acknowledge).unwrap();
    bench.operate(1, LaneCommand::Assign(Some("lee".to_owned()))).unwrap();
    let handling = bench.stored()[0].handling.clone().unwrap();
    assert_eq!((handling.acknowledged, handling.assigned_to.as_deref()), (Some(bench.by()), Some("lee")));
}

#[test]
fn a_retry_needs_an_entry_that_was_tried_or_is_parked() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.state = MapState::Paused;
    let save = bench.save(A, "kept");
    assert!(matches!(bench.admit(save), Ok(Admission::Append { .. })));
    assert_eq!(bench.operate(1, LaneCommand::Retry), Err(NotPossible::NotParked));
    bench.operate(1, LaneCommand::Hold).unwrap();
    bench.operate(1, LaneCommand::Retry).unwrap();
    bench.entries[0].attempts = 1;
    bench.operate(1, LaneCommand::Retry).unwrap();
    assert_eq!(bench.stored()[0].handling.as_ref().unwrap().retried, Some(bench.by()));
    let save = bench.save(A, "behind");
    bench.admit(save).unwrap();
    assert_eq!(bench.operate(2, LaneCommand::Hold), Err(NotPossible::NotNext));
}

/// A call may still land, and nobody holds the lane: on a paused map nobody comes to open it.
#[test]
fn an_operator_opens_a_lane_that_nobody_holds_when_its_time_is_over() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.parked(0);
    bench.operate(1, LaneCommand::Retry).unwrap();
    let Claim::Taken { .. } = bench.claim() else { panic!() };
    let inflight = bench.head.as_mut().unwrap().inflight.as_mut().unwrap();
    let until = inflight.lease_end;
    bench.now = until;
    assert_eq!(bench.operate(1, LaneCommand::Hold), Err(NotPossible::InFlight(until)), "its holder may be alive");
    bench.head.as_mut().unwrap().inflight.as_mut().unwrap().owner = None;
    bench.now = until.minus_ms(1);
    assert_eq!(bench.operate(1, LaneCommand::Hold), Err(NotPossible::InFlight(until)));
    bench.now = until;
    bench.operate(1, LaneCommand::Hold).unwrap();
    assert!(bench.head.as_ref().unwrap().inflight.is_none());
}
