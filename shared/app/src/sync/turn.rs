//! A run that waits for runs of other maps: its records refer to theirs.

use domain::{
    map::{MapAnswer, MapCommand},
    sync::{OnFailure, Predecessor, RunState, Stall, SyncRun, Turn},
};

use super::{
    step::{Draft, StepEnd, Wait},
    work::{StateError, Worker},
};
use crate::{
    map_state::{Decision, OnStale, change_state},
    ports::{Config, PortError, SyncPorts, SyncRuns},
};

/// How often a run looks whether its turn has come, in milliseconds.
const LOOK_EVERY_MS: u64 = 15_000;

/// Begins the run if all those before it have ended. An initial sync starts its map now, and not when it was stored: changes would
/// refer to records that are not there.
pub(super) async fn wait_for_turn<P: SyncPorts>(worker: &mut Worker<'_, P>, turn: &Turn) -> Result<StepEnd, PortError> {
    for before in &turn.after {
        let found = match worker.ports.config().fresh_map(&before.map).await? {
            Some(map) => worker.ports.runs().run(&map.map, before.run).await?,
            None => None,
        };
        if found.as_ref().is_some_and(|run| !run.is_over()) {
            let why = format!("it waits for run {} of map {}", before.run, before.map);
            let until = worker.ports.now().plus_ms(LOOK_EVERY_MS);
            return Ok(StepEnd::Wait(Wait { until, why: Some(why), side: None }));
        }
        let is_well = found.as_ref().is_some_and(SyncRun::ended_well);
        if !is_well && turn.on_failure == OnFailure::Stop {
            return ask_about(worker, before, found.as_ref()).await;
        }
    }
    if worker.run.choice.kind.writes() {
        start_map(worker).await?;
    }
    let mut draft = Draft::of(&worker.run);
    draft.run.start.turn = None;
    worker.commit(draft).await
}

/// Pauses the run: an operator is asked once about a run that has not ended well. To resume is to go on all the same.
async fn ask_about<P: SyncPorts>(
    worker: &mut Worker<'_, P>,
    before: &Predecessor,
    found: Option<&SyncRun>,
) -> Result<StepEnd, PortError> {
    let how = found.map_or("is gone".to_owned(), |run| {
        let failed: u64 = run.counts.0.iter().map(|counts| counts.failed).sum();
        format!("ended as {}, with {failed} failed records", run.outcome().as_str())
    });
    let why = format!(
        "run {} of map {}, to whose records this map refers, {how}. Resume this run to go on all the same, or cancel it",
        before.run, before.map
    );
    let mut draft = Draft::of(&worker.run);
    if let Some(turn) = &mut draft.run.start.turn {
        turn.after.retain(|other| other != before);
    }
    draft.run.state = RunState::Paused;
    draft.run.stall = Some(Stall { since: worker.ports.now(), why, side: None, until: None });
    worker.commit(draft).await
}

async fn start_map<P: SyncPorts>(worker: &Worker<'_, P>) -> Result<(), PortError> {
    let (ports, run) = (worker.ports, &worker.run);
    let decide = || async move {
        let Some(found) = ports.config().fresh_map(&run.map).await?.filter(|found| found.map.uid == run.uid) else {
            return Ok(Decision::Stay(()));
        };
        let now = ports.now();
        Ok::<_, StateError>(match found.map.decide(MapCommand::Initialize, &run.started_by, &run.reason, now) {
            MapAnswer::Changed(next) => Decision::change(found.map, next),
            MapAnswer::Already | MapAnswer::Illegal => Decision::Stay(()),
        })
    };
    change_state(ports, OnStale::ReadAgain, decide).await.map(drop).map_err(|StateError(error)| error)
}
