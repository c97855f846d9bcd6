//! Writes of one app, and everything that can become of them.

use super::bench::Bench;
use crate::{
    failure::{CallEffect, ErrorClass},
    lane::{Admission, Answer, Claim, Mode, ParkReason, Rejection, RestoreCause, SkipReason, Work},
    limits::MAX_ID_SKEW_MS,
    map::{MapState, OnUnavailable, SideIx},
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

#[test]
fn a_write_is_in_the_head_before_any_app_is_called() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { head, entry }) = bench.admit(save.clone()) else { panic!() };
    assert_eq!(head.inflight.as_ref().unwrap().direct.as_deref(), Some(&*entry));
    assert_eq!(bench.admit(save), Ok(Admission::InFlight), "a repeat waits: the answer may still be a refusal");
}

#[test]
fn a_repeat_gets_the_first_answer_and_another_request_with_that_id_is_refused() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "Ada");
    let first = bench.write(save.clone());
    let Ok(Admission::Repeat(again)) = bench.admit(save.clone()) else { panic!() };
    assert!(
        matches!((&first, &again), (Answer::Written { version: a, .. }, Answer::Written { version: b, .. }) if a == b)
    );
    let mut other = bench.save(A, "Bob");
    other.id = save.id;
    assert_eq!(bench.admit(other), Err(Rejection::IdReused));
}

#[test]
fn an_id_whose_answer_was_forgotten_is_refused_as_too_old() {
    let mut bench = Bench::new(Capability::Idempotent);
    let (of_another_server, too_late) = (bench.save(A, "its clock is behind"), bench.save(A, "too late"));
    let first = bench.save(A, "first");
    bench.write(first.clone());
    for n in 0..16 {
        let save = bench.save(A, &format!("v{n}"));
        bench.write(save);
    }
    assert_eq!(bench.admit(first), Err(Rejection::IdTooOld), "a late duplicate must not overwrite a newer value");
    assert!(matches!(bench.write(of_another_server), Answer::Written { .. }), "it never came before");
    bench.now = bench.now.plus_ms(MAX_ID_SKEW_MS + 1);
    for n in 0..17 {
        let save = bench.save(A, &format!("w{n}"));
        bench.write(save);
    }
    assert_eq!(bench.admit(too_late), Err(Rejection::IdTooOld), "nobody can tell any more");
    let of_the_other_app = bench.save(B, "new");
    assert!(bench.admit(of_the_other_app).is_ok());
}

#[test]
fn a_first_sync_call_that_is_refused_leaves_nothing_behind() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save.clone()) else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Application, CallEffect::Refused);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Refused { to: B, .. })));
    assert!(bench.head.as_ref().unwrap().idle() && bench.entries.is_empty());
    assert!(matches!(bench.admit(save), Ok(Admission::Repeat(Answer::Refused { .. }))));
}

#[test]
fn a_refused_change_that_stands_already_is_parked_and_holds_back_only_its_own_lane() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut save = bench.save(A, "Ada");
    save.mode = Mode::Committed;
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Application, CallEffect::Refused);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Parked { half_written: false, .. })));
    assert_eq!(bench.claim(), Claim::Parked);
    let next = bench.save(A, "Bob");
    assert!(matches!(bench.admit(next), Ok(Admission::Append { .. })), "the next one waits behind it");
    assert_eq!(bench.claim(), Claim::Parked);
}

#[test]
fn after_an_unknown_outcome_a_refusal_parks() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Timeout, CallEffect::Unknown);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Queued { ahead: 0, .. })));
    assert!(matches!(bench.claim(), Claim::NotYet(_)), "not before its backoff");
    bench.now = bench.now.plus_ms(60_000);
    let Claim::Taken { entry, .. } = bench.claim() else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Application, CallEffect::Refused);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Parked { .. })));
}

#[test]
fn a_plain_app_keeps_the_lane_closed_until_the_call_cannot_land_any_more() {
    let mut bench = Bench::new(Capability::Plain);
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Timeout, CallEffect::Unknown);
    bench.settle(&entry, &attempt);
    let landed = bench.now.plus_ms(bench.sides[1].call_life_ms);
    assert_eq!(bench.claim(), Claim::NotYet(landed));
    bench.now = landed;
    assert!(matches!(bench.claim(), Claim::Taken { .. }));
}

#[test]
fn a_lease_that_ran_out_is_taken_over_and_its_holder_settles_nothing() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { entry, head }) = bench.admit(save) else { panic!() };
    let (slow, lease) = (head.inflight.as_ref().unwrap().owner.unwrap(), head.inflight.as_ref().unwrap().lease_end);
    assert_eq!(bench.claim(), Claim::NotYet(lease));
    bench.now = lease;
    let Claim::Taken { entry: taken, .. } = bench.claim() else { panic!() };
    assert!(taken.outcome_unknown && taken.id == entry.id, "the same entry, and its outcome is in doubt");
    let attempt = bench.done(&entry, true);
    assert_eq!(bench.settle_as(slow, &entry, &attempt), None);
    assert!(matches!(bench.settle(&taken, &attempt), Some(Answer::Written { .. })));
}

#[test]
fn without_origin_the_second_refusal_is_parked_as_half_written() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut both = bench.save(A, "Ada");
    both.origin = None;
    let Ok(Admission::Execute { entry, .. }) = bench.admit(both.clone()) else { panic!() };
    let mut attempt = bench.failed(&entry, B, ErrorClass::Application, CallEffect::Refused);
    attempt.done = vec![(A, None, None)];
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Parked { half_written: true, .. })));
    assert_eq!(bench.entries[0].parked, Some(ParkReason::HalfWritten));

    let mut bench = Bench::new(Capability::Idempotent);
    let Ok(Admission::Execute { entry, .. }) = bench.admit(both) else { panic!() };
    let attempt = bench.failed(&entry, A, ErrorClass::Application, CallEffect::Refused);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Refused { to: A, .. })), "nothing was written: 422");
}

#[test]
fn a_map_that_fails_instead_of_queueing_restores_what_may_have_been_written() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.config.on_unavailable = OnUnavailable::Fail;
    let save = bench.save(A, "Ada");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save.clone()) else { panic!() };
    let attempt = bench.failed(&entry, B, ErrorClass::Network, CallEffect::NotApplied);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Unavailable { outcome_unknown: false, .. })));
    assert!(bench.head.as_ref().unwrap().idle());
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!("the same id is a new attempt") };
    let attempt = bench.failed(&entry, B, ErrorClass::Timeout, CallEffect::Unknown);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Unavailable { outcome_unknown: true, .. })));
    let restore = Work::Restore { from: A, to: B, cause: RestoreCause::CallerRollsBack };
    assert_eq!(bench.entries[0].work, restore);
}

#[test]
fn what_is_not_to_be_written_is_skipped_and_says_why() {
    let mut bench = Bench::new(Capability::Idempotent);
    let mut newer = bench.save(A, "new");
    newer.version = Some(7);
    let mut older = bench.save(A, "old");
    older.version = Some(6);
    bench.write(newer);
    assert_eq!(bench.admit(older), Ok(Admission::Skip(SkipReason::Superseded)));
    bench.map.state = MapState::Stopped;
    let save = bench.save(A, "Ada");
    assert_eq!(bench.admit(save), Ok(Admission::Skip(SkipReason::Stopped)));
    bench.map.state = MapState::Paused;
    let save = bench.save(A, "Ada");
    assert!(matches!(bench.admit(save), Ok(Admission::Append { .. })), "a paused map keeps it");
}
