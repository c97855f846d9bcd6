//! The logs in memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use app::ports::{FailedEvent, Log, LogRange, PortError};
use domain::{
    ErrorClass, LogId, MapId, Timestamp,
    log::{Activity, ActivityKind, LoggedError, Resolution, Resolved},
};

use crate::executor::{Executor, lock};

#[derive(Default)]
struct Tables {
    errors: BTreeMap<(MapId, ErrorClass, LogId), LoggedError>,
    reported: BTreeSet<(MapId, u128)>,
    lines: BTreeMap<(Option<MapId>, LogId), Activity>,
    noisy: BTreeMap<MapId, Timestamp>,
    failed: Vec<FailedEvent>,
    reads: u64,
}

/// The logs in memory. Every call lets others go first, and may fail.
pub struct MemoryLog {
    world: Arc<Executor>,
    tables: Mutex<Tables>,
    failing_per_mille: Mutex<u64>,
    index_lags: Mutex<bool>,
    /// Reported errors that are being added, and the most that were at the same time.
    adding: Mutex<(usize, usize)>,
}

impl MemoryLog {
    /// Empty logs.
    #[must_use]
    pub fn new(world: Arc<Executor>) -> Self {
        Self {
            world,
            tables: Mutex::default(),
            failing_per_mille: Mutex::default(),
            index_lags: Mutex::default(),
            adding: Mutex::default(),
        }
    }

    /// From now on calls fail with this chance in a thousand.
    pub fn set_failing(&self, per_mille: u64) {
        *lock(&self.failing_per_mille) = per_mille;
    }

    /// From now on the index of unresolved errors has none of them yet: only those that are named are found.
    pub fn set_index_lags(&self, lags: bool) {
        *lock(&self.index_lags) = lags;
    }

    /// Every error in the log.
    #[must_use]
    pub fn all_errors(&self) -> Vec<LoggedError> {
        lock(&self.tables).errors.values().cloned().collect()
    }

    /// Every line of the activity log.
    #[must_use]
    pub fn all_activities(&self) -> Vec<Activity> {
        lock(&self.tables).lines.values().cloned().collect()
    }

    /// How many reported errors were added at the same time, at most.
    #[must_use]
    pub fn added_at_once(&self) -> usize {
        lock(&self.adding).1
    }

    /// How often errors were read.
    #[must_use]
    pub fn reads(&self) -> u64 {
        lock(&self.tables).reads
    }

    async fn call<T>(&self, method: &'static str, effect: impl FnOnce(&mut Tables) -> T) -> Result<T, PortError> {
        self.world.turn_at(method).await;
        let per_mille = *lock(&self.failing_per_mille);
        let fails = || per_mille > 0 && self.world.chance(|rng| rng.happens(per_mille));
        if fails() {
            return Err(PortError::Transient("simulated: throttled".to_owned()));
        }
        let done = effect(&mut lock(&self.tables));
        let lost = fails();
        self.world.turn_at(method).await;
        if lost {
            return Err(PortError::Transient("simulated: the answer was lost".to_owned()));
        }
        Ok(done)
    }
}

fn within(id: LogId, range: LogRange) -> bool {
    id >= LogId::first_at(range.from) && range.before.is_none_or(|before| id < before)
}

impl Log for MemoryLog {
    async fn add_error(&self, error: &LoggedError) -> Result<bool, PortError> {
        let event = &error.event;
        let key = (event.map.clone(), event.class, event.id);
        self.call("Log.add_error", |tables| {
            let new = !tables.errors.contains_key(&key);
            tables.errors.entry(key).or_insert_with(|| error.clone());
            new
        })
        .await
    }

    async fn add_reported(&self, error: &LoggedError, reported: u128) -> Result<bool, PortError> {
        let event = &error.event;
        {
            let mut adding = lock(&self.adding);
            adding.0 += 1;
            adding.1 = adding.1.max(adding.0);
        }
        let added = self.call("Log.add_reported", |tables| {
            let new = tables.reported.insert((event.map.clone(), reported));
            if new {
                tables.errors.insert((event.map.clone(), event.class, event.id), error.clone());
            }
            new
        });
        let added = added.await;
        lock(&self.adding).0 -= 1;
        added
    }

    async fn add_activity(&self, line: &Activity) -> Result<bool, PortError> {
        let key = (line.map.clone(), line.id);
        self.call("Log.add_activity", |tables| tables.lines.insert(key, line.clone()).is_none()).await
    }

    async fn resolve(&self, resolution: &Resolution) -> Result<u64, PortError> {
        let lags = *lock(&self.index_lags);
        self.call("Log.resolve", |tables| {
            let mut count = 0;
            for error in tables.errors.values_mut() {
                let event = &error.event;
                let found = !lags || resolution.last.contains(&(event.id, event.class));
                let of_record = event.map == resolution.map && event.key.as_ref() == Some(&resolution.key);
                if found && of_record && error.resolved.is_none() && event.at <= resolution.at {
                    error.resolved = Some((resolution.at, resolution.how));
                    count += 1;
                }
            }
            count
        })
        .await
    }

    async fn resolve_these(
        &self,
        map: &MapId,
        errors: &[(LogId, ErrorClass)],
        at: Timestamp,
        how: Resolved,
    ) -> Result<u64, PortError> {
        self.call("Log.resolve_these", |tables| {
            let mut count = 0;
            for (id, class) in errors {
                let error = tables.errors.get_mut(&(map.clone(), *class, *id));
                if let Some(error) = error.filter(|error| error.resolved.is_none()) {
                    error.resolved = Some((at, how));
                    count += 1;
                }
            }
            count
        })
        .await
    }

    async fn gone(&self) -> Result<Vec<MapId>, PortError> {
        self.call("Log.gone", |tables| {
            let lines = tables.lines.values().filter(|line| line.what == ActivityKind::MapDeleted);
            let maps: BTreeSet<_> = lines.filter_map(|line| line.map.clone()).collect();
            maps.into_iter().collect()
        })
        .await
    }

    async fn errors(
        &self,
        map: &MapId,
        class: ErrorClass,
        range: LogRange,
        limit: usize,
    ) -> Result<Vec<LoggedError>, PortError> {
        self.call("Log.errors", |tables| {
            tables.reads += 1;
            let of_class = (map.clone(), class, LogId(0))..=(map.clone(), class, LogId(u128::MAX));
            let found = tables.errors.range(of_class).rev().filter(|((.., id), _)| within(*id, range));
            found.take(limit).map(|(_, error)| error.clone()).collect()
        })
        .await
    }

    async fn activities(&self, map: Option<&MapId>, range: LogRange, limit: usize) -> Result<Vec<Activity>, PortError> {
        self.call("Log.activities", |tables| {
            let of_map = (map.cloned(), LogId(0))..=(map.cloned(), LogId(u128::MAX));
            let found = tables.lines.range(of_map).rev().filter(|((_, id), _)| within(*id, range));
            found.take(limit).map(|(_, line)| line.clone()).collect()
        })
        .await
    }

    async fn note_noisy(&self, map: &MapId, at: Timestamp) -> Result<(), PortError> {
        self.call("Log.note_noisy", |tables| {
            let last = tables.noisy.entry(map.clone()).or_default();
            *last = (*last).max(at);
        })
        .await
    }

    async fn noisy(&self, since: Timestamp) -> Result<Vec<MapId>, PortError> {
        self.call("Log.noisy", |tables| {
            tables.noisy.iter().filter(|(_, at)| **at >= since).map(|(map, _)| map.clone()).collect()
        })
        .await
    }

    async fn add_failed(&self, failed: &FailedEvent) -> Result<(), PortError> {
        self.call("Log.add_failed", |tables| {
            tables.failed.retain(|known| known.id != failed.id);
            tables.failed.push(failed.clone());
        })
        .await
    }

    async fn forget_failed(&self, id: LogId) -> Result<(), PortError> {
        self.call("Log.forget_failed", |tables| tables.failed.retain(|known| known.id != id)).await
    }

    async fn failed(&self, before: Option<LogId>, limit: usize) -> Result<Vec<FailedEvent>, PortError> {
        self.call("Log.failed", |tables| {
            let mut failed = tables.failed.clone();
            failed.retain(|failed| before.is_none_or(|before| failed.id < before));
            failed.sort_by_key(|failed| std::cmp::Reverse(failed.id));
            failed.truncate(limit);
            failed
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alerts::MemoryAlerts, contract};

    fn log() -> MemoryLog {
        MemoryLog::new(Executor::new(1, Timestamp(0)))
    }

    #[tokio::test]
    async fn what_is_in_memory_keeps_the_contract() {
        contract::errors_are_kept_once_and_listed_newest_first(&log()).await;
        contract::a_reported_error_is_kept_once_by_its_own_id(&log()).await;
        contract::errors_of_a_record_are_resolved_up_to_a_time(&log()).await;
        contract::errors_that_are_named_are_resolved(&log()).await;
        contract::activities_noisy_maps_and_failed_events_are_kept(&log()).await;
        let alerts = || MemoryAlerts::new(Executor::new(1, Timestamp(0)));
        contract::rules_and_groups_change_by_their_version(&alerts()).await;
        contract::an_incident_changes_with_its_watch_or_not_at_all(&alerts()).await;
    }
}
