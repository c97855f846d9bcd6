//! What an attempt leaves in the head, in the journal and in the error log.

use super::bench::{Bench, image, key};
use crate::{
    failure::{CallEffect, ErrorClass, Failure, backoff_ms},
    lane::{Admission, Answer, Attempt, Claim, Entry, Mode, RestoreCause, StepFailure, Work},
    log::{ErrorDisposition, ErrorEvent, LogEvent, Resolved},
    map::{OnUnavailable, SideIx},
    record::Image,
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

fn direct(bench: &mut Bench, mode: Mode) -> Entry {
    let mut save = bench.save(A, "Ada");
    save.mode = mode;
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    *entry
}

fn fail(bench: &mut Bench, entry: &Entry, class: ErrorClass, effect: CallEffect) -> Answer {
    let attempt = bench.failed(entry, B, class, effect);
    bench.settle(entry, &attempt).unwrap()
}

fn errors(bench: &Bench) -> Vec<&ErrorEvent> {
    let mut errors = Vec::new();
    for event in &bench.logged {
        if let LogEvent::Error(error) = event {
            errors.push(&**error);
        }
    }
    errors
}

#[test]
fn a_side_was_tried_more_than_once_after_a_second_attempt_or_an_unknown_outcome() {
    let retried = |attempts| [false, true].map(|unknown| is_retried(Capability::Plain, attempts, unknown, false));
    assert_eq!([1, 2].map(retried), [[false, true], [true, true]]);
}

#[test]
fn a_call_to_a_versioned_side_that_found_its_content_did_not_land_on_top_of_a_change() {
    let retried =
        |attempts, unknown| [false, true].map(|found| is_retried(Capability::Versioned, attempts, unknown, found));
    assert_eq!([1, 9].map(|attempts| retried(attempts, false)), [[false; 2]; 2], "the others had no effect");
    assert_eq!(
        retried(2, true),
        [true, false],
        "the first may have landed, and the second only if it found it not there"
    );
    assert_eq!(retried(3, true), [true, true], "the second may have landed, too");
}

fn is_retried(capability: Capability, attempts: u32, outcome_unknown: bool, found: bool) -> bool {
    let mut bench = Bench::new(capability);
    let entry = Entry { attempts, outcome_unknown, ..direct(&mut bench, Mode::Committed) };
    let mut attempt = bench.done(&entry, true);
    attempt.found[B] = found;
    bench.settle(&entry, &attempt).unwrap();
    bench.head.unwrap().sides[B].retried
}

#[test]
fn what_was_written_and_the_etag_of_it_are_remembered() {
    let mut bench = Bench::new(Capability::Versioned);
    let entry = direct(&mut bench, Mode::Sync);
    let mut attempt = bench.done(&entry, true);
    attempt.done[0].2 = Some("W/\"7\"".to_owned());
    bench.settle(&entry, &attempt).unwrap();
    let side = &bench.head.as_ref().unwrap().sides[B];
    assert_eq!(side.etag.as_deref(), Some("W/\"7\""));
    assert_eq!(side.recent_writes.iter().map(|written| written.seq).collect::<Vec<_>>(), [1]);
}

#[test]
fn a_caller_rolls_back_only_after_the_first_call_of_a_direct_write_whose_outcome_is_known() {
    let refused = |change: &dyn Fn(&mut Bench, &mut Entry)| {
        let mut bench = Bench::new(Capability::Idempotent);
        let mut entry = direct(&mut bench, Mode::Sync);
        change(&mut bench, &mut entry);
        matches!(fail(&mut bench, &entry, ErrorClass::Application, CallEffect::Refused), Answer::Refused { .. })
    };
    assert!(refused(&|_, _| {}));
    assert!(!refused(&|_, entry| entry.attempts = 2));
    assert!(!refused(&|_, entry| entry.outcome_unknown = true));
    assert!(
        !refused(&|bench, _| bench.head.as_mut().unwrap().inflight.as_mut().unwrap().direct = None),
        "it was queued"
    );
}

#[test]
fn a_lost_lease_settles_nothing() {
    let mut bench = Bench::new(Capability::Idempotent);
    let entry = direct(&mut bench, Mode::Sync);
    let attempt = bench.done(&entry, true);
    assert_eq!(bench.settle_as(crate::id::Owner(0), &entry, &attempt), None);
}

#[test]
fn a_failed_attempt_is_tried_again_after_its_backoff_or_after_what_the_app_asks_for() {
    for retry_after_ms in [None, Some(30_000)] {
        let mut bench = Bench::new(Capability::Idempotent);
        let entry = direct(&mut bench, Mode::Committed);
        let mut attempt = bench.failed(&entry, B, ErrorClass::Throttled, CallEffect::NotApplied);
        attempt.failure.as_mut().unwrap().failure.retry_after_ms = retry_after_ms;
        assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Queued { .. })));
        let due = bench.now.plus_ms(backoff_ms(1, retry_after_ms));
        assert_eq!(bench.head.as_ref().unwrap().due(), Some(due));
        assert_eq!(bench.claim(), Claim::NotYet(due));
        assert!(!bench.entries[0].outcome_unknown);
    }
}

#[test]
fn a_plain_side_is_left_alone_until_an_unanswered_call_cannot_land_any_more() {
    let mut bench = Bench::new(Capability::Plain);
    let entry = direct(&mut bench, Mode::Committed);
    fail(&mut bench, &entry, ErrorClass::Timeout, CallEffect::Unknown);
    let landed = bench.now.plus_ms(bench.sides[1].call_life_ms);
    let head = bench.head.as_ref().unwrap();
    let inflight = head.inflight.as_ref().unwrap();
    assert_eq!((inflight.owner, inflight.lease_end, head.due()), (None, landed, Some(landed)));
    assert_eq!(head.sides[B].recent_writes.len(), 1, "it may be there");
    assert!(bench.entries[0].outcome_unknown);
    bench.now = landed;
    let Claim::Taken { entry, .. } = bench.claim() else { panic!() };
    assert_eq!(entry.attempts, 2);
    let mut bench = Bench::new(Capability::Idempotent);
    let entry = direct(&mut bench, Mode::Committed);
    fail(&mut bench, &entry, ErrorClass::Timeout, CallEffect::Unknown);
    assert!(bench.head.unwrap().inflight.is_none(), "an idempotent one may be called again");
}

#[test]
fn every_attempt_is_a_line_of_the_error_log_and_a_success_resolves_them() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.epoch = 4;
    let entry = direct(&mut bench, Mode::Committed);
    fail(&mut bench, &entry, ErrorClass::Unavailable, CallEffect::NotApplied);
    bench.now = bench.now.plus_ms(60_000);
    let Claim::Taken { entry, .. } = bench.claim() else { panic!() };
    fail(&mut bench, &entry, ErrorClass::Unavailable, CallEffect::NotApplied);
    let lines = errors(&bench);
    assert_eq!(lines.iter().map(|line| line.attempt).collect::<Vec<_>>(), [1, 2]);
    assert!(lines[0].id < lines[1].id);
    let first = lines[0];
    assert_eq!((first.from.as_ref().unwrap().as_str(), first.to.as_str()), ("finance", "crm"));
    assert_eq!((first.epoch, first.uid, first.seq, first.entry), (4, bench.map.uid, Some(1), Some(entry.id)));
    assert_eq!((first.key.as_ref(), first.fate), (Some(&key()), ErrorDisposition::Retried));
    assert_eq!(first.write, entry.write().map(|write| write.id.to_string()));
    let Image::Present(record) = image(A, "Ada") else { panic!() };
    assert_eq!(first.payload, Some(record));
    assert_eq!(lines[1].payload, None, "the first attempt has it");
    bench.now = bench.now.plus_ms(60_000);
    bench.drain();
    let resolved = bench.logged.iter().find_map(|event| match event {
        LogEvent::Resolved(resolution) => Some((resolution.how, resolution.last.len())),
        _ => None,
    });
    assert_eq!(resolved, Some((Resolved::Written, 2)));
}

#[test]
fn the_log_says_what_became_of_the_write() {
    let fate = |mode, effect, on_unavailable| {
        let mut bench = Bench::new(Capability::Idempotent);
        bench.map.config.on_unavailable = on_unavailable;
        let entry = direct(&mut bench, mode);
        fail(&mut bench, &entry, ErrorClass::Application, effect);
        errors(&bench)[0].fate
    };
    use CallEffect::{NotApplied, Refused};
    use OnUnavailable::{Fail, Queue};
    assert_eq!(fate(Mode::Sync, Refused, Queue), ErrorDisposition::Refused);
    assert_eq!(fate(Mode::Committed, Refused, Queue), ErrorDisposition::Parked);
    assert_eq!(fate(Mode::Sync, NotApplied, Queue), ErrorDisposition::Retried);
    assert_eq!(fate(Mode::Sync, NotApplied, Fail), ErrorDisposition::Refused);
}

#[test]
fn a_caller_that_is_told_unavailable_after_an_unknown_outcome_has_its_target_restored() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.config.on_unavailable = OnUnavailable::Fail;
    let entry = direct(&mut bench, Mode::Sync);
    let answer = fail(&mut bench, &entry, ErrorClass::Timeout, CallEffect::Unknown);
    assert!(matches!(answer, Answer::Unavailable { outcome_unknown: true, .. }));
    assert_eq!(bench.entries[0].work, Work::Restore { from: A, to: B, cause: RestoreCause::CallerRollsBack });
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.config.on_unavailable = OnUnavailable::Fail;
    let entry = direct(&mut bench, Mode::Sync);
    let answer = fail(&mut bench, &entry, ErrorClass::Network, CallEffect::NotApplied);
    assert!(matches!(answer, Answer::Unavailable { outcome_unknown: false, .. }));
    let head = bench.head.as_ref().unwrap();
    assert!(head.idle() && bench.entries.is_empty(), "nothing is left to do");
    assert!(head.recent.get(entry.write().unwrap().id).is_none(), "a repeat is a new write");
}

#[test]
fn a_caller_whose_crossing_write_is_refused_gets_what_the_other_app_has() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.epoch = 4;
    let save = bench.save(A, "v1");
    bench.write(save);
    let mut report = bench.save(B, "w1");
    report.before = Some(image(B, "v0"));
    let Ok(Admission::Execute { entry, .. }) = bench.admit(report) else { panic!() };
    let failure = Failure::new(ErrorClass::Application, CallEffect::Refused, None, "no");
    let failure = Some(StepFailure { to: A, at: bench.now, failure });
    bench.now = bench.now.plus_ms(7);
    bench.settle(&entry, &Attempt { failure, ..Attempt::default() }).unwrap();
    let head = bench.head.as_ref().unwrap();
    assert_eq!((head.done_seq, head.next_seq), (2, 4));
    assert_eq!((head.sides[B].last_write_seq, head.sides[B].last_write_at), (3, bench.now));
    assert_eq!((bench.entries[0].seq, bench.entries[0].epoch), (3, 4));
}

#[test]
fn a_write_that_was_half_done_is_parked_as_such() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut save = bench.save(A, "Ada");
    (save.origin, save.mode) = (None, Mode::Committed);
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let mut attempt = bench.failed(&entry, B, ErrorClass::Application, CallEffect::Refused);
    attempt.done.push((A, None, None));
    let answer = bench.settle(&entry, &attempt).unwrap();
    assert!(matches!(answer, Answer::Parked { half_written: true, .. }), "{answer:?}");
    assert_eq!(bench.entries[0].parked, Some(crate::lane::ParkReason::HalfWritten));
    assert_eq!(bench.head.as_ref().unwrap().not_before, bench.now);
}

#[test]
fn a_copy_without_a_known_outcome_waits_until_its_call_cannot_land() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    let work = Work::Restore { from: A, to: B, cause: RestoreCause::Recovered };
    let head = bench.head.clone().unwrap();
    let (head, copy) = crate::lane::append(&head, work, crate::id::EntryId(77), 0, bench.now);
    (bench.head, bench.entries) = (Some(head), vec![copy]);
    let Claim::Taken { entry, .. } = bench.claim() else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Timeout, CallEffect::Unknown);
    bench.settle(&entry, &attempt).unwrap();
    assert_ne!(bench.entries[0].idempotency_key(), bench.entries[0].id);
    let landed = bench.now.plus_ms(60_000); // the life of a call
    // An operator wants it tried now.
    bench.head.as_mut().unwrap().not_before = bench.now;
    assert_eq!(bench.claim(), Claim::NotYet(landed));
    bench.now = landed;
    assert!(matches!(bench.claim(), Claim::Taken { .. }));
}

#[test]
fn a_record_that_fails_alone_is_parked_with_the_reason() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut save = bench.save(A, "v1");
    save.mode = Mode::Committed;
    let Ok(Admission::Execute { mut entry, .. }) = bench.admit(save) else { panic!() };
    let mut attempts = 0;
    loop {
        attempts += 1;
        let attempt = bench.failed(&entry, B, ErrorClass::OtherHttp, CallEffect::Unknown);
        bench.settle(&entry, &attempt).unwrap();
        bench.now = bench.now.plus_ms(100_000);
        bench.last_taken[B] = Some(bench.now); // the app has taken another record since
        match bench.claim() {
            Claim::Taken { entry: next, .. } => entry = next,
            Claim::Parked => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((attempts, bench.entries[0].parked), (5, Some(crate::lane::ParkReason::KeepsFailing)));
}
