//! Starts the reconciles that the schedules of maps want.

use domain::{
    Map, Timestamp,
    map::{MapState, ReconcileSchedule},
    sync::{RunState, SyncRun, rows_read},
};

use crate::ports::{ActiveRun, CommitError, Config, PortError, SyncPorts, SyncRuns, WorkItems};

/// Earlier runs that are looked at for the number of records to expect.
const RUNS_LOOKED_AT: usize = 20;

/// Says how many records of each side a run will read: so many as the last one that has read all of them.
pub(crate) async fn expect_rows<R: SyncRuns>(runs: &R, map: &Map, run: &mut SyncRun) -> Result<(), PortError> {
    if run.choice.selection.lists_sides() {
        let earlier = runs.runs(map, None, RUNS_LOOKED_AT).await?;
        let last = earlier.iter().find(|run| run.state == RunState::Finished && run.choice.selection.lists_sides());
        run.expected_rows = last.map(rows_read).unwrap_or_default();
    }
    Ok(())
}

/// Starts each reconcile that is due, or stores that it was skipped: at most one for each due time, however many sweeps come.
/// Returns how many it started.
pub(super) async fn start_due<P: SyncPorts>(ports: &P, active: &[ActiveRun], now: Timestamp) -> Result<u64, PortError> {
    let mut started = 0;
    for map in ports.config().maps().await? {
        let Some((schedule, due)) = map.config.reconcile.as_ref().zip(map.map.reconcile_due(now)) else { continue };
        match start(ports, &map.map, (schedule, due), active, now).await {
            Ok(is_started) => started += u64::from(is_started),
            // One map must not hold up the others.
            Err(error) => {
                tracing::error!(map.id = %map.map.id, %error, "could not start a reconcile by schedule; the next sweep does");
            }
        }
    }
    Ok(started)
}

async fn start<P: SyncPorts>(
    ports: &P,
    map: &Map,
    (schedule, due): (&ReconcileSchedule, Timestamp),
    active: &[ActiveRun],
    now: Timestamp,
) -> Result<bool, PortError> {
    let reason = format!("the schedule of the map: {}", schedule.describe());
    let mut run = SyncRun::scheduled(map, due, &reason, now);
    if ports.runs().run(map, run.id).await?.is_some() {
        return Ok(false);
    }
    let other = active.iter().find(|active| active.map == map.id && active.run != run.id);
    match (other, map.state) {
        (Some(other), _) => run = run.skipped(format!("{reason}; skipped, because run {} goes on", other.run), now),
        (None, MapState::Running) => expect_rows(ports.runs(), map, &mut run).await?,
        (None, state) => run = run.skipped(format!("{reason}; skipped, because the map is {state}"), now),
    }
    match ports.runs().save_run(map, &run, None, &[]).await {
        Ok(()) => {}
        Err(CommitError::Port(error)) => return Err(error),
        // Another sweep was here first.
        Err(CommitError::Stale | CommitError::Duplicate) => return Ok(false),
    }
    if run.is_over() {
        return Ok(false);
    }
    // A message that is lost costs a minute: the next sweep finds the run.
    let woken = ports.work_items().send(&ActiveRun { map: run.map.clone(), run: run.id }, now).await;
    if let Err(error) = woken {
        tracing::warn!(map.id = %run.map, run.id = %run.id, %error, "could not wake the run; the schedule does within a minute");
    }
    Ok(true)
}
