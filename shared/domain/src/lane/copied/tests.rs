use serde_json::json;

use super::*;
use crate::{
    failure::{CallEffect, ErrorClass},
    id::MapUid,
    lane::{
        Action, Admission, Answer, OpenTransaction, Unreadable, plan,
        tests::bench::{Bench, image},
    },
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

fn record(side: SideIx, name: &str) -> Record {
    present(&image(side, name))
}

fn present(image: &Image) -> Record {
    let Image::Present(record) = image else { panic!() };
    record.clone()
}

const REPORTS_WITHIN_MS: u64 = 60_000;

/// A row of finance, read now, in a lane as it is now. Crm has another one, and that is confirmed.
fn row(bench: &Bench, name: &str) -> CopiedRow {
    let lane = HeadVersion::of(bench.head.as_ref());
    let unchanged_since = bench.now.minus_ms(REPORTS_WITHIN_MS);
    CopiedRow { from: A, record: record(A, name), there: image(B, "v0"), lane, asked_at: bench.now, unchanged_since }
}

fn apply(bench: &mut Bench, row: CopiedRow, winners: &FieldWinners) -> Result<CopyDecision, MappingError> {
    let (write, entry, head) = (bench.write_id(), EntryId(bench.id()), bench.head.clone());
    let terms = CopyTerms { write, entry, reports_within_ms: REPORTS_WITHIN_MS, winners };
    apply_copied_row(head.as_ref(), row, terms, bench.context())
}

/// The row's side wins all.
fn decide(bench: &mut Bench, row: CopiedRow) -> CopyDecision {
    let winners = FieldWinners::all(&bench.map.config, row.from);
    apply(bench, row, &winners).unwrap()
}

/// A lane with one write that has come to its end.
fn written() -> Bench {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    bench
}

/// A `sync` caller of this side had its write accepted now, and may commit for ten seconds.
fn open_transaction(bench: &mut Bench, side: SideIx) -> Timestamp {
    let open = OpenTransaction { accepted_at: bench.now, longest_ms: 10_000 };
    bench.head.as_mut().unwrap().sides[side].open_transaction = Some(open);
    bench.now.plus_ms(10_000)
}

#[test]
fn a_row_of_a_record_without_a_lane_is_written_like_a_direct_write() {
    let mut bench = Bench::new(Capability::Idempotent);
    let row = row(&bench, "Ada");
    let CopyDecision::Write { head, entry } = decide(&mut bench, row) else { panic!() };
    assert_eq!((head.version, head.next_seq, head.done_seq, entry.seq, entry.attempts), (1, 2, 0, 1, 1));
    assert_eq!((head.sides[B].last_write_seq, head.sides[A].last_write_seq), (1, 0));
    assert_eq!(head.sides[A].last_reported, None, "it is no report");
    let inflight = head.inflight.as_ref().unwrap();
    assert_eq!(inflight.writing[B], Some(content(&bench.map.config, B, &image(B, "Ada"))));
    assert_eq!(inflight.direct.as_deref(), Some(&*entry));
    bench.head = Some(*head);
    let attempt = bench.done(&entry, true);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Written { write_back_pending: false, .. })));
    let mut echo = bench.save(B, "Ada");
    echo.mode = Mode::Committed;
    assert!(matches!(bench.admit(echo), Ok(Admission::Echo(..))), "the other app reports it");
}

#[test]
fn a_refused_row_ends_and_parks_nothing() {
    let mut bench = written();
    let row = row(&bench, "Ada");
    let CopyDecision::Write { head, entry } = decide(&mut bench, row) else { panic!() };
    bench.head = Some(*head);
    let refused = bench.failed(&entry, B, ErrorClass::Application, CallEffect::Refused);
    assert!(matches!(bench.settle(&entry, &refused), Some(Answer::Refused { .. })));
    let head = bench.head.as_ref().unwrap();
    assert!(head.idle() && !head.parked && bench.entries.is_empty());
}

#[test]
fn a_row_that_got_no_answer_waits_in_the_lane() {
    let mut bench = written();
    let row = row(&bench, "Ada");
    let CopyDecision::Write { head, entry } = decide(&mut bench, row) else { panic!() };
    bench.head = Some(*head);
    let failed = bench.failed(&entry, B, ErrorClass::Network, CallEffect::Unknown);
    assert!(matches!(bench.settle(&entry, &failed), Some(Answer::Queued { .. })));
    assert_eq!(bench.entries.len(), 1);
}

#[test]
fn a_row_that_was_read_in_another_state_of_the_lane_is_read_again() {
    let mut bench = Bench::new(Capability::Idempotent);
    let before = row(&bench, "Ada");
    let save = bench.save(A, "v1");
    bench.write(save);
    let again = CopyDecision::LookAgain { not_before: bench.now };
    assert_eq!(decide(&mut bench, before), again, "there was no lane yet");
    let before = row(&bench, "Ada");
    let save = bench.save(B, "v2");
    bench.write(save);
    bench.drain();
    assert_eq!(decide(&mut bench, before), again);
    let before = row(&bench, "Ada");
    bench.head.as_mut().unwrap().generation += 1;
    assert_eq!(decide(&mut bench, before), again, "a lane made anew counts from the beginning");
    let before = row(&bench, "Ada");
    bench.head.as_mut().unwrap().version += 1;
    let not_before = open_transaction(&mut bench, A);
    assert_eq!(decide(&mut bench, before), CopyDecision::LookAgain { not_before }, "sooner it would decide nothing");
}

#[test]
fn a_row_decides_nothing_while_a_caller_of_either_app_may_still_commit() {
    for side in SideIx::BOTH {
        let mut bench = written();
        let not_before = open_transaction(&mut bench, side);
        let asked_before = CopiedRow { asked_at: not_before.minus_ms(1), ..row(&bench, "v1") };
        let same = CopiedRow { there: image(B, "v1"), ..asked_before.clone() };
        for late in [bench.now, not_before, not_before.plus_ms(99_000)] {
            bench.now = late;
            let again = CopyDecision::LookAgain { not_before: not_before.max(late) };
            assert_eq!(decide(&mut bench, asked_before.clone()), again, "when it was read counts");
            assert_eq!(decide(&mut bench, same.clone()), again, "that it is equal is not known, either");
        }
        let unchanged_since = not_before.minus_ms(REPORTS_WITHIN_MS);
        let asked_at = CopiedRow { asked_at: not_before, unchanged_since, ..row(&bench, "v1") };
        assert!(matches!(decide(&mut bench, asked_at), CopyDecision::Write { .. }));
    }
}

#[test]
fn a_caller_of_an_earlier_map_may_still_commit() {
    let mut bench = written();
    let not_before = open_transaction(&mut bench, A);
    bench.map.uid = MapUid(2);
    let early = row(&bench, "v1");
    assert_eq!(decide(&mut bench, early), CopyDecision::LookAgain { not_before });
    let late = CopiedRow { asked_at: not_before, ..row(&bench, "v1") };
    let CopyDecision::Write { head, entry } = decide(&mut bench, late) else { panic!() };
    assert_eq!((head.map, entry.seq), (MapUid(2), 1));
}

#[test]
fn a_row_is_left_to_what_waits_in_the_lane() {
    let idle = written().head.unwrap();
    let waiting = Head { next_seq: idle.next_seq + 1, ..idle.clone() };
    let parked = Head { parked: true, ..waiting.clone() };
    let damaged = Some(Box::new(Unreadable { raw: String::new(), why: String::new() }));
    let unreadable = Head { unreadable: damaged, ..idle };
    for head in [waiting, parked, unreadable] {
        let mut bench = written();
        bench.head = Some(head.clone());
        let row = row(&bench, "Ada");
        assert_eq!(decide(&mut bench, row), CopyDecision::LeftToLane, "{head:?}");
    }
}

/// It may be refused, and then nothing has changed.
#[test]
fn a_row_whose_record_is_being_written_is_read_again() {
    let mut bench = written();
    let save = bench.save(A, "v2");
    assert!(matches!(bench.admit(save), Ok(Admission::Execute { .. })));
    let row_now = row(&bench, "Ada");
    let not_before = bench.now.plus_ms(LOOK_AGAIN_MS);
    assert_eq!(decide(&mut bench, row_now), CopyDecision::LookAgain { not_before });
    let next = bench.save(A, "v3");
    assert!(matches!(bench.admit(next), Ok(Admission::Append { .. })));
    let row_now = row(&bench, "Ada");
    assert_eq!(decide(&mut bench, row_now), CopyDecision::LeftToLane, "one waits behind it");
}

/// A user's report of it may be on its way.
#[test]
fn a_difference_is_confirmed_by_a_second_look_that_is_late_enough() {
    let mut bench = written();
    let config = &bench.map.config.clone();
    let first = CopiedRow { unchanged_since: bench.now, ..row(&bench, "Ada") };
    let not_before = bench.now.plus_ms(REPORTS_WITHIN_MS);
    assert_eq!(decide(&mut bench, first.clone()), CopyDecision::LookAgain { not_before });
    let look = |asked_at: Timestamp| CopiedRow { asked_at, unchanged_since: asked_at, ..first.clone() };
    bench.now = not_before.plus_ms(5);
    let again = |asked_at: Timestamp| CopyDecision::LookAgain { not_before: asked_at.plus_ms(REPORTS_WITHIN_MS) };
    let early = look(not_before.minus_ms(1)).after(&first.look(config), config);
    assert_eq!(decide(&mut bench, early), CopyDecision::LookAgain { not_before: bench.now });
    let other_there = CopiedRow { there: Image::Absent, ..look(not_before) }.after(&first.look(config), config);
    assert_eq!(decide(&mut bench, other_there), again(not_before), "it has changed");
    let of_before = CopiedRow { lane: HeadVersion::default(), ..first.clone() };
    let other_lane = look(not_before).after(&of_before.look(config), config);
    assert_eq!(decide(&mut bench, other_lane), again(not_before), "a change was reported");
    let other_side = look(not_before).after(&CopiedRow { from: B, ..first.clone() }.look(config), config);
    assert_eq!(decide(&mut bench, other_side), again(not_before));
    let newer = CopiedRow { record: record(A, "Bob"), ..look(not_before) }.after(&first.look(config), config);
    let CopyDecision::Write { entry, .. } = decide(&mut bench, newer) else { panic!() };
    assert_eq!(entry.write().unwrap().image, image(A, "Bob"), "what the row's own app has by then is copied");
}

#[test]
fn what_both_apps_have_is_not_written() {
    let mut bench = written();
    for (there, equal) in [(image(B, "Ada"), true), (image(B, "Bob"), false), (Image::Absent, false)] {
        let row = CopiedRow { there: there.clone(), ..row(&bench, "Ada") };
        assert_eq!(decide(&mut bench, row) == CopyDecision::Equal, equal, "{there:?}");
    }
}

#[test]
fn a_row_that_cannot_be_mapped_is_an_error_of_that_row() {
    let mut bench = written();
    let nameless = CopiedRow { record: json!({"OnHold": "No"}).as_object().unwrap().clone(), ..row(&bench, "") };
    let winners = FieldWinners::all(&bench.map.config, A);
    let error = apply(&mut bench, nameless, &winners).unwrap_err();
    assert_eq!(error.field, "Name");
}

/// Finance wins the name, and crm the limit: each gets what the other one wins, the second by the lane as the first has left it.
#[test]
fn two_rows_bring_each_side_what_the_other_one_wins() {
    let mut bench = written();
    let config = bench.map.config.clone();
    let winners = FieldWinners::choose(&config, A, &[("limit".to_owned(), B)].into()).unwrap();
    let finance = json!({"Name": "Ada", "Limit": 10, "OnHold": "Yes"}).as_object().unwrap().clone();
    let crm = json!({"name": "Bob", "limit": 7, "hold": false}).as_object().unwrap().clone();
    let first = CopiedRow { record: finance.clone(), there: Image::Present(crm.clone()), ..row(&bench, "") };
    let back = CopiedRow { from: B, record: crm, there: Image::Present(finance), ..first.clone() };
    let CopyDecision::Write { head, entry } = apply(&mut bench, first, &winners).unwrap() else { panic!() };
    let write = entry.write().unwrap();
    assert_eq!((write.origin, write.shape), (Some(A), B), "a merged record is in the names of its target");
    let [step] = &plan(&entry, &config).unwrap()[..] else { panic!() };
    let wanted = json!({"name": "Ada", "limit": 7, "hold": true, "category": null, "source": "finance"});
    assert_eq!((step.to, &step.action), (B, &Action::Put(Image::Present(wanted.as_object().unwrap().clone()))));
    bench.head = Some(*head);
    let attempt = bench.done(&entry, true);
    bench.settle(&entry, &attempt);
    let read_before = apply(&mut bench, back.clone(), &winners).unwrap();
    assert_eq!(read_before, CopyDecision::LookAgain { not_before: bench.now }, "the lane is another one since");
    let there = Image::Present(wanted.as_object().unwrap().clone());
    let record = present(&there);
    let lane = HeadVersion::of(bench.head.as_ref());
    let back = CopiedRow { record, lane, ..back };
    let again = CopiedRow { from: A, record: present(&back.there), there, ..back.clone() };
    assert_eq!(apply(&mut bench, again, &winners).unwrap(), CopyDecision::Equal, "crm has all that finance wins");
    let CopyDecision::Write { entry, .. } = apply(&mut bench, back, &winners).unwrap() else { panic!() };
    let [step] = &plan(&entry, &config).unwrap()[..] else { panic!() };
    let wanted = json!({"Name": "Ada", "Limit": 7, "OnHold": "Yes", "Group": null});
    assert_eq!((step.to, &step.action), (A, &Action::Put(Image::Present(wanted.as_object().unwrap().clone()))));
}
