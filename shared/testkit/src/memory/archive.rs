//! What stands beside the journal: the archive, conflicts, and figures for people.

use app::ports::{Archive, CatchUp, Gauges, PortError, Resent, Sample};
use domain::{
    EntryId, Map, Owner, SideId, Timestamp,
    lane::{Archived, Conflict},
    side::Health,
};

use super::MemoryLanes;

impl Archive for MemoryLanes {
    async fn archived(&self, _: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Archived>, PortError> {
        let older = |id: &EntryId| before.is_none_or(|before| *id < before);
        self.call("Archive.archived", |tables| {
            tables.archive.iter().rev().filter(|(id, _)| older(id)).take(limit).map(|(_, one)| one.clone()).collect()
        })
        .await
    }

    async fn archived_first(&self, _: &Map, after: Option<EntryId>, limit: usize) -> Result<Vec<Archived>, PortError> {
        let newer = |id: &EntryId| after.is_none_or(|after| *id > after);
        self.call("Archive.archived_first", |tables| {
            tables.archive.iter().filter(|(id, _)| newer(id)).take(limit).map(|(_, one)| one.clone()).collect()
        })
        .await
    }

    async fn one_archived(&self, _: &Map, id: EntryId) -> Result<Option<Archived>, PortError> {
        self.call("Archive.one_archived", |tables| tables.archive.get(&id).cloned()).await
    }

    async fn conflicts(&self, _: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Conflict>, PortError> {
        let older = |id: &EntryId| before.is_none_or(|before| *id < before);
        self.call("Archive.conflicts", |tables| {
            tables.conflicts.iter().rev().filter(|(id, _)| older(id)).take(limit).map(|(_, one)| one.clone()).collect()
        })
        .await
    }

    async fn conflict(&self, _: &Map, entry: EntryId) -> Result<Option<Conflict>, PortError> {
        self.call("Archive.conflict", |tables| tables.conflicts.get(&entry).cloned()).await
    }
}

impl Gauges for MemoryLanes {
    async fn count_catch_up(&self, _: &Map, more: &CatchUp, now: Timestamp) -> Result<(), PortError> {
        self.call("Gauges.count_catch_up", |tables| {
            let sum = tables.catch_up.entry(more.epoch).or_insert(CatchUp { began: more.began, ..CatchUp::default() });
            (sum.epoch, sum.last) = (more.epoch, now);
            sum.done += more.done;
            sum.archived += more.archived;
            sum.parked += more.parked;
            sum.failed += more.failed;
        })
        .await
    }

    async fn catch_up(&self, _: &Map) -> Result<Option<CatchUp>, PortError> {
        self.call("Gauges.catch_up", |tables| tables.catch_up.values().next_back().cloned()).await
    }

    async fn acquire_drain(&self, map: &Map, run: Owner, now: Timestamp, until: Timestamp) -> Result<bool, PortError> {
        self.call("Gauges.acquire_drain", |tables| {
            let held = tables.drains.get(&map.uid);
            let free = held.is_none_or(|(by, epoch, until)| *by == run || *epoch < map.epoch || *until <= now);
            if free {
                tables.drains.insert(map.uid, (run, map.epoch, until));
            }
            free
        })
        .await
    }

    async fn drain_holder(&self, map: &Map, now: Timestamp) -> Result<Option<Owner>, PortError> {
        let alive = |(_, epoch, until): &&(Owner, u64, Timestamp)| *epoch >= map.epoch && *until > now;
        self.call("Gauges.drain_holder", |tables| tables.drains.get(&map.uid).filter(alive).map(|(by, ..)| *by)).await
    }

    async fn release_drain(&self, map: &Map, run: Owner) -> Result<(), PortError> {
        self.call("Gauges.release_drain", |tables| {
            if tables.drains.get(&map.uid).is_some_and(|(by, ..)| *by == run) {
                tables.drains.remove(&map.uid);
            }
        })
        .await
    }

    async fn note_depth(&self, _: &Map, sample: Sample) -> Result<(), PortError> {
        self.call("Gauges.note_depth", |tables| {
            tables.depths.insert(0, sample);
            tables.depths.truncate(2);
        })
        .await
    }

    async fn note_health(&self, side: &SideId, health: &Health) -> Result<(), PortError> {
        self.call("Gauges.note_health", |tables| tables.health.entry(side.clone()).or_default().merge(health)).await
    }

    async fn noted_health(&self, side: &SideId) -> Result<Health, PortError> {
        self.call("Gauges.noted_health", |tables| tables.health.get(side).cloned().unwrap_or_default()).await
    }

    async fn depths(&self, _: &Map) -> Result<Vec<Sample>, PortError> {
        self.call("Gauges.depths", |tables| tables.depths.clone()).await
    }

    async fn resent(&self, _: &Map) -> Result<Resent, PortError> {
        self.call("Gauges.resent", |tables| tables.resent.clone()).await
    }

    async fn note_resent(&self, _: &Map, resent: &Resent) -> Result<(), PortError> {
        self.call("Gauges.note_resent", |tables| tables.resent = resent.clone()).await
    }
}
