//! A record that its apps report to and fro.

use super::bench::{Bench, image, key};
use crate::{
    failure::ErrorClass,
    id::LogId,
    lane::{Admission, Claim, Entry, Head, JournalEffect, Mode, ParkReason},
    limits::{BOUNCES_WITHIN_MS, MAX_BOUNCES},
    log::{ErrorDisposition, LogEvent, Order},
    map::SideIx,
    record::ContentHash,
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

/// A side reports a change that stands already; it is written to the other side, and the lane is idle again. Returns the
/// entry.
fn report(bench: &mut Bench, side: SideIx, name: &str, after_ms: u64) -> Entry {
    let entry = accept(bench, side, name, after_ms);
    let mut head = bench.head.take().unwrap();
    head.sides[side.other()].note_written(entry.seq, ContentHash(entry.seq));
    bench.head = Some(Head { inflight: None, done_seq: head.next_seq - 1, ..head });
    entry
}

/// A side reports a change that stands already. Returns the entry.
fn accept(bench: &mut Bench, side: SideIx, name: &str, after_ms: u64) -> Entry {
    bench.now = bench.now.plus_ms(after_ms);
    let mut save = bench.save(side, name);
    // It was made on top of whatever Tandem had written: nothing has crossed.
    (save.mode, save.before) = (Mode::Committed, Some(image(side, "something else")));
    let (head, entry) = match bench.admit(save).unwrap() {
        Admission::Execute { head, entry } | Admission::Append { head, entry } => (head, *entry),
        other => panic!("{other:?}"),
    };
    bench.head = Some(*head);
    entry
}

fn bounces(entry: &Entry) -> bool {
    entry.parked == Some(ParkReason::Bounces)
}

/// Both apps report their own form of the record, one after the other, `gap_ms` apart. Which reports bounce.
fn to_and_fro(bench: &mut Bench, count: usize, gap_ms: u64) -> Vec<bool> {
    (0..count)
        .map(|n| {
            let (side, name) = if n % 2 == 0 { (A, "ADA") } else { (B, "ada") };
            bounces(&report(bench, side, name, gap_ms))
        })
        .collect()
}

#[test]
fn the_third_report_of_the_same_content_bounces_if_the_other_side_reported_in_between() {
    assert_eq!(MAX_BOUNCES, 2);
    let mut bench = Bench::new(Capability::Idempotent);
    assert_eq!(to_and_fro(&mut bench, 6, 100), [false, false, false, false, true, true]);
}

/// Users who save again and again while the lane is behind have not seen what the others saved.
#[test]
fn reports_that_wait_in_the_lane_do_not_bounce() {
    let mut bench = Bench::new(Capability::Idempotent);
    for n in 0..12 {
        let (side, name) = if n % 2 == 0 { (A, "ADA") } else { (B, "ada") };
        assert!(!bounces(&accept(&mut bench, side, name, 100)), "{n}");
    }
}

#[test]
fn a_report_that_comes_before_the_call_has_returned_bounces_too() {
    let mut bench = Bench::new(Capability::Idempotent);
    to_and_fro(&mut bench, 3, 100);
    assert!(!bounces(&accept(&mut bench, B, "ada", 100)), "it is in flight now");
    assert!(bounces(&accept(&mut bench, A, "ADA", 100)));
}

#[test]
fn users_who_take_their_time_do_not_bounce() {
    let mut bench = Bench::new(Capability::Idempotent);
    assert_eq!(to_and_fro(&mut bench, 8, BOUNCES_WITHIN_MS / 2), [false; 8]);
    let mut bench = Bench::new(Capability::Idempotent);
    assert!(to_and_fro(&mut bench, 8, BOUNCES_WITHIN_MS / 2 - 1).contains(&true));
}

#[test]
fn other_content_and_repeats_of_one_side_do_not_bounce() {
    let mut bench = Bench::new(Capability::Idempotent);
    for n in 0..8 {
        let side = if n % 2 == 0 { A } else { B };
        assert!(!bounces(&report(&mut bench, side, &format!("v{n}"), 100)));
    }
    let mut bench = Bench::new(Capability::Idempotent);
    for n in 0..8 {
        assert!(!bounces(&report(&mut bench, A, if n % 2 == 0 { "red" } else { "blue" }, 100)));
    }
    let mut bench = Bench::new(Capability::Idempotent);
    for _ in 0..8 {
        assert!(!bounces(&report(&mut bench, A, "red", 100)));
    }
}

#[test]
fn an_app_that_does_not_report_what_tandem_writes_answers_no_other() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.sides[1].reports_own_writes = false;
    assert_eq!(to_and_fro(&mut bench, 8, 100), [false; 8]);
}

#[test]
fn an_entry_that_bounces_parks_its_lane_and_is_logged() {
    let mut bench = Bench::new(Capability::Idempotent);
    to_and_fro(&mut bench, 4, 100);
    let save = {
        let mut save = bench.save(A, "ADA");
        (save.mode, save.before) = (Mode::Committed, Some(image(A, "something else")));
        save
    };
    let Ok(Admission::Append { entry, .. }) = bench.admit(save) else { panic!("it is not executed") };
    bench.now = bench.now.plus_ms(7);
    let Claim::Park(head, effects) = bench.claim() else { panic!() };
    assert!(head.parked && head.version == bench.head.as_ref().unwrap().version + 1);
    assert_eq!((head.not_before, head.inflight.is_none()), (bench.now, true), "parked since now");
    let [JournalEffect::Log(LogEvent::Error(error))] = &effects[..] else { panic!("{effects:?}") };
    let order = Order::Change(head.version);
    assert_eq!(
        error.id,
        LogId::of(bench.now, order, &[b"unsent", &entry.id.0.to_be_bytes()]),
        "in the order of changes"
    );
    assert_eq!((error.key.as_ref(), error.entry, error.seq), (Some(&key()), Some(entry.id), Some(entry.seq)));
    assert_eq!(
        (error.class, error.code.as_deref(), error.fate),
        (ErrorClass::Conflict, Some("bounces"), ErrorDisposition::Parked)
    );
    assert!(error.message.contains("finance") && error.message.contains("crm") && error.message.contains("`compare`"));
    assert_eq!(head.unresolved.len(), 1, "it is resolved when the record is written");
    bench.head = Some(*head);
    assert_eq!(bench.claim(), Claim::Parked);
}
