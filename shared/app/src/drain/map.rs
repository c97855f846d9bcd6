//! Replaying a map's backlog, and telling when nothing is left of it.

use domain::{
    Map, MapId, MapState, Timestamp,
    map::{Intake, MapAnswer, MapCommand},
};

use super::{
    lane::{LaneEnd, LaneRun},
    run::{LANES_PER_LOOK, Run},
};
use crate::{
    map_state::{Decision, OnStale, StateChange, change_state},
    next_entry::next_entry,
    ports::{Config, Lanes, OpenLane, OpenRange, PortError, Ports, SyncMap, WakeUps},
};

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Lanes looked at.
    pub lanes: u64,
    /// Entries that were attempted.
    pub attempts: u64,
    /// Entries that came to their end.
    pub done: u64,
    /// Entries that were archived.
    pub archived: u64,
    /// Lanes that have nothing waiting any more.
    pub idle: u64,
    /// Lanes whose attempt failed.
    pub failing: u64,
    /// Lanes that wait for an operator.
    pub parked: u64,
    /// Something was left because the time was up or the app was given up for now.
    pub cut_short: bool,
}

/// Writes a map's backlog until nothing of it is left, the map is paused, the app does not get better, or `until` is
/// reached; then it has another run go on. Several do no harm, but each has its own idea of what the app can take: a
/// run that finds another one at work leaves the map to it.
///
/// # Errors
/// The configuration or the journal cannot be reached. What goes wrong in one lane is logged and does not stop the
/// others.
pub async fn drain_map<P: Ports>(ports: &P, id: &MapId, until: Timestamp) -> Result<Drained, PortError> {
    let Some(map) = ports.config().fresh_map(id).await? else { return Ok(Drained::default()) };
    if map.state.intake() != Intake::Write {
        return Ok(Drained::default());
    }
    let mut run = Run::new(ports, &map, until);
    if run.another_is_at_work().await {
        return Ok(Drained::default());
    }
    let drained = run.everything().await;
    run.note().await;
    let (all, goes_on) = (run.all, run.goes_on());
    let may_be_over = drained.is_ok() && !all.cut_short && map.state == MapState::CatchingUp;
    let told = if may_be_over { ends(ports, &map, until).await } else { Ok(()) };
    // Whatever went wrong: this run does nothing any more.
    run.lets_go().await;
    drained?;
    told?;
    if goes_on && let Err(error) = ports.wakes().wake_map(id).await {
        tracing::warn!(map.id = %id, %error, "could not schedule the next run; the next sweep drains the map");
    }
    Ok(all)
}

/// Tells that the map has caught up, if it has.
async fn ends<P: Ports>(ports: &P, map: &SyncMap, until: Timestamp) -> Result<(), PortError> {
    if nothing_left(ports, map, until).await? { end_catch_up(ports, &map.map).await } else { Ok(()) }
}

/// Whether nothing accepted before the resume waits any more. Lanes of new writes do not count, nor do parked ones, but
/// for those that a cut takes along: it is forgotten when the map runs, so it must have been carried out by then.
async fn nothing_left<P: Ports>(ports: &P, map: &SyncMap, until: Timestamp) -> Result<bool, PortError> {
    let mut range = if map.cut.is_some() { OpenRange::all() } else { OpenRange::moving() };
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

impl Drained {
    pub(super) fn add(&mut self, run: LaneRun) {
        let is = |wanted| u64::from(run.end == wanted);
        self.lanes += 1;
        self.attempts += run.attempts;
        self.done += run.done;
        self.archived += run.archived;
        self.idle += is(LaneEnd::Idle);
        self.failing += is(LaneEnd::Failing);
        self.parked += is(LaneEnd::Parked);
        self.cut_short |= matches!(run.end, LaneEnd::OutOfTime | LaneEnd::MapNotRunning);
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            lanes: self.lanes + other.lanes,
            attempts: self.attempts + other.attempts,
            done: self.done + other.done,
            archived: self.archived + other.archived,
            idle: self.idle + other.idle,
            failing: self.failing + other.failing,
            parked: self.parked + other.parked,
            cut_short: self.cut_short || other.cut_short,
        }
    }
}
