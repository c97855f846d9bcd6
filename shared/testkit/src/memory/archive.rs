//! What stands beside the journal: the archive, conflicts, and figures for people.

use app::ports::{Archive, CatchUp, Gauges, PortError, Sample};
use domain::{
    EntryId, Map, Timestamp,
    lane::{Archived, Conflict},
};

use super::MemoryLanes;

impl Archive for MemoryLanes {
    async fn archived(&self, _: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Archived>, PortError> {
        let older = |id: &EntryId| before.is_none_or(|before| *id < before);
        self.call(|tables| {
            tables.archive.iter().rev().filter(|(id, _)| older(id)).take(limit).map(|(_, one)| one.clone()).collect()
        })
        .await
    }

    async fn one_archived(&self, _: &Map, id: EntryId) -> Result<Option<Archived>, PortError> {
        self.call(|tables| tables.archive.get(&id).cloned()).await
    }

    async fn conflicts(&self, _: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Conflict>, PortError> {
        let older = |id: &EntryId| before.is_none_or(|before| *id < before);
        self.call(|tables| {
            tables.conflicts.iter().rev().filter(|(id, _)| older(id)).take(limit).map(|(_, one)| one.clone()).collect()
        })
        .await
    }

    async fn conflict(&self, _: &Map, entry: EntryId) -> Result<Option<Conflict>, PortError> {
        self.call(|tables| tables.conflicts.get(&entry).cloned()).await
    }
}

impl Gauges for MemoryLanes {
    async fn count_catch_up(&self, _: &Map, more: &CatchUp, now: Timestamp) -> Result<(), PortError> {
        self.call(|tables| {
            let sum = tables.catch_up.entry(more.epoch).or_insert(CatchUp { began: now, ..CatchUp::default() });
            (sum.epoch, sum.last) = (more.epoch, now);
            sum.done += more.done;
            sum.archived += more.archived;
            sum.parked += more.parked;
            sum.failed += more.failed;
        })
        .await
    }

    async fn catch_up(&self, _: &Map) -> Result<Option<CatchUp>, PortError> {
        self.call(|tables| tables.catch_up.values().next_back().cloned()).await
    }

    async fn note_depth(&self, _: &Map, sample: Sample) -> Result<(), PortError> {
        self.call(|tables| {
            tables.depths.insert(0, sample);
            tables.depths.truncate(2);
        })
        .await
    }

    async fn depths(&self, _: &Map) -> Result<Vec<Sample>, PortError> {
        self.call(|tables| tables.depths.clone()).await
    }

    async fn resent(&self, _: &Map) -> Result<Timestamp, PortError> {
        self.call(|tables| tables.resent).await
    }

    async fn note_resent(&self, _: &Map, at: Timestamp) -> Result<(), PortError> {
        self.call(|tables| tables.resent = at).await
    }
}
