//! One run through a map's backlog: first the lanes that the queue points to, then those that only the index of open lanes
//! has. While the oldest fail, it goes on with the newest (see `ends.rs`). Lanes that are soon due again are waited for.

use std::{collections::BTreeMap, sync::Arc};

use domain::{Map, MapState, RecordKey, Timestamp};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::{
    drained::Drained,
    ends::{End, Ends, LaneTask},
    lane::{LaneEnd, LaneRun, RunProgress, go_on},
    lease::DrainLease,
    pace::{MAX_AT_ONCE, Pace},
};
use crate::ports::{CatchUp, Gauges, LaneKey, Lanes, OpenLane, OpenRange, PortError, Ports, Queues, SyncMap};

/// Lanes begun at a time for each call that may be made: most of them wait for their turn, and cannot be called off.
const BEGUN_PER_CALL: usize = 2;
/// Lanes begun at a time, at least: many have nothing to do, and make no call.
const MIN_BEGUN: usize = 16;
/// A run waits for lanes that failed in it and are due again within this time: the first four backoffs.
const WAIT_FOR_DUE_MS: u64 = 16_000;

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
    ends: Ends,
    /// Another run has the lease, or the map does not write any more: no further lane is begun.
    must_stop: bool,
}

enum Event {
    Received(Result<Vec<LaneTask>, PortError>),
    ReadNewest(OpenRange, Result<Vec<OpenLane>, PortError>),
    Ran(End, LaneRun),
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
            // Only lanes that wait since before the resume stand in the order of their arrival: those that have failed since
            // are at the newest end of the index.
            ends: Ends::new((map.state == MapState::CatchingUp).then_some(map.since)),
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
        self.run_lanes(QueueState::Unread).await;
        let mut failing = 0;
        loop {
            self.drain_due().await?;
            let fails_here = std::mem::replace(&mut failing, self.all.failing) < self.all.failing;
            if self.is_over() || !fails_here || !self.wait_for_due().await? {
                return Ok(());
            }
        }
    }

    /// Goes on with every lane that the index has as due.
    async fn drain_due(&mut self) -> Result<(), PortError> {
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
            self.ends.put_oldest(lanes.into_iter().map(LaneTask::of_index));
            self.run_lanes(QueueState::Empty).await;
            if !full {
                return Ok(());
            }
        }
    }

    /// Waits until the next lane is due; returns `false` when none is so soon, or the time does not suffice.
    async fn wait_for_due(&mut self) -> Result<bool, PortError> {
        let now = self.ports.now();
        let soon = OpenRange { from: now.plus_ms(1), ..OpenRange::due(now.plus_ms(WAIT_FOR_DUE_MS)) };
        let next = self.ports.lanes().open(&self.map.map, soon, 1).await?;
        let Some(due) = next.first().map(|open| open.at).filter(|due| *due < self.until) else { return Ok(false) };
        while self.ports.now() < due {
            if !self.may_begin_lane().await {
                return Ok(false);
            }
            self.ports.sleep(due.ms_since(self.ports.now()).min(NOTE_EVERY_MS)).await;
            self.note_progress().await;
        }
        Ok(true)
    }

    /// Lanes that may be begun at the same time.
    fn max_begun(&self) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and MAX_AT_ONCE")]
        let calls = self.pace.limit() as usize;
        (calls * BEGUN_PER_CALL).clamp(MIN_BEGUN, MAX_AT_ONCE)
    }

    /// Goes on with the lanes that are ready and with those that the queue points to, many at a time. It receives no more
    /// pointers than it works on soon.
    async fn run_lanes(&mut self, mut queue: QueueState) {
        let (ports, map, until) = (self.ports, self.map, self.until);
        let (pace, tally) = (Arc::clone(&self.pace), Arc::clone(&self.tally));
        let (pace, tally): (&Pace, &RunProgress) = (&pace, &tally);
        let mut busy: FuturesUnordered<BoxFuture<'_, Event>> = FuturesUnordered::new();
        let (mut running, mut notes_later, mut reads_newest) = (0, false, false);
        loop {
            if let Some(range) = self.ends.take_unread().filter(|_| !self.is_over()) {
                reads_newest = true;
                busy.push(Box::pin(async move {
                    let lanes = ports.lanes().open(&map.map, range.clone(), LANES_PER_LOOK).await;
                    Event::ReadNewest(range, lanes)
                }));
            }
            while running < self.max_begun() && !self.ends.is_empty() {
                if !self.may_begin_lane().await {
                    break;
                }
                let Some((end, task)) = self.ends.pop() else { break };
                running += 1;
                busy.push(Box::pin(run_task(ports, map, until, (pace, tally), end, task)));
            }
            if queue == QueueState::Unread && self.ends.wants_oldest() && !self.is_over() {
                queue = QueueState::Reading;
                busy.push(Box::pin(async move { Event::Received(receive(ports, &map.map).await) }));
            }
            if running == 0 && queue != QueueState::Reading && !reads_newest {
                self.all.cut_short |= !self.ends.is_empty();
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
                    self.ends.put_oldest(tasks);
                }
                Some(Event::Received(Err(error))) => {
                    tracing::warn!(map.id = %map.id, %error, "could not read the queue; the index has its lanes, too");
                    queue = QueueState::Empty;
                }
                Some(Event::ReadNewest(range, Ok(lanes))) => {
                    reads_newest = false;
                    self.ends.put_newest(range, lanes, LANES_PER_LOOK);
                }
                Some(Event::ReadNewest(_, Err(error))) => {
                    reads_newest = false;
                    tracing::warn!(map.id = %map.id, %error, "could not read the newest lanes; they come after the oldest");
                }
                Some(Event::Ran(end, run)) => {
                    running -= 1;
                    queue = queue.after_task();
                    self.must_stop |= run.end == LaneEnd::MapNotRunning;
                    self.ends.note(end, run);
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
    end: End,
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
    Event::Ran(end, run)
}

/// Receives pointers from the queue, and makes one task of those to the same record.
async fn receive<P: Ports>(ports: &P, map: &Map) -> Result<Vec<LaneTask>, PortError> {
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
