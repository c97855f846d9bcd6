//! Echoes, and changes that cross.

use super::bench::{Bench, image};
use crate::{
    failure::{CallEffect, ErrorClass, Failure},
    id::EntryId,
    lane::{Admission, Answer, Arrival, Claim, Entry, RestoreCause, SkipReason, StepFailure, Winner, Work},
    map::{ConflictPolicy, SideIx},
    side::Capability,
};

const A: SideIx = SideIx::First;
const B: SideIx = SideIx::Second;

fn report(bench: &mut Bench, side: SideIx, before: &str, name: &str) -> Arrival {
    let mut report = bench.save(side, name);
    report.before = Some(image(side, before));
    report
}

fn is_echo(admission: &Admission) -> bool {
    matches!(admission, Admission::Echo(_, SkipReason::Echo))
}

#[test]
fn what_tandem_wrote_is_an_echo_before_and_after_the_call_returns() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let echo = report(&mut bench, B, "v0", "v1");
    assert!(is_echo(&bench.admit(echo.clone()).unwrap()), "while it is in flight");
    let attempt = bench.done(&entry, true);
    assert!(bench.settle(&entry, &attempt).is_some(), "the echo did not touch the head");
    assert!(matches!(bench.admit(echo), Ok(Admission::Repeat(Answer::Skipped(SkipReason::Echo)))), "its repeat");
    let save = bench.save(A, "v2");
    bench.write(save);
    let echo = report(&mut bench, B, "v1", "v2");
    assert!(is_echo(&bench.admit(echo).unwrap()));
}

#[test]
fn a_late_echo_never_overwrites_what_came_after_it() {
    let mut bench = Bench::new(Capability::Idempotent);
    for name in ["v1", "v2", "v3"] {
        let save = bench.save(A, name);
        bench.write(save);
    }
    for (before, after) in [("v0", "v1"), ("v1", "v2"), ("v2", "v3")] {
        let echo = report(&mut bench, B, before, after);
        assert!(is_echo(&bench.admit(echo).unwrap()), "{after}");
    }
}

#[test]
fn a_person_who_goes_back_to_an_older_value_is_no_echo() {
    let mut bench = Bench::new(Capability::Idempotent);
    for name in ["v1", "v2"] {
        let save = bench.save(A, name);
        bench.write(save);
    }
    let back = report(&mut bench, B, "v2", "v1");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(back) else { panic!() };
    assert_eq!(entry.crossing, None, "it knew v2");
}

#[test]
fn a_change_made_without_knowing_ours_is_written_to_both_apps() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    let crossing = report(&mut bench, B, "v0", "w1");
    let answer = bench.write(crossing);
    assert!(
        matches!(answer, Answer::Written { crossing: Some(c), write_back_pending: true, .. } if c.winner == Winner::ThisWrite)
    );
    assert!(!bench.head.as_ref().unwrap().idle(), "it is still to be written back");
    bench.drain();
    assert!(bench.head.as_ref().unwrap().idle());
}

#[test]
fn with_a_primary_side_the_other_sides_crossing_change_gets_what_the_primary_has() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.config.conflict = ConflictPolicy::Primary("finance".parse().unwrap());
    let save = bench.save(A, "v1");
    bench.write(save);
    let crossing = report(&mut bench, B, "v0", "w1");
    let Ok(Admission::Append { entry, .. }) = bench.admit(crossing) else {
        panic!("its own app is not called in the call")
    };
    assert_eq!(entry.crossing.unwrap().winner, Winner::TheOther);
    let Claim::Taken { entry, .. } = bench.claim() else { panic!() };
    assert_eq!(bench.done(&entry, false).done, [(B, None, None)], "copied, to its own app only");
}

#[test]
fn a_crossing_write_that_is_refused_restores_the_caller_who_rolls_back_to_an_old_image() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "v1");
    bench.write(save);
    let crossing = report(&mut bench, B, "v0", "w1");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(crossing) else { panic!() };
    let attempt = bench.failed(&entry, A, ErrorClass::Application, CallEffect::Refused);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Refused { .. })));
    assert_eq!(bench.entries[0].work, Work::Restore { from: A, to: B, cause: RestoreCause::CrossedWriteRefused });
}

#[test]
fn an_echo_of_a_write_that_is_then_refused_was_a_change_after_all() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "same");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let echo = report(&mut bench, B, "v0", "same");
    assert!(is_echo(&bench.admit(echo).unwrap()));
    let attempt = bench.failed(&entry, B, ErrorClass::Auth, CallEffect::Refused);
    assert!(matches!(bench.settle(&entry, &attempt), Some(Answer::Refused { .. })));
    assert_eq!(bench.entries[0].work, Work::Restore { from: B, to: A, cause: RestoreCause::EchoOfRefused });
}

#[test]
fn when_more_is_unseen_than_is_remembered_the_record_is_copied_as_it_is() {
    let mut bench = Bench::new(Capability::Idempotent);
    for n in 1..=10 {
        let save = bench.save(A, &format!("v{n}"));
        bench.write(save);
    }
    let mut unclear = report(&mut bench, B, "v0", "v1");
    unclear.mode = crate::lane::Mode::Committed;
    let Ok(Admission::Append { entry, .. }) = bench.admit(unclear) else { panic!() };
    assert!(entry.needs_resync, "the echo of a forgotten write, or a change");
    let mut next = report(&mut bench, B, "v1", "v2");
    next.mode = crate::lane::Mode::Committed;
    assert!(matches!(bench.admit(next), Ok(Admission::Echo(_, SkipReason::Covered))), "that copy carries it");
}

/// Somebody switches a value on and off while the other app is away: its first report is the echo of a forgotten write, and
/// not of the later one with the same value. Were it taken for that one, all that follow would be news.
#[test]
fn a_value_that_comes_back_is_not_the_echo_of_a_later_write() {
    let mut bench = Bench::new(Capability::Idempotent);
    let value = |n: usize| if n.is_multiple_of(2) { "off" } else { "on" };
    for n in 1..=10 {
        let save = bench.save(A, value(n));
        bench.write(save);
    }
    let untold = bench.save(B, "on");
    let (echoes, untold) = (bench.echoes.clone(), bench.admit(untold).unwrap());
    assert!(is_echo(&untold), "from an app that tells nothing of what was before");
    bench.echoes = echoes;
    for n in 1..=10 {
        let mut late = report(&mut bench, B, if n == 1 { "v0" } else { value(n - 1) }, value(n));
        late.mode = crate::lane::Mode::Committed;
        let told = bench.admit(late).unwrap();
        let copied = matches!(&told, Admission::Append { entry, .. } if entry.needs_resync);
        let covered = matches!(told, Admission::Echo(_, SkipReason::Covered));
        assert!(copied && n == 1 || covered && n > 1, "report {n}: {told:?}");
    }
    bench.drain();
    // A value that no forgotten write had tells where the app stands.
    let save = bench.save(A, "new");
    bench.write(save);
    let echo = report(&mut bench, B, value(10), "new");
    assert!(is_echo(&bench.admit(echo).unwrap()));
    let change = report(&mut bench, B, "new", "on");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(change) else { panic!("it is a change, and clear") };
    assert_eq!(entry.crossing, None, "it knew all there was");
}

/// Finance writes red to crm. Crm reports blue, and then red, and does not say what the record was before.
#[test]
fn a_report_that_another_has_overtaken_is_no_certain_echo() {
    let report = |bench: &mut Bench, name: &str| {
        let mut report = bench.save(B, name);
        report.mode = crate::lane::Mode::Committed;
        bench.admit(report).unwrap()
    };
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "red");
    bench.write(save);
    assert!(matches!(report(&mut bench, "red"), Admission::Echo(..)), "nothing came in between");
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "red");
    bench.write(save);
    report(&mut bench, "blue");
    bench.drain();
    let Admission::Append { entry, .. } = report(&mut bench, "red") else { panic!() };
    assert!(entry.needs_resync, "a user may have made it blue and then red again");
    assert_eq!((entry.copied_to(), entry.idempotency_key()), (Some(A), entry.id));
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "red");
    bench.write(save);
    report(&mut bench, "blue");
    bench.drain();
    let mut says_what_it_was = bench.save(B, "red");
    (says_what_it_was.mode, says_what_it_was.before) = (crate::lane::Mode::Committed, Some(image(B, "blue")));
    assert!(matches!(bench.admit(says_what_it_was).unwrap(), Admission::Echo(..)));
}

/// Finance writes red to crm, which reports blue and had not seen red: blue is written back to crm.
#[test]
fn the_report_of_a_change_that_was_written_back_is_its_echo() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "red");
    bench.write(save);
    let mut crosses = bench.save(B, "blue");
    (crosses.mode, crosses.before) = (crate::lane::Mode::Committed, Some(image(B, "before")));
    let Ok(Admission::Execute { entry, .. }) = bench.admit(crosses) else { panic!() };
    assert!(entry.crossing.is_some());
    let attempt = bench.done(&entry, false);
    bench.settle(&entry, &attempt).unwrap();
    let mut again = bench.save(B, "blue");
    again.mode = crate::lane::Mode::Committed;
    assert!(matches!(bench.admit(again).unwrap(), Admission::Echo(..)));
}

#[test]
fn only_a_copy_with_an_unknown_outcome_is_another_request_each_time() {
    let mut bench = Bench::new(Capability::Idempotent);
    let save = bench.save(A, "red");
    let Ok(Admission::Execute { entry, .. }) = bench.admit(save) else { panic!() };
    let failed = |at, effect| {
        let failure = Failure::new(ErrorClass::Timeout, effect, None, "no answer");
        Some(StepFailure { to: B, at: bench.now.plus_ms(at), failure })
    };
    let image_of_its_own =
        Entry { outcome_unknown: true, last_failure: failed(1, CallEffect::Unknown), ..*entry.clone() };
    assert_eq!(image_of_its_own.idempotency_key(), entry.id);
    let copy = Entry { needs_resync: true, last_failure: failed(1, CallEffect::NotApplied), ..*entry };
    assert_eq!(copy.idempotency_key(), copy.id, "no call of it can have had an effect");
    let keys: Vec<_> = [(1, CallEffect::Unknown), (2, CallEffect::NotApplied), (3, CallEffect::Unknown)]
        .map(|(at, effect)| Entry { outcome_unknown: true, last_failure: failed(at, effect), ..copy.clone() })
        .map(|copy| copy.idempotency_key())
        .into();
    assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2] && !keys.contains(&copy.id), "{keys:?}");
    assert!(keys.iter().all(|key| key.0 >> 64 == copy.id.0 >> 64), "it can still be told whose it is");
    let other = Entry {
        id: EntryId(copy.id.0 ^ 1),
        outcome_unknown: true,
        last_failure: failed(1, CallEffect::Unknown),
        ..copy
    };
    assert_ne!(other.idempotency_key(), keys[0], "another entry that failed at the same time");
}

/// Finance deletes the record while crm changes it, and neither has been carried out.
#[test]
fn a_deletion_yields_to_a_later_change_of_the_other_app_that_wins() {
    let mut bench = Bench::new(Capability::Idempotent);
    bench.map.state = crate::map::MapState::Paused;
    let committed = |bench: &mut Bench, side, before: &str, new: Option<&str>| {
        let mut save = bench.save(side, new.unwrap_or("red"));
        (save.mode, save.before) = (crate::lane::Mode::Committed, Some(image(side, before)));
        save.image = new.map_or(crate::record::Image::Absent, |name| image(side, name));
        let Ok(Admission::Append { entry, .. }) = bench.admit(save) else { panic!() };
        *entry
    };
    let deletion = committed(&mut bench, A, "red", None);
    let own = committed(&mut bench, A, "red", Some("again"));
    let change = committed(&mut bench, B, "red", Some("blue"));
    let wins = crate::lane::Crossing { winner: crate::lane::Winner::ThisWrite };
    assert_eq!((change.crossing, own.crossing), (Some(wins), None));
    let yields = |entry: &Entry, behind: &[Entry]| entry.clone().yield_to_winner(behind) != *entry;
    let yielded = deletion.clone().yield_to_winner(&[own.clone(), change.clone()]);
    assert_eq!(yielded.crossing.unwrap().winner, crate::lane::Winner::TheOther);
    assert_eq!(yielded.copied_to(), Some(A), "finance gets what crm has");
    let loses = Entry { crossing: yielded.crossing, ..change.clone() };
    let same_side = Entry { crossing: change.crossing, ..own.clone() };
    for behind in [vec![], vec![own.clone()], vec![loses], vec![same_side]] {
        assert!(!yields(&deletion, &behind), "{behind:?}");
    }
    let may_have_been_sent = Entry { outcome_unknown: true, ..deletion.clone() };
    let half_done = Entry { done: crate::map::PerSide([false, true]), ..deletion };
    for entry in [may_have_been_sent, half_done, own] {
        assert!(!yields(&entry, std::slice::from_ref(&change)), "{entry:?}");
    }
}
