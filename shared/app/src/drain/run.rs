//! One run through a map's backlog: first the lanes that the queue points to, then those that only the index of open lanes
//! has.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use domain::{Map, MapState, RecordKey, Timestamp};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::{
    drained::Drained,
    lane::{LaneEnd, LaneRun, RunProgress, go_on},
    lease::DrainLease,
    pace::{MAX_AT_ONCE, Pace},
};
use crate::ports::{CatchUp, Gauges, LaneKey, Lanes, OpenLane, OpenRange, PortError, Ports, Queues, SyncMap};

/// Lanes taken from the index at a time.
pub(super) const LANES_PER_LOOK: usize = 200;
/// How often the progress is noted.
const NOTE_EVERY_MS: u64 = 2_000;

/// One run.
pub(super) struct Run<'a, P: Ports> {
    ports: &'a P,
    map: &'a SyncMap,
    until: Timestamp,
    pace: Arc<Pace>,
    tally: Arc<RunProgress>,
    pub(super) lease: DrainLease<'a, P>,
    pub(super) all: Drained,
    noted: CatchUp,
    /// Another run has the lease, or the map does not write any more: no further lane is begun.
    must_stop: bool,
}

/// A lane to go on with, and the receipts of the pointers that led to it.
struct LaneTask {
    lane: LaneKey,
    receipts: Vec<String>,
}

enum Event {
    Received(Result<VecDeque<LaneTask>, PortError>),
    Ran(LaneRun),
    TimeToNote,
}

/// How far the map's queue was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum QueueState {
    /// It may have pointers.
    Unread,
    /// A read is under way.
    Reading,
    /// It gave nothing while tasks were running: it holds back pointers to records whose pointers are being worked on.
    HiddenBehindWork,
    /// Nothing is in it, or it cannot be read.
    Empty,
}

impl QueueState {
    /// The state after a read that gave so many tasks while so many others were running.
    fn after_read(received: usize, running: usize) -> Self {
        match (received, running) {
            (0, 0) => Self::Empty,
            (0, _) => Self::HiddenBehindWork,
            _ => Self::Unread,
        }
    }

    /// The state after a task ended: what was hidden behind it can be seen now.
    fn after_task(self) -> Self {
        if self == Self::HiddenBehindWork { Self::Unread } else { self }
    }
}

impl<'a, P: Ports> Run<'a, P> {
    pub(super) fn new(ports: &'a P, map: &'a SyncMap, until: Timestamp) -> Self {
        Self {
            ports,
            map,
            until,
            pace: Arc::default(),
            tally: Arc::default(),
            lease: DrainLease::new(ports, &map.map),
            all: Drained::default(),
            noted: CatchUp::default(),
            must_stop: false,
        }
    }

    /// Renews the lease; returns whether this run may begin another lane.
    async fn may_begin_lane(&mut self) -> bool {
        self.must_stop = self.must_stop || !self.lease.renew().await;
        !self.must_stop
    }

    /// Whether another run is to go on: the time was up, and this one got somewhere.
    pub(super) fn needs_another_run(&self) -> bool {
        let moved = self.all.done + self.all.archived > 0;
        self.all.cut_short && moved && !self.must_stop && !self.pace.gives_up(self.ports.now())
    }

    fn is_over(&self) -> bool {
        let now = self.ports.now();
        now >= self.until || self.must_stop || self.pace.gives_up(now)
    }

    /// Goes on with every lane that has something to do.
    pub(super) async fn drain_backlog(&mut self) -> Result<(), PortError> {
        self.run_lanes(VecDeque::new(), QueueState::Unread).await;
        // A cut takes parked lanes along.
        let cut = self.map.cut.is_some();
        let mut range = if cut { OpenRange::all() } else { OpenRange::due(self.ports.now()) };
        loop {
            if self.is_over() {
                self.all.cut_short = true;
                return Ok(());
            }
            let lanes = self.ports.lanes().open(&self.map.map, range.clone(), LANES_PER_LOOK).await?;
            let full = lanes.len() == LANES_PER_LOOK;
            // The next page begins behind these lanes, whether or not they moved: stuck lanes must not hide the others.
            range.after = lanes.last().cloned();
            if !cut {
                range.until = self.ports.now();
            }
            let tasks = lanes.into_iter().map(|OpenLane { lane, .. }| LaneTask { lane, receipts: Vec::new() });
            self.run_lanes(tasks.collect(), QueueState::Empty).await;
            if !full {
                return Ok(());
            }
        }
    }

    /// Goes on with these lanes and with those that the queue points to, many at a time. It receives no more pointers than
    /// it works on soon.
    async fn run_lanes(&mut self, mut ready: VecDeque<LaneTask>, mut queue: QueueState) {
        let (ports, map, until) = (self.ports, self.map, self.until);
        let (pace, tally) = (Arc::clone(&self.pace), Arc::clone(&self.tally));
        let (pace, tally): (&Pace, &RunProgress) = (&pace, &tally);
        let mut busy: FuturesUnordered<BoxFuture<'_, Event>> = FuturesUnordered::new();
        let (mut running, mut notes_later) = (0, false);
        loop {
            while running < MAX_AT_ONCE && !ready.is_empty() {
                if !self.may_begin_lane().await {
                    break;
                }
                let Some(task) = ready.pop_front() else { break };
                running += 1;
                busy.push(Box::pin(run_task(ports, map, until, (pace, tally), task)));
            }
            if queue == QueueState::Unread && ready.is_empty() && !self.is_over() {
                queue = QueueState::Reading;
                busy.push(Box::pin(async move { Event::Received(receive(ports, &map.map).await) }));
            }
            if running == 0 && queue != QueueState::Reading {
                self.all.cut_short |= !ready.is_empty();
                return;
            }
            if running > 0 && !notes_later {
                notes_later = true;
                busy.push(Box::pin(async move {
                    ports.sleep(NOTE_EVERY_MS).await;
                    Event::TimeToNote
                }));
            }
            match busy.next().await {
                None => return,
                Some(Event::Received(Ok(tasks))) => {
                    queue = QueueState::after_read(tasks.len(), running);
                    ready = tasks;
                }
                Some(Event::Received(Err(error))) => {
                    tracing::warn!(map.id = %map.id, %error, "could not read the queue; the index has its lanes, too");
                    queue = QueueState::Empty;
                }
                Some(Event::Ran(run)) => {
                    running -= 1;
                    queue = queue.after_task();
                    self.must_stop |= run.end == LaneEnd::MapNotRunning;
                    self.all.add(run);
                }
                Some(Event::TimeToNote) => {
                    notes_later = false;
                    self.note_progress().await;
                    self.may_begin_lane().await;
                }
            }
        }
    }

    /// Adds what was done since the last note to the figures of the catch-up.
    pub(super) async fn note_progress(&mut self) {
        let map = &self.map.map;
        let (done, archived) = self.tally.so_far();
        // The time of the resume, not of the first note: then a single note gives a rate, too.
        let (epoch, began) = (map.epoch, map.since);
        let (parked, failed) = (self.all.parked, self.all.failing);
        let now = CatchUp { epoch, began, done, archived, parked, failed, last: Timestamp(0) };
        let old = std::mem::replace(&mut self.noted, now.clone());
        let same = (done, archived, parked, failed) == (old.done, old.archived, old.parked, old.failed);
        if map.state != MapState::CatchingUp || same {
            return;
        }
        let more = CatchUp {
            done: done - old.done,
            archived: archived - old.archived,
            parked: parked - old.parked,
            failed: failed - old.failed,
            ..now
        };
        if let Err(error) = self.ports.lanes().count_catch_up(map, &more, self.ports.now()).await {
            tracing::warn!(map.id = %map.id, %error, "could not count the progress of the catch-up; the figures stay behind");
        }
    }
}

async fn run_task<P: Ports>(
    ports: &P,
    map: &SyncMap,
    until: Timestamp,
    (pace, tally): (&Pace, &RunProgress),
    task: LaneTask,
) -> Event {
    let run = match go_on(ports, &task.lane, until, pace, tally).await {
        Ok(run) => run,
        Err(error) => {
            tracing::error!(map.id = %task.lane.map, %error, "could not work on a lane; the next sweep comes back to it");
            LaneRun { end: LaneEnd::NotYet, attempts: 0, done: 0, archived: 0 }
        }
    };
    let over = matches!(run.end, LaneEnd::Idle | LaneEnd::Parked);
    if over && !task.receipts.is_empty() {
        let deleted = ports.queues().delete(&map.map, &task.receipts).await;
        if let Err(error) = deleted {
            tracing::warn!(map.id = %task.lane.map, %error, "could not delete pointers from the queue; they come again and find nothing to do");
        }
    }
    Event::Ran(run)
}

/// Receives pointers from the queue, and makes one task of those to the same record.
async fn receive<P: Ports>(ports: &P, map: &Map) -> Result<VecDeque<LaneTask>, PortError> {
    let mut by_key: BTreeMap<RecordKey, Vec<String>> = BTreeMap::new();
    for received in ports.queues().receive(map).await? {
        by_key.entry(received.pointer.key).or_default().push(received.receipt);
    }
    let lane = |key| LaneKey { map: map.id.clone(), key };
    Ok(by_key.into_iter().map(|(key, receipts)| LaneTask { lane: lane(key), receipts }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_read_says_that_the_queue_is_empty_only_when_nothing_is_being_worked_on() {
        assert_eq!(QueueState::after_read(0, 0), QueueState::Empty);
        assert_eq!(QueueState::after_read(0, 1), QueueState::HiddenBehindWork);
        assert_eq!(QueueState::after_read(3, 1), QueueState::Unread);
    }

    #[test]
    fn the_end_of_a_task_shows_what_was_hidden_and_nothing_else() {
        assert_eq!(QueueState::HiddenBehindWork.after_task(), QueueState::Unread);
        for state in [QueueState::Unread, QueueState::Reading, QueueState::Empty] {
            assert_eq!(state.after_task(), state);
        }
    }
}
