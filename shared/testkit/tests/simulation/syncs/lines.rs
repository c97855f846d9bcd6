//! The activity log tells each change of a run's state once, whatever crashes.

use domain::{
    log::{ActivityKind, LogEvent},
    sync::{RunState, SyncRun, SyncStep},
};
use testkit::SimWorld;

/// What is wrong with the lines of a run: they must tell what became of it, in order.
pub(crate) fn wrong_lines(world: &SimWorld, run: &SyncRun) -> Option<String> {
    let versions: Vec<SyncRun> = world.sync_runs.history().into_iter().filter(|found| found.id == run.id).collect();
    let began = versions.first().is_none_or(|first| !first.is_over());
    let mut wanted = vec![if began { SyncStep::Started } else { SyncStep::Skipped }];
    for pair in versions.windows(2).filter(|pair| pair[0].state != pair[1].state) {
        wanted.push(match pair[1].state {
            RunState::Running => SyncStep::Resumed,
            RunState::Paused => SyncStep::Paused,
            RunState::Cancelled => SyncStep::Cancelled,
            RunState::Finished => SyncStep::Finished,
        });
    }
    let told: Vec<SyncStep> = world.sync_runs.log().iter().filter_map(|event| step(event, run)).collect();
    (told != wanted).then(|| format!("run {}: {wanted:?} was told as {told:?}", run.id))
}

fn step(event: &LogEvent, run: &SyncRun) -> Option<SyncStep> {
    let LogEvent::Activity(line) = event else { return None };
    match &line.what {
        ActivityKind::SyncRun { run: id, step, .. } if *id == run.id => Some(*step),
        _ => None,
    }
}
