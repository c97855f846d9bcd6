//! The journal in memory, as far away as DynamoDB is.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use app::ports::{
    Archive, CatchUp, Commit, CommitError, Gauges, JournalOp, LaneKey, Lanes, OpenLane, OpenRange, PortError, Resent,
    Sample,
};
use domain::{
    EntryId, Map, MapId, Owner, SideId, Timestamp, WriteId,
    lane::{Archived, Conflict, Echoes, Entry, Head, Marker},
    side::Health,
};
use testkit::MemoryLanes;

/// Takes `latency` for each request once the drain begins, and keeps no answers then: on DynamoDB they are not in this
/// process's memory.
pub struct Journal {
    lanes: MemoryLanes,
    latency: Duration,
    draining: AtomicBool,
}

impl Journal {
    pub(crate) fn new(lanes: MemoryLanes, latency: Duration) -> Self {
        Self { lanes, latency, draining: AtomicBool::new(false) }
    }

    pub(crate) fn drains(&self) {
        self.draining.store(true, Ordering::SeqCst);
    }

    async fn away(&self) {
        if self.draining.load(Ordering::SeqCst) && !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
    }
}

impl Lanes for Journal {
    async fn head(&self, lane: &LaneKey) -> Result<Option<(Head, Echoes)>, PortError> {
        self.away().await;
        self.lanes.head(lane).await
    }
    async fn entry(&self, lane: &LaneKey, seq: u64) -> Result<Option<Entry>, PortError> {
        self.away().await;
        self.lanes.entry(lane, seq).await
    }
    async fn marker(&self, map: &MapId, id: WriteId) -> Result<Option<Marker>, PortError> {
        self.away().await;
        self.lanes.marker(map, id).await
    }
    async fn commit(&self, lane: &LaneKey, mut commit: Commit) -> Result<(), CommitError> {
        self.away().await;
        if self.draining.load(Ordering::SeqCst) {
            for op in &mut commit.ops {
                if let JournalOp::Finish { marker, .. } = op {
                    *marker = None;
                }
            }
        }
        self.lanes.commit(lane, commit).await
    }
    async fn note_echo(&self, lane: &LaneKey, read: &Echoes, noted: &Echoes) -> Result<(), CommitError> {
        self.away().await;
        self.lanes.note_echo(lane, read, noted).await
    }
    async fn entries(&self, lane: &LaneKey, from: u64, limit: usize) -> Result<Vec<Entry>, PortError> {
        self.away().await;
        self.lanes.entries(lane, from, limit).await
    }
    async fn open(&self, map: &Map, range: OpenRange, limit: usize) -> Result<Vec<OpenLane>, PortError> {
        self.away().await;
        self.lanes.open(map, range, limit).await
    }
    async fn count_skipped(&self, map: &Map) -> Result<(), PortError> {
        self.lanes.count_skipped(map).await
    }
    async fn skipped(&self, map: &Map) -> Result<u64, PortError> {
        Lanes::skipped(&self.lanes, map).await
    }
}

impl Archive for Journal {
    async fn archived(&self, map: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Archived>, PortError> {
        self.lanes.archived(map, before, limit).await
    }
    async fn archived_first(
        &self,
        map: &Map,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Archived>, PortError> {
        self.lanes.archived_first(map, after, limit).await
    }
    async fn one_archived(&self, map: &Map, id: EntryId) -> Result<Option<Archived>, PortError> {
        self.lanes.one_archived(map, id).await
    }
    async fn conflicts(&self, map: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Conflict>, PortError> {
        self.lanes.conflicts(map, before, limit).await
    }
    async fn conflict(&self, map: &Map, entry: EntryId) -> Result<Option<Conflict>, PortError> {
        self.lanes.conflict(map, entry).await
    }
}

impl Gauges for Journal {
    async fn count_catch_up(&self, map: &Map, more: &CatchUp, now: Timestamp) -> Result<(), PortError> {
        self.away().await;
        self.lanes.count_catch_up(map, more, now).await
    }
    async fn catch_up(&self, map: &Map) -> Result<Option<CatchUp>, PortError> {
        self.lanes.catch_up(map).await
    }
    async fn acquire_drain(&self, map: &Map, run: Owner, now: Timestamp, until: Timestamp) -> Result<bool, PortError> {
        self.away().await;
        self.lanes.acquire_drain(map, run, now, until).await
    }
    async fn note_health(&self, side: &SideId, health: &Health) -> Result<(), PortError> {
        self.lanes.note_health(side, health).await
    }
    async fn noted_health(&self, side: &SideId) -> Result<Health, PortError> {
        self.lanes.noted_health(side).await
    }
    async fn drain_holder(&self, map: &Map, now: Timestamp) -> Result<Option<Owner>, PortError> {
        self.away().await;
        self.lanes.drain_holder(map, now).await
    }
    async fn release_drain(&self, map: &Map, run: Owner) -> Result<(), PortError> {
        self.away().await;
        self.lanes.release_drain(map, run).await
    }
    async fn note_depth(&self, map: &Map, sample: Sample) -> Result<(), PortError> {
        self.lanes.note_depth(map, sample).await
    }
    async fn resent(&self, map: &Map) -> Result<Resent, PortError> {
        self.lanes.resent(map).await
    }
    async fn note_resent(&self, map: &Map, resent: &Resent) -> Result<(), PortError> {
        self.lanes.note_resent(map, resent).await
    }
    async fn depths(&self, map: &Map) -> Result<Vec<Sample>, PortError> {
        self.lanes.depths(map).await
    }
}
