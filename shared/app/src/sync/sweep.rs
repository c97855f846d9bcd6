//! Wakes workers: what a lost message, a dead worker or a schedule leaves to do.

use domain::{Timestamp, sync::RunState};

use super::schedule;
use crate::ports::{ActiveRun, Config, PortError, SyncPorts, SyncRuns, WorkItems};

/// A run that has not moved for so long is counted as stalled, in milliseconds.
const STALLED_AFTER_MS: u64 = 60 * 60 * 1_000;

/// What a sweep has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Runs that were woken.
    pub woken: u64,
    /// Reconciles that were due by schedule and were started.
    pub scheduled: u64,
    /// Runs that have not moved for an hour, and that no operator has paused.
    pub stalled: u64,
}

/// Sends a work item for each run that goes on by itself and that nobody works on. Starts the reconciles that are due by schedule.
///
/// # Errors
/// The store does not answer.
pub async fn sweep<P: SyncPorts>(ports: &P) -> Result<Swept, PortError> {
    let now = ports.now();
    let mut swept = Swept::default();
    let all_active = ports.runs().active_runs().await?;
    for active in &all_active {
        match wake_if_idle(ports, active, now).await {
            Ok((sent, stalls)) => {
                swept.woken += u64::from(sent);
                swept.stalled += u64::from(stalls);
            }
            // One run that cannot be read must not hold up the others.
            Err(error) => {
                tracing::error!(map.id = %active.map, run.id = %active.run, %error, "could not wake a sync run")
            }
        }
    }
    swept.scheduled = schedule::start_due(ports, &all_active, now).await?;
    Ok(swept)
}

/// Sends a work item for a run, unless somebody works on it or it waits. Whether it was sent, and whether the run stalls.
async fn wake_if_idle<P: SyncPorts>(ports: &P, active: &ActiveRun, now: Timestamp) -> Result<(bool, bool), PortError> {
    let run = match ports.config().map(&active.map).await? {
        Some(map) => ports.runs().run(&map.map, active.run).await?,
        None => None,
    };
    let Some(run) = run else {
        ports.runs().forget_active(active).await?;
        return Ok((false, false));
    };
    let held = run.lease.is_some_and(|(_, ends)| ends > now);
    let waits = run.stall.as_ref().and_then(|stall| stall.until).is_some_and(|until| until > now);
    let idle = run.state == RunState::Running && !held && !waits;
    if idle {
        ports.work_items().send(active, now).await?;
    }
    Ok((idle, run.stalls_for(STALLED_AFTER_MS, now)))
}
