//! The journal in memory, with the faults of the real one: answers that are lost, indexes that lag, throttling.

mod archive;
mod commit;
mod damage;
mod fits;
mod history;
mod lies;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use app::ports::{
    CatchUp, Commit, CommitError, JournalOp, LaneKey, Lanes, OpenLane, OpenRange, PortError, Resent, Sample,
};
use domain::{
    EntryId, Map, MapId, Owner, SideId, Timestamp, WriteId,
    id::MapUid,
    lane::{Archived, Conflict, Echoes, Entry, Head, Marker},
    log::LogEvent,
    side::Health,
};

pub use self::{
    damage::StoredItem,
    history::{Begun, Ended, History, Kept},
};
use crate::{
    bug::Bug,
    executor::{Executor, lock},
};

/// Chances in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub struct JournalFaults {
    /// The call fails without effect.
    pub transient: u64,
    /// The call has its effect, and its answer is lost.
    pub lost_answer: u64,
    /// A lane that is due is not in the index yet.
    pub index_lag: u64,
    /// The caller is frozen for longer than any lease, before or after the call.
    pub freeze: u64,
}

#[derive(Default)]
struct Tables {
    heads: BTreeMap<LaneKey, (Head, Echoes)>,
    entries: BTreeMap<(LaneKey, u64), Entry>,
    markers: BTreeMap<(MapId, u128), Marker>,
    skipped: u64,
    copies: BTreeSet<(LaneKey, u64)>,
    archive: BTreeMap<EntryId, Archived>,
    conflicts: BTreeMap<EntryId, Conflict>,
    catch_up: BTreeMap<u64, CatchUp>,
    /// The run that drains a map, in which epoch, and until when.
    drains: BTreeMap<MapUid, (Owner, u64, Timestamp)>,
    depths: Vec<Sample>,
    health: BTreeMap<SideId, Health>,
    resent: Resent,
    history: History,
    logged: Vec<LogEvent>,
}

/// What happens to the next commit.
#[derive(Debug)]
pub enum CommitMishap {
    /// It is stored, its answer is lost, and its repeat meets its own effect.
    AnswerLost,
    /// Somebody else changes the lane before it.
    Overtaken(LaneKey, Box<Commit>),
    /// Its answer is lost, and then somebody else changes the lane.
    AnswerLostAndFollowed(LaneKey, Box<Commit>),
}

/// The journal in memory.
pub struct MemoryLanes {
    mishap: Mutex<Option<CommitMishap>>,
    world: Arc<Executor>,
    tables: Mutex<Tables>,
    faults: Mutex<JournalFaults>,
}

impl MemoryLanes {
    /// An empty journal.
    #[must_use]
    pub fn new(world: Arc<Executor>) -> Self {
        Self { mishap: Mutex::default(), world, tables: Mutex::default(), faults: Mutex::default() }
    }

    /// From now on these faults.
    pub fn set_faults(&self, faults: JournalFaults) {
        *lock(&self.faults) = faults;
    }

    /// Lets something happen to the next commit. It happens once.
    pub fn next_commit(&self, mishap: CommitMishap) {
        *lock(&self.mishap) = Some(mishap);
    }

    /// Every lane with its head.
    #[must_use]
    pub fn heads(&self) -> Vec<(LaneKey, Head)> {
        lock(&self.tables).heads.iter().map(|(lane, (head, _))| (lane.clone(), head.clone())).collect()
    }

    /// Whether this entry was to copy a side as it is: it writes nothing when both are equal by then.
    #[must_use]
    pub fn is_copy(&self, lane: &LaneKey, seq: u64) -> bool {
        lock(&self.tables).copies.contains(&(lane.clone(), seq))
    }

    /// What commits did.
    #[must_use]
    pub fn history(&self) -> History {
        lock(&self.tables).history.clone()
    }

    /// Lanes of a map that are not idle, each with the entry it stands at, if that is in the journal.
    pub(crate) fn standing(&self, map: &MapId) -> Vec<(LaneKey, Head, Option<Entry>)> {
        let tables = lock(&self.tables);
        let open = tables.heads.iter().filter(|(lane, (head, _))| lane.map == *map && !head.idle());
        open.map(|(lane, (head, _))| {
            let entry = tables.entries.get(&(lane.clone(), head.done_seq + 1)).cloned();
            (lane.clone(), head.clone(), entry)
        })
        .collect()
    }

    /// Entries of the journal, each with its lane.
    #[must_use]
    pub fn journal(&self) -> Vec<(LaneKey, Entry)> {
        lock(&self.tables).entries.iter().map(|((lane, _), entry)| (lane.clone(), entry.clone())).collect()
    }

    /// Writes that were skipped because the map did not run.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        lock(&self.tables).skipped
    }

    /// Everything in the archive.
    #[must_use]
    pub fn archive(&self) -> Vec<Archived> {
        lock(&self.tables).archive.values().cloned().collect()
    }

    /// Every conflict that was noted.
    #[must_use]
    pub fn all_conflicts(&self) -> Vec<Conflict> {
        lock(&self.tables).conflicts.values().cloned().collect()
    }

    /// What a commit logged, as the table's stream tells it.
    pub fn take_log(&self) -> Vec<LogEvent> {
        std::mem::take(&mut lock(&self.tables).logged)
    }

    /// The stream tells this, too.
    pub fn note_log(&self, event: LogEvent) {
        lock(&self.tables).logged.push(event);
    }

    /// How many entries are in the journal.
    #[must_use]
    pub fn open_entries(&self) -> usize {
        lock(&self.tables).entries.len()
    }

    fn happens(&self, which: impl Fn(&JournalFaults) -> u64) -> bool {
        let per_mille = which(&lock(&self.faults));
        per_mille > 0 && self.world.chance(|rng| rng.happens(per_mille))
    }

    /// Before and after every call others go first, and the caller may be frozen.
    async fn turn(&self, method: &'static str) {
        self.world.turn_at(method).await;
        if self.happens(|faults| faults.freeze) {
            let ms = 100_000 + self.world.chance(|rng| rng.below(100_000));
            self.world.sleep(ms).await;
        }
    }

    async fn call<T>(&self, method: &'static str, effect: impl FnOnce(&mut Tables) -> T) -> Result<T, PortError> {
        self.turn(method).await;
        if self.happens(|faults| faults.transient) {
            return Err(PortError::Transient("simulated: throttled".to_owned()));
        }
        let done = effect(&mut lock(&self.tables));
        self.turn(method).await;
        if self.happens(|faults| faults.lost_answer) {
            return Err(PortError::Transient("simulated: the answer was lost".to_owned()));
        }
        Ok(done)
    }

    /// A conditional write whose answer was lost is sent again by the SDK, and fails on its own success.
    async fn conditional(
        &self,
        method: &'static str,
        effect: impl FnOnce(&mut Tables) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        match self.call(method, effect).await {
            Ok(Ok(())) if self.happens(|faults| faults.lost_answer) => Err(CommitError::Stale),
            Ok(done) => done,
            Err(error) => Err(error.into()),
        }
    }
}

impl Lanes for MemoryLanes {
    async fn head(&self, lane: &LaneKey) -> Result<Option<(Head, Echoes)>, PortError> {
        let read = self.call("Lanes.head", |tables| tables.heads.get(lane).cloned()).await?;
        Ok(read.map(|(head, echoes)| (lies::about_head(head, self.world.bug()), echoes)))
    }

    async fn entry(&self, lane: &LaneKey, seq: u64) -> Result<Option<Entry>, PortError> {
        self.call("Lanes.entry", |tables| tables.entries.get(&(lane.clone(), seq)).cloned()).await
    }

    async fn marker(&self, map: &MapId, id: WriteId) -> Result<Option<Marker>, PortError> {
        self.call("Lanes.marker", |tables| tables.markers.get(&(map.clone(), id.value())).cloned()).await
    }

    async fn commit(&self, lane: &LaneKey, commit: Commit) -> Result<(), CommitError> {
        let (now, bug) = (self.world.now(), self.world.bug());
        let mishap = lock(&self.mishap).take();
        let appends = commit.ops.iter().any(|op| matches!(op, JournalOp::Append(..)));
        let commit = lies::about_commit(commit, bug);
        let stored = self.conditional("Lanes.commit", |tables| match mishap {
            None => tables.commit(lane, commit, now, bug),
            Some(CommitMishap::AnswerLost) => {
                tables.commit(lane, commit, now, bug)?;
                Err(CommitError::Stale)
            }
            Some(CommitMishap::Overtaken(other, first)) => {
                tables.commit(&other, *first, now, bug)?;
                tables.commit(lane, commit, now, bug)
            }
            Some(CommitMishap::AnswerLostAndFollowed(other, then)) => {
                tables.commit(lane, commit, now, bug)?;
                tables.commit(&other, *then, now, bug)?;
                Err(CommitError::Stale)
            }
        });
        match stored.await {
            Err(CommitError::Stale) if appends && bug == Some(Bug::ConflictIsAcknowledged) => Ok(()),
            stored => stored,
        }
    }

    async fn note_echo(&self, lane: &LaneKey, read: &Echoes, noted: &Echoes) -> Result<(), CommitError> {
        self.conditional("Lanes.note_echo", |tables| match tables.heads.get_mut(lane) {
            Some((_, echoes)) if echoes == read => {
                echoes.clone_from(noted);
                Ok(())
            }
            _ => Err(CommitError::Stale),
        })
        .await
    }

    async fn entries(&self, lane: &LaneKey, from: u64, limit: usize) -> Result<Vec<Entry>, PortError> {
        let all = (lane.clone(), from)..=(lane.clone(), u64::MAX);
        self.call("Lanes.entries", |tables| {
            tables.entries.range(all).take(limit).map(|(_, entry)| entry.clone()).collect()
        })
        .await
    }

    async fn open(&self, map: &Map, range: OpenRange, limit: usize) -> Result<Vec<OpenLane>, PortError> {
        let lag = || self.happens(|faults| faults.index_lag);
        let found = self
            .call("Lanes.open", |tables| {
                let of_map = tables.heads.iter().filter(|(lane, _)| lane.map == map.id);
                let open =
                    of_map.filter_map(|(lane, (head, _))| Some(OpenLane { at: head.due()?, lane: lane.clone() }));
                let mut found: Vec<_> = open.filter(|open| range.contains(open)).collect();
                range.sort(&mut found);
                found
            })
            .await?;
        let blind = self.world.has(Bug::NothingIsFound) || self.world.has(Bug::IndexIsNotAsked);
        Ok(found.into_iter().filter(|_| !lag() && !blind).take(limit).collect())
    }

    async fn count_skipped(&self, _map: &Map) -> Result<(), PortError> {
        let counts = u64::from(!self.world.has(Bug::SkippedIsNotCounted));
        self.call("Lanes.count_skipped", |tables| tables.skipped += counts).await
    }

    async fn skipped(&self, _map: &Map) -> Result<u64, PortError> {
        self.call("Lanes.skipped", |tables| tables.skipped).await
    }
}
