//! Draining a map: its backlog is written, and the map runs again when nothing is left of it.

use domain::{
    Map, MapId, MapState, Timestamp,
    map::{Intake, MapAnswer, MapCommand},
};

use super::{
    drained::Drained,
    run::{LANES_PER_LOOK, Run},
};
use crate::{
    map_state::{Decision, OnStale, StateChange, change_state},
    next_entry::next_entry,
    ports::{Config, Lanes, OpenLane, OpenRange, PortError, Ports, SyncMap, WakeUps},
};

/// Writes a map's backlog until nothing of it is left, the map is paused, the app stays broken, or `until` is reached; then
/// it schedules another run. Concurrent runs do no harm, but each has its own idea of what the app can take: a run that
/// finds another one at work leaves the map to it.
///
/// # Errors
/// The configuration or the journal cannot be reached. A failure in one lane is logged and does not stop the others.
pub async fn drain_map<P: Ports>(ports: &P, id: &MapId, until: Timestamp) -> Result<Drained, PortError> {
    let Some(map) = ports.config().fresh_map(id).await? else { return Ok(Drained::default()) };
    if map.state.intake() != Intake::Write {
        return Ok(Drained::default());
    }
    let mut run = Run::new(ports, &map, until);
    if run.lease.is_held_by_another().await {
        return Ok(Drained::default());
    }
    let drained = run.drain_backlog().await;
    run.note_progress().await;
    let (all, needs_another_run) = (run.all, run.needs_another_run());
    let may_be_over = drained.is_ok() && !all.cut_short && map.state == MapState::CatchingUp;
    let ended = if may_be_over { end_catch_up_if_done(ports, &map, until).await } else { Ok(()) };
    // Even after an error: this run does nothing any more.
    run.lease.release().await;
    drained?;
    ended?;
    if needs_another_run && let Err(error) = ports.wakes().wake_map(id).await {
        tracing::warn!(map.id = %id, %error, "could not schedule the next run; the next sweep drains the map");
    }
    Ok(all)
}

async fn end_catch_up_if_done<P: Ports>(ports: &P, map: &SyncMap, until: Timestamp) -> Result<(), PortError> {
    if backlog_is_empty(ports, map, until).await? { end_catch_up(ports, &map.map).await } else { Ok(()) }
}

/// Whether nothing that was accepted before the resume waits any more. Lanes of new writes do not count. Parked lanes count
/// only under a cut that takes them along: the cut is forgotten when the map runs, so it must have been carried out by
/// then. `false` as well when the time does not suffice to find out.
async fn backlog_is_empty<P: Ports>(ports: &P, map: &SyncMap, until: Timestamp) -> Result<bool, PortError> {
    let mut range = if map.cut.is_some() { OpenRange::all() } else { OpenRange::unparked() };
    while ports.now() < until {
        let lanes = ports.lanes().open(&map.map, range.clone(), LANES_PER_LOOK).await?;
        for OpenLane { lane, .. } in &lanes {
            let Some((head, _)) = ports.lanes().head(lane).await? else { continue };
            if head.map != map.uid || head.idle() || head.parked && map.cut.is_none() {
                continue;
            }
            let first = next_entry(ports, lane, &head).await?;
            let left = |entry| if head.parked { map.cuts(entry).is_some() } else { entry.epoch < map.epoch };
            if first.as_ref().is_none_or(left) {
                return Ok(false);
            }
        }
        if lanes.len() < LANES_PER_LOOK {
            return Ok(true);
        }
        range.after = lanes.into_iter().next_back();
    }
    Ok(false)
}

/// Sets the map to running: nothing of its backlog is left. This carries no safety, only information.
async fn end_catch_up<P: Ports>(ports: &P, map: &Map) -> Result<(), PortError> {
    let reason = "nothing is left of the backlog";
    let decide = || async {
        Ok::<_, PortError>(match map.decide(MapCommand::CaughtUp, "tandem", reason, ports.now()) {
            MapAnswer::Changed(next) => Decision::change(map.clone(), next),
            MapAnswer::Already | MapAnswer::Illegal => Decision::Stay(()),
        })
    };
    // If somebody changed the map, whoever looks next decides about that.
    if let StateChange::Saved(next) = change_state(ports, OnStale::GiveWay, decide).await? {
        tracing::info!(map.id = %map.id, map.epoch = next.epoch, "the map has caught up");
    }
    Ok(())
}
