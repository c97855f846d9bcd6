//! One run through a map's backlog: first what the queue points to, then what the index of open lanes has besides.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use domain::{Map, MapState, Owner, RecordKey, Timestamp};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};

use super::{
    lane::{LaneEnd, LaneRun, Tally, go_on},
    map::Drained,
    pace::{MAX_AT_ONCE, Pace},
};
use crate::ports::{CatchUp, Gauges, LaneKey, Lanes, OpenLane, OpenRange, PortError, Ports, Queues, SyncMap};

/// Lanes taken from the index at a time.
pub(super) const LANES_PER_LOOK: usize = 200;
/// How often the progress is noted.
const NOTE_EVERY_MS: u64 = 2_000;
/// A run that tells nothing for so long is taken to be dead.
const HOLD_MS: u64 = 20_000;
/// How often it tells that it is at work.
const HOLD_EVERY_MS: u64 = 5_000;

/// One run.
pub(super) struct Run<'a, P: Ports> {
    ports: &'a P,
    map: &'a SyncMap,
    until: Timestamp,
    pace: Arc<Pace>,
    tally: Arc<Tally>,
    pub(super) all: Drained,
    noted: CatchUp,
    /// Its name, by which others know it to be another one.
    me: Owner,
    /// When it must tell again that it is at work; `None`: it has not begun.
    hold_again: Option<Timestamp>,
    /// Another run has the map now, or the map does not write any more: no further lane is begun.
    leaves_off: bool,
}

/// A lane to go on with, and the pointers that led to it.
struct LaneTask {
    lane: LaneKey,
    receipts: Vec<String>,
}

enum Event {
    Received(Result<VecDeque<LaneTask>, PortError>),
    Ran(LaneRun),
    TimeToNote,
}

impl<'a, P: Ports> Run<'a, P> {
    pub(super) fn new(ports: &'a P, map: &'a SyncMap, until: Timestamp) -> Self {
        Self {
            ports,
            map,
            until,
            pace: Arc::default(),
            tally: Arc::default(),
            all: Drained::default(),
            noted: CatchUp::default(),
            me: Owner(ports.fresh_id()),
            hold_again: None,
            leaves_off: false,
        }
    }

    /// Whether there is another run, alive, of this epoch. A new epoch has other things to do, and takes over.
    pub(super) async fn another_is_at_work(&self) -> bool {
        match self.ports.lanes().drained_by(&self.map.map, self.ports.now()).await {
            Ok(other) => other.is_some_and(|other| other != self.me),
            Err(error) => {
                tracing::warn!(map.id = %self.map.id, %error, "whether the map is being drained is not known");
                false
            }
        }
    }

    /// Whether this run has the map, of which it tells others. Nothing rests on it: two runs write what one would.
    async fn holds(&mut self) -> bool {
        let now = self.ports.now();
        if !self.leaves_off && self.hold_again.is_none_or(|again| again <= now) {
            self.hold_again = Some(now.plus_ms(HOLD_EVERY_MS));
            match self.ports.lanes().hold_drain(&self.map.map, self.me, now, now.plus_ms(HOLD_MS)).await {
                Ok(held) => self.leaves_off = !held,
                Err(error) => {
                    tracing::warn!(map.id = %self.map.id, %error, "others cannot see that the map is being drained");
                }
            }
        }
        !self.leaves_off
    }

    /// Tells that it is over.
    pub(super) async fn lets_go(&self) {
        if self.hold_again.is_some()
            && let Err(error) = self.ports.lanes().let_drain_go(&self.map.map, self.me).await
        {
            tracing::warn!(map.id = %self.map.id, %error, "others believe for a moment that the map is being drained");
        }
    }

    /// Whether another run is to go on: the time was up, and this one got somewhere.
    pub(super) fn goes_on(&self) -> bool {
        let moved = self.all.done + self.all.archived > 0;
        self.all.cut_short && moved && !self.leaves_off && !self.pace.gives_up(self.ports.now())
    }

    fn is_over(&self) -> bool {
        let now = self.ports.now();
        now >= self.until || self.leaves_off || self.pace.gives_up(now)
    }

    pub(super) async fn everything(&mut self) -> Result<(), PortError> {
        self.lanes(VecDeque::new(), true).await;
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
            // On behind these, whether or not they moved: those that cannot must not hide the others.
            range.after = lanes.last().cloned();
            if !cut {
                range.until = self.ports.now();
            }
            let tasks = lanes.into_iter().map(|OpenLane { lane, .. }| LaneTask { lane, receipts: Vec::new() });
            self.lanes(tasks.collect(), false).await;
            if !full {
                return Ok(());
            }
        }
    }

    /// Goes on with lanes, many at a time: these, or those that the queue points to. No more is received than is
    /// worked on soon.
    async fn lanes(&mut self, mut ready: VecDeque<LaneTask>, from_queue: bool) {
        let (ports, map, until) = (self.ports, self.map, self.until);
        let (pace, tally) = (Arc::clone(&self.pace), Arc::clone(&self.tally));
        let (pace, tally): (&Pace, &Tally) = (&pace, &tally);
        let mut busy: FuturesUnordered<BoxFuture<'_, Event>> = FuturesUnordered::new();
        let note_later = || -> BoxFuture<'_, Event> {
            Box::pin(async move {
                ports.sleep(NOTE_EVERY_MS).await;
                Event::TimeToNote
            })
        };
        let (mut running, mut receiving, mut empty, mut hidden, mut noting) = (0, false, !from_queue, false, false);
        loop {
            while running < MAX_AT_ONCE
                && !ready.is_empty()
                && self.holds().await
                && let Some(task) = ready.pop_front()
            {
                running += 1;
                busy.push(Box::pin(go_on_with(ports, map, until, (pace, tally), task)));
            }
            if !empty && !receiving && !hidden && ready.is_empty() && !self.is_over() {
                receiving = true;
                busy.push(Box::pin(async move { Event::Received(receive(ports, &map.map).await) }));
            }
            if running == 0 && !receiving {
                self.all.cut_short |= !ready.is_empty();
                return;
            }
            if running > 0 && !noting {
                noting = true;
                busy.push(note_later());
            }
            match busy.next().await {
                None => return,
                Some(Event::Received(received)) => {
                    receiving = false;
                    match received {
                        // What is behind pointers in work is hidden: look again when one of them is done.
                        Ok(tasks) => {
                            (empty, hidden) = (tasks.is_empty() && running == 0, tasks.is_empty());
                            ready = tasks;
                        }
                        Err(error) => {
                            let id = &map.id;
                            tracing::warn!(map.id = %id, %error, "the queue cannot be read; the index has its lanes, too");
                            empty = true;
                        }
                    }
                }
                Some(Event::Ran(run)) => {
                    running -= 1;
                    hidden = false;
                    self.leaves_off |= run.end == LaneEnd::MapNotRunning;
                    self.all.add(run);
                }
                Some(Event::TimeToNote) => {
                    noting = false;
                    self.note().await;
                    self.holds().await;
                }
            }
        }
    }

    /// Tells how far it is.
    pub(super) async fn note(&mut self) {
        let map = &self.map.map;
        let (done, archived) = self.tally.so_far();
        // Since when the map catches up, and not since its first note: one note tells a rate, too.
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
            tracing::warn!(map.id = %map.id, %error, "the progress of the catch-up could not be noted");
        }
    }
}

async fn go_on_with<P: Ports>(
    ports: &P,
    map: &SyncMap,
    until: Timestamp,
    (pace, tally): (&Pace, &Tally),
    task: LaneTask,
) -> Event {
    let run = match go_on(ports, &task.lane, until, pace, tally).await {
        Ok(run) => run,
        Err(error) => {
            tracing::error!(map.id = %task.lane.map, %error, "a lane could not be worked on");
            LaneRun { end: LaneEnd::NotYet, attempts: 0, done: 0, archived: 0 }
        }
    };
    let over = matches!(run.end, LaneEnd::Idle | LaneEnd::Parked);
    if over && !task.receipts.is_empty() {
        let deleted = ports.queues().delete(&map.map, &task.receipts).await;
        if let Err(error) = deleted {
            tracing::warn!(map.id = %task.lane.map, %error, "pointers stay in the queue; they will find nothing to do");
        }
    }
    Event::Ran(run)
}

/// What the queue points to, one piece of work for each record.
async fn receive<P: Ports>(ports: &P, map: &Map) -> Result<VecDeque<LaneTask>, PortError> {
    let mut by_key: BTreeMap<RecordKey, Vec<String>> = BTreeMap::new();
    for received in ports.queues().receive(map).await? {
        by_key.entry(received.pointer.key).or_default().push(received.receipt);
    }
    let lane = |key| LaneKey { map: map.id.clone(), key };
    Ok(by_key.into_iter().map(|(key, receipts)| LaneTask { lane: lane(key), receipts }).collect())
}
