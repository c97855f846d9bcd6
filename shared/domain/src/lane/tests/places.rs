//! What a write that takes its place leaves in the head.

use super::bench::{Bench, image};
use crate::{
    lane::{Admission, Arrival, Claim, Crossing, Mode, SkipReason, Winner, head::filter_bits},
    map::{ConflictPolicy, SideIx},
    record::{ContentHash, Image},
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

/// The last entries that write to each side.
fn last_writes(bench: &Bench) -> [u64; 2] {
    let head = bench.head.as_ref().unwrap();
    [A, B].map(|side| head.sides[side].last_write_seq)
}

/// A change of B that did not know what A wrote.
fn crossing(bench: &mut Bench) -> Arrival {
    let save = bench.save(A, "v1");
    bench.write(save);
    let mut report = bench.save(B, "w1");
    report.before = Some(image(B, "v0"));
    report
}

/// A caller that can roll back commits after its answer. One that reports what stands has committed.
#[test]
fn only_a_sync_caller_may_still_hold_its_transaction_open() {
    for (mode, open) in [(Mode::Sync, true), (Mode::Committed, false)] {
        let mut bench = Bench::new(Capability::Idempotent);
        let mut save = bench.save(A, "v1");
        save.mode = mode;
        bench.write(save);
        let head = bench.head.as_ref().unwrap();
        assert_eq!([A, B].map(|side| head.sides[side].open_transaction.is_some()), [open, false], "{mode:?}");
    }
}

#[test]
fn a_write_is_for_the_other_app_one_of_nobody_for_both_and_a_crossing_one_for_both() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    assert_eq!(last_writes(&bench), [0, 1]);
    let mut of_nobody = bench.save(A, "v2");
    of_nobody.origin = None;
    bench.write(of_nobody);
    assert_eq!(last_writes(&bench), [2, 2]);
    let mut bench = Bench::new(Capability::Idempotent);
    let report = crossing(&mut bench);
    bench.admit(report).unwrap();
    assert_eq!(last_writes(&bench), [2, 2], "it is written back to its own app");
    let head = bench.head.as_ref().unwrap();
    assert_eq!([A, B].map(|side| head.sides[side].last_write_at), [bench.now; 2]);
}

#[test]
fn a_crossing_write_that_loses_is_for_its_own_app_alone() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.config.conflict = ConflictPolicy::Primary("finance".parse().unwrap());
    let report = crossing(&mut bench);
    let Ok(Admission::Append { entry, .. }) = bench.admit(report) else { panic!() };
    assert_eq!(entry.crossing, Some(Crossing { winner: Winner::TheOther }));
    assert_eq!(last_writes(&bench), [0, 2]);
}

#[test]
fn each_place_is_one_version_more() {
    let mut bench = Bench::new(Capability::Idempotent);
    for (n, direct) in [(1, true), (2, false), (3, false)] {
        let save = bench.save(A, &format!("v{n}"));
        assert_eq!(matches!(bench.admit(save), Ok(Admission::Execute { .. })), direct);
        let head = bench.head.as_ref().unwrap();
        assert_eq!((head.version, head.next_seq), (n, n + 1));
    }
}

#[test]
fn a_report_of_the_newest_version_is_taken_and_of_an_older_one_is_not() {
    let mut bench = Bench::new(Capability::Idempotent);
    for (version, skipped) in [(Some(7), false), (Some(7), false), (Some(6), true), (None, false), (Some(6), true)] {
        let mut save = bench.save(A, &format!("v{version:?}"));
        save.version = version;
        let skip = matches!(bench.admit(save), Ok(Admission::Skip(SkipReason::Superseded)));
        assert_eq!(skip, skipped, "{version:?}");
    }
}

#[test]
fn a_record_made_anew_after_its_deletion_begins_a_new_count_of_versions() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = |bench: &mut Bench, name: &str, version: u64, before: Option<Image>| {
        let mut save = bench.save(A, name);
        (save.version, save.before) = (Some(version), before);
        if name.is_empty() {
            save.image = Image::Absent;
        }
        let admission = bench.admit(save).unwrap();
        if let Admission::Execute { entry, .. } = &admission {
            let attempt = bench.done(entry, true);
            bench.settle(entry, &attempt).unwrap();
        }
        matches!(admission, Admission::Execute { .. })
    };
    assert!(save(&mut bench, "v5", 5, None));
    assert!(save(&mut bench, "", 6, None), "it is deleted");
    assert!(!save(&mut bench, "late", 4, Some(image(A, "v3"))), "a late report of the record that was");
    assert!(!save(&mut bench, "unknown", 1, None), "nobody says that it is another one");
    assert!(save(&mut bench, "anew", 1, Some(Image::Absent)));
    assert_eq!(bench.head.as_ref().unwrap().sides[A].reported_version, Some(1));
    assert!(save(&mut bench, "v2", 2, Some(image(A, "anew"))));
    assert!(!save(&mut bench, "v1", 1, Some(Image::Absent)), "it was not deleted since");
}

#[test]
fn the_filter_of_evicted_writes_is_cleared_when_the_newest_of_them_is_seen() {
    let mut bench = Bench::new(Capability::Idempotent);
    for n in 1..=10 {
        let save = bench.save(A, &format!("v{n}"));
        bench.write(save);
    }
    let head = bench.head.as_mut().unwrap();
    assert_eq!(head.sides[B].evicted_seq, 2);
    assert_ne!(head.sides[B].evicted_filter, 0);
    head.sides[B].seen_seq = 1;
    let save = bench.save(A, "v11");
    bench.write(save);
    assert_ne!(bench.head.as_ref().unwrap().sides[B].evicted_filter, 0, "2 and 3 are unseen");
    bench.head.as_mut().unwrap().sides[B].seen_seq = 3;
    let save = bench.save(A, "v12");
    let Ok(Admission::Execute { head, .. }) = bench.admit(save) else { panic!() };
    assert_eq!(head.sides[B].evicted_filter, 0);
}

/// The app does not say which of many forgotten writes it had seen, so the record is copied as it is; reports that come before
/// the copy are covered by it.
#[test]
fn a_waiting_resync_covers_the_ambiguous_reports_before_it() {
    let mut bench = forgetful();
    let Admission::Append { entry, .. } = report(&mut bench, "w1", Mode::Committed) else { panic!() };
    assert!(entry.needs_resync);
    assert_eq!(bench.head.as_ref().unwrap().sides[B].resync_seq, 2);
    let covered = report(&mut bench, "w2", Mode::Committed);
    assert!(matches!(covered, Admission::Echo(_, SkipReason::Covered)), "{covered:?}");
    let caller_waits = report(&mut bench, "w3", Mode::Sync);
    assert!(matches!(caller_waits, Admission::Append { .. }), "its app may still roll back");
    // The resync is being carried out: it may have read the record already.
    bench.head.as_mut().unwrap().sides[B].resync_seq = 2;
    assert!(matches!(bench.claim(), Claim::Taken { .. }));
    let too_late = report(&mut bench, "w4", Mode::Committed);
    assert!(matches!(too_late, Admission::Append { .. }), "{too_late:?}");
    let head = bench.head.as_mut().unwrap();
    (head.inflight, head.done_seq, head.sides[B].resync_seq) = (None, 2, 2);
    let over = report(&mut bench, "w5", Mode::Committed);
    assert!(matches!(over, Admission::Append { .. }), "{over:?}");
}

/// What is admitted behind the copy was reported before, and would overwrite what the copy carries.
#[test]
fn a_resync_does_not_cover_a_report_that_comes_after_a_change_behind_it() {
    let mut bench = forgetful();
    assert!(matches!(report(&mut bench, "w1", Mode::Committed), Admission::Append { .. }));
    let head = bench.head.as_mut().unwrap();
    (head.sides[A].last_write_seq, head.next_seq) = (3, 4);
    let Admission::Append { entry, .. } = report(&mut bench, "w2", Mode::Committed) else { panic!() };
    assert!(entry.needs_resync);
    assert_eq!((entry.seq, bench.head.as_ref().unwrap().sides[B].resync_seq), (4, 4));
    let covered = report(&mut bench, "w3", Mode::Committed);
    assert!(matches!(covered, Admission::Echo(_, SkipReason::Covered)), "{covered:?}");
}

/// A lane that does not remember what it wrote to `B`.
fn forgetful() -> Bench {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    let side = &mut bench.head.as_mut().unwrap().sides[B];
    (side.evicted_seq, side.evicted_filter) = (1, filter_bits(ContentHash(1)));
    side.recent_writes.clear();
    bench
}

fn report(bench: &mut Bench, name: &str, mode: Mode) -> Admission {
    let mut report = bench.save(B, name);
    (report.before, report.mode) = (Some(image(B, "v0")), mode);
    bench.admit(report).unwrap()
}
