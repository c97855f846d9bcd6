//! Replaying a map's backlog: first what the queue points to, then what the index of open lanes has besides.

use std::collections::{BTreeMap, VecDeque};

use domain::{
    Map, MapId, MapState, RecordKey, Timestamp,
    log::Activity,
    map::{Intake, MapAnswer, MapCommand},
};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::{
    lane::{LaneEnd, LaneRun, go_on},
    pace::{MAX_AT_ONCE, Pace},
};
use crate::ports::{
    CatchUp, CommitError, Config, Gauges, LaneKey, Lanes, MapWithSides, OpenLane, OpenRange, PortError, Ports, Queues,
    Wakes,
};

/// Lanes taken from the index at a time.
const LANES_PER_LOOK: usize = 200;
/// After so many lanes the progress is noted.
const NOTE_EVERY: u64 = 50;

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
/// reached. Several may run at once. When the time is up it has another one go on.
///
/// # Errors
/// The configuration or the queue cannot be reached. What goes wrong in one lane is logged and does not stop the others.
pub async fn drain_map<P: Ports>(ports: &P, id: &MapId, until: Timestamp) -> Result<Drained, PortError> {
    let Some(map) = ports.config().fresh_map(id).await? else { return Ok(Drained::default()) };
    if map.map.state.intake() != Intake::Write {
        return Ok(Drained::default());
    }
    let pace = Pace::default();
    let mut run = Run { ports, map: &map, until, pace: &pace, all: Drained::default(), noted: Drained::default() };
    let drained = run.everything().await;
    run.note().await;
    let all = run.all;
    drained?;
    if all.cut_short && all.done + all.archived > 0 && !pace.gives_up(ports.now()) {
        if let Err(error) = ports.wakes().map_waits(id).await {
            tracing::warn!(map.id = %id, %error, "nobody was told to go on; the sweep will");
        }
    } else if !all.cut_short && map.map.state == MapState::CatchingUp && nothing_left(ports, &map, until).await? {
        caught_up(ports, &map.map).await?;
    }
    Ok(all)
}

struct Run<'a, P: Ports> {
    ports: &'a P,
    map: &'a MapWithSides,
    until: Timestamp,
    pace: &'a Pace,
    all: Drained,
    noted: Drained,
}

/// A lane to go on with, and the pointers that led to it.
struct Work {
    lane: LaneKey,
    receipts: Vec<String>,
}

impl<P: Ports> Run<'_, P> {
    fn is_over(&self) -> bool {
        let now = self.ports.now();
        now >= self.until || self.pace.gives_up(now)
    }

    async fn everything(&mut self) -> Result<(), PortError> {
        self.lanes(VecDeque::new(), true).await?;
        loop {
            if self.is_over() {
                self.all.cut_short = true;
                return Ok(());
            }
            // A cut takes parked lanes along.
            let range = if self.map.map.cut.is_some() { OpenRange::all() } else { OpenRange::due(self.ports.now()) };
            let lanes = self.ports.lanes().open(&self.map.map, range, LANES_PER_LOOK).await?;
            let full = lanes.len() == LANES_PER_LOOK;
            let before = self.all;
            let work = lanes.into_iter().map(|OpenLane { lane, .. }| Work { lane, receipts: Vec::new() });
            self.lanes(work.collect(), false).await?;
            let moved = before.done + before.archived + before.attempts;
            // The index may lag: without progress another look would find the same lanes again.
            if !full || self.all.done + self.all.archived + self.all.attempts == moved {
                return Ok(());
            }
        }
    }

    /// Goes on with lanes, many at a time: these, or those that the queue points to. No more is received than is
    /// worked on soon.
    async fn lanes(&mut self, mut ready: VecDeque<Work>, from_queue: bool) -> Result<(), PortError> {
        let (ports, map, until, pace) = (self.ports, self.map, self.until, self.pace);
        let mut busy: FuturesUnordered<BoxFuture<'_, Event>> = FuturesUnordered::new();
        let (mut running, mut receiving, mut empty, mut hidden) = (0, false, !from_queue, false);
        let mut failed = None;
        loop {
            while running < MAX_AT_ONCE
                && let Some(work) = ready.pop_front()
            {
                running += 1;
                busy.push(Box::pin(go_on_with(ports, map, until, pace, work)));
            }
            if !empty && !receiving && !hidden && ready.is_empty() && !self.is_over() {
                receiving = true;
                busy.push(Box::pin(async move { Event::Received(receive(ports, &map.map).await) }));
            }
            match busy.next().await {
                None => return failed.map_or(Ok(()), Err),
                Some(Event::Received(received)) => {
                    receiving = false;
                    match received {
                        // What is behind pointers in work is hidden: look again when one of them is done.
                        Ok(work) => {
                            (empty, hidden) = (work.is_empty() && running == 0, work.is_empty());
                            ready = work;
                        }
                        Err(error) => (empty, failed) = (true, Some(error)),
                    }
                }
                Some(Event::Ran(run)) => {
                    running -= 1;
                    hidden = false;
                    self.all.add(run);
                    if self.all.lanes - self.noted.lanes >= NOTE_EVERY {
                        self.note().await;
                    }
                }
            }
        }
    }

    /// Tells how far it is.
    async fn note(&mut self) {
        let (new, old) = (self.all, self.noted);
        self.noted = self.all;
        let map = &self.map.map;
        if map.state != MapState::CatchingUp || new == old {
            return;
        }
        let more = CatchUp {
            epoch: map.epoch,
            done: new.done - old.done,
            archived: new.archived - old.archived,
            parked: new.parked - old.parked,
            failed: new.failing - old.failing,
            ..CatchUp::default()
        };
        if let Err(error) = self.ports.lanes().count_catch_up(map, &more, self.ports.now()).await {
            tracing::warn!(map.id = %map.id, %error, "the progress of the catch-up could not be noted");
        }
    }
}

enum Event {
    Received(Result<VecDeque<Work>, PortError>),
    Ran(LaneRun),
}

async fn go_on_with<P: Ports>(ports: &P, map: &MapWithSides, until: Timestamp, pace: &Pace, work: Work) -> Event {
    let run = match go_on(ports, &work.lane, until, pace).await {
        Ok(run) => run,
        Err(error) => {
            tracing::error!(map.id = %work.lane.map, %error, "a lane could not be worked on");
            LaneRun { end: LaneEnd::NotYet, attempts: 0, done: 0, archived: 0 }
        }
    };
    let over = matches!(run.end, LaneEnd::Idle | LaneEnd::Parked);
    if over && !work.receipts.is_empty() {
        let deleted = ports.queues().delete(&map.map, &work.receipts).await;
        if let Err(error) = deleted {
            tracing::warn!(map.id = %work.lane.map, %error, "pointers stay in the queue; they will find nothing to do");
        }
    }
    Event::Ran(run)
}

/// What the queue points to, one piece of work for each record.
async fn receive<P: Ports>(ports: &P, map: &Map) -> Result<VecDeque<Work>, PortError> {
    let mut by_key: BTreeMap<RecordKey, Vec<String>> = BTreeMap::new();
    for received in ports.queues().receive(map).await? {
        by_key.entry(received.pointer.key).or_default().push(received.receipt);
    }
    let lane = |key| LaneKey { map: map.id.clone(), key };
    Ok(by_key.into_iter().map(|(key, receipts)| Work { lane: lane(key), receipts }).collect())
}

/// Whether nothing accepted before the resume waits any more. Lanes of new writes, and parked ones, do not count.
async fn nothing_left<P: Ports>(ports: &P, map: &MapWithSides, until: Timestamp) -> Result<bool, PortError> {
    let mut range = OpenRange::moving();
    while ports.now() < until {
        let lanes = ports.lanes().open(&map.map, range.clone(), LANES_PER_LOOK).await?;
        for OpenLane { lane, .. } in &lanes {
            let Some((head, _)) = ports.lanes().head(lane).await? else { continue };
            if head.map != map.map.uid || head.idle() || head.parked {
                continue;
            }
            let direct = head.inflight.as_ref().and_then(|inflight| inflight.direct.as_deref().cloned());
            let first = match direct {
                Some(entry) => Some(entry),
                None => ports.lanes().entry(lane, head.done_seq + 1).await?,
            };
            if first.is_none_or(|entry| entry.epoch < map.map.epoch) {
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

/// Tells that the map has caught up. Carries no safety, only information.
async fn caught_up<P: Ports>(ports: &P, map: &Map) -> Result<(), PortError> {
    let reason = "nothing is left of the backlog";
    let MapAnswer::Changed(next) = map.decide(MapCommand::CaughtUp, "tandem", reason, ports.now()) else {
        return Ok(());
    };
    match ports.config().save_map(&next, map.version, &Activity::of_state(map.state, &next)).await {
        Ok(()) => {
            tracing::info!(map.id = %map.id, map.epoch = next.epoch, "caught up");
            Ok(())
        }
        // Somebody changed it: whoever looks next decides anew.
        Err(CommitError::Conflict | CommitError::Duplicate) => Ok(()),
        Err(CommitError::Port(error)) => Err(error),
    }
}

impl Drained {
    fn add(&mut self, run: LaneRun) {
        let is = |wanted| u64::from(run.end == wanted);
        self.lanes += 1;
        self.attempts += run.attempts;
        self.done += run.done;
        self.archived += run.archived;
        self.idle += is(LaneEnd::Idle);
        self.failing += is(LaneEnd::Failing);
        self.parked += is(LaneEnd::Parked);
        self.cut_short |= run.end == LaneEnd::OutOfTime;
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
