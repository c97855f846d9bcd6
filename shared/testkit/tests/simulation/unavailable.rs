//! A map that fails when an app is away: its caller is told 503 even when the journal's answer to that is lost. Told 202, it would
//! commit what nobody keeps.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::{Arc, Mutex};

use app::{ports::Ports, request::WriteRequest, write::write};
use domain::{
    lane::{Answer, RestoreCause, Work},
    map::OnUnavailable,
    side::Capability,
};
use serde_json::json;
use testkit::{CommitMishap, JournalFaults, SimWorld, apps::CallFaults, sample};

const STEPS: u64 = 100_000;
const CALL_MS: u64 = 1_000;

/// What the journal does to the settlement.
#[derive(Clone, Copy, Debug)]
enum Journal {
    /// It stores it, and its answer is lost.
    LosesItsAnswer,
    /// It answers nothing any more until the caller comes again.
    IsAway,
}

/// What a `sync` caller is told whose call fails so.
fn told(calls: CallFaults, capability: Capability, journal: Journal) -> (Answer, Arc<SimWorld>) {
    let mut map = sample::running(capability);
    map.map.config.on_unavailable = OnUnavailable::Fail;
    let world = SimWorld::new(3, map);
    world.apps.set_faults(calls);
    world.apps.set_latency_ms(CALL_MS);
    let answers = Arc::new(Mutex::new(Vec::new()));
    let (caller, heard) = (Arc::clone(&world), Arc::clone(&answers));
    world.executor.spawn(async move {
        let id = ulid::Ulid(caller.fresh_id()).to_string();
        let record = json!({"Name": "Ada", "Limit": 1, "OnHold": "No"});
        let request = json!({"id": id, "map": "customers", "key": "C-1", "origin": "finance", "record": record});
        let request = WriteRequest::from_value(request).unwrap();
        loop {
            match write(&*caller, &request).await {
                Ok(told) => return heard.lock().unwrap().push(told.what),
                Err(_) => caller.lanes.set_faults(JournalFaults::default()),
            }
        }
    });
    let during = Arc::clone(&world);
    world.executor.spawn(async move {
        during.executor.sleep(CALL_MS / 2).await;
        match journal {
            Journal::LosesItsAnswer => during.lanes.next_commit(CommitMishap::AnswerLost),
            Journal::IsAway => {
                during.lanes.set_faults(JournalFaults { lost_answer: 1_000, ..JournalFaults::default() });
            }
        }
    });
    assert!(world.executor.run(STEPS), "the caller has no answer");
    let told = answers.lock().unwrap().remove(0);
    (told, world)
}

fn unknown() -> CallFaults {
    CallFaults { unknown_with_effect: 1_000, ..CallFaults::default() }
}

fn not_applied() -> CallFaults {
    CallFaults { not_applied: 1_000, ..CallFaults::default() }
}

#[test]
fn a_503_whose_settlement_was_stored_is_told_though_the_journals_answer_was_lost() {
    for journal in [Journal::LosesItsAnswer, Journal::IsAway] {
        for capability in [Capability::Idempotent, Capability::Plain] {
            let (answer, world) = told(not_applied(), capability, journal);
            assert!(matches!(answer, Answer::Unavailable { outcome_unknown: false, .. }), "{journal:?}: {answer:?}");
            assert_eq!(world.lanes.open_entries(), 0);
        }
    }
}

#[test]
fn a_503_after_an_unknown_outcome_is_told_and_undone() {
    for capability in [Capability::Idempotent, Capability::Plain] {
        let (answer, world) = told(unknown(), capability, Journal::LosesItsAnswer);
        assert!(matches!(answer, Answer::Unavailable { outcome_unknown: true, .. }), "{answer:?}");
        let [(_, entry)] = &world.lanes.journal()[..] else { panic!("one entry") };
        assert!(matches!(entry.work, Work::Restore { cause: RestoreCause::CallerRollsBack, .. }), "{entry:?}");
    }
}
