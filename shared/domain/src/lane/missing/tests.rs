use super::*;
use crate::{
    id::EntryId,
    lane::{
        Answer, Entry, OpenTransaction, Work,
        tests::bench::{Bench, image},
    },
    mapping::FieldWinners,
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;
const REPORTS_WITHIN_MS: u64 = 60_000;

/// Finance lacks a record that crm has, and that is confirmed.
fn missing(bench: &Bench, name: &str) -> MissingRecord {
    let Image::Present(there) = image(B, name) else { panic!() };
    let lane = HeadVersion::of(bench.head.as_ref());
    let unchanged_since = bench.now.minus_ms(REPORTS_WITHIN_MS);
    MissingRecord { missing_from: A, there, lane, asked_at: bench.now, unchanged_since }
}

fn decide(bench: &mut Bench, missing: MissingRecord) -> CopyDecision {
    let (write, entry) = (bench.write_id(), EntryId(bench.id()));
    let winners = FieldWinners::all(&bench.map.config, A);
    let terms = CopyTerms { write, entry, reports_within_ms: REPORTS_WITHIN_MS, winners: &winners };
    apply_deletion(bench.head.clone().as_ref(), missing, terms, bench.context()).unwrap()
}

fn written(decision: CopyDecision) -> (Head, Entry) {
    let CopyDecision::Write { head, entry } = decision else { panic!("{decision:?}") };
    (*head, *entry)
}

/// A lane that has written a record of finance.
fn in_step() -> Bench {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    bench
}

#[test]
fn an_approved_deletion_is_an_entry_of_the_lane() {
    let mut bench = in_step();
    let gone = missing(&bench, "v1");
    let (head, entry) = written(decide(&mut bench, gone));
    let Work::Write(write) = &entry.work else { panic!() };
    assert_eq!((&write.image, write.origin, entry.seq), (&Image::Absent, Some(A), 2));
    let absent = content(&bench.map.config, B, &Image::Absent);
    assert_eq!(head.inflight.as_ref().unwrap().writing[B], Some(absent), "its early report is an echo");
    bench.head = Some(head);
    let attempt = bench.done(&entry, true);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Written { .. })));
}

#[test]
fn absence_deletes_nothing_before_it_is_confirmed_nor_in_another_state_of_the_lane() {
    let mut bench = in_step();
    let once = MissingRecord { unchanged_since: bench.now, ..missing(&bench, "v1") };
    let later = CopyDecision::LookAgain { not_before: bench.now.plus_ms(REPORTS_WITHIN_MS) };
    assert_eq!(decide(&mut bench, once), later, "it was asked for once");
    let before = missing(&bench, "v1");
    let save = bench.save(B, "v2");
    bench.write(save);
    bench.drain();
    assert_eq!(decide(&mut bench, before), CopyDecision::LookAgain { not_before: bench.now });
}

#[test]
fn absence_that_was_read_while_a_caller_may_still_commit_proves_nothing() {
    let mut bench = in_step();
    let open = OpenTransaction { accepted_at: bench.now, longest_ms: 10_000 };
    bench.head.as_mut().unwrap().sides[A].open_transaction = Some(open);
    let early = missing(&bench, "v1");
    assert_eq!(decide(&mut bench, early), CopyDecision::LookAgain { not_before: bench.now.plus_ms(10_000) });
}

#[test]
fn a_later_look_confirms_only_the_same_record_in_the_same_lane() {
    let bench = in_step();
    let map = &bench.map.config;
    let earlier = missing(&bench, "v1").look(map);
    let again = |name: &str| MissingRecord { unchanged_since: bench.now, ..missing(&bench, name) };
    assert_eq!(again("v1").after(&earlier, map).unchanged_since, earlier.unchanged_since);
    assert!(again("v1").is_as_in(&earlier, map) && !again("v2").is_as_in(&earlier, map));
    assert_eq!(again("v2").after(&earlier, map).unchanged_since, bench.now);
    let elsewhere = MissingRecord { lane: HeadVersion::default(), ..again("v1") };
    assert!(!elsewhere.is_as_in(&earlier, map));
    assert_eq!(elsewhere.after(&earlier, map).unchanged_since, bench.now);
}

#[test]
fn a_lane_tells_when_both_apps_had_the_record_and_when_it_was_deleted() {
    let past = |bench: &Bench| KnownPast::of(bench.head.as_ref(), &bench.map, A);
    let mut bench = Bench::new(Capability::Idempotent);
    assert_eq!(past(&bench), KnownPast::default(), "it has no lane");
    let began = bench.now;
    let save = bench.save(A, "v1");
    bench.write(save);
    assert_eq!(past(&bench), KnownPast { in_step_at: Some(began), deleted_at: None });
    bench.now = bench.now.plus_ms(5_000);
    let deleted_at = bench.now;
    let mut deletes = bench.save(A, "v1");
    deletes.image = Image::Absent;
    bench.write(deletes);
    assert_eq!(past(&bench).deleted_at, Some(deleted_at));
    let mut other_map = bench.map.clone();
    other_map.uid = crate::id::MapUid(99);
    assert_eq!(KnownPast::of(bench.head.as_ref(), &other_map, A), KnownPast::default(), "a lane of an earlier map");
    bench.now = bench.now.plus_ms(5_000);
    let saved_at = bench.now;
    let save = bench.save(B, "v3");
    bench.write(save);
    bench.drain();
    assert_eq!(past(&bench), KnownPast { in_step_at: Some(saved_at), deleted_at: None }, "it was made anew");
}
