//! Maps as the functions of a simulated world read them: remembered for a while, and lied about if a bug says so.

use std::sync::atomic::Ordering;

use app::ports::{CommitError, Config, PortError, Ports, SyncMap};
use domain::{
    Map, MapId, MapState,
    log::Activity,
    map::{ConflictPolicy, OnUnavailable},
};

use super::SimWorld;
use crate::{bug::Bug, executor::lock};

impl Config for SimWorld {
    async fn map(&self, id: &MapId) -> Result<Option<SyncMap>, PortError> {
        let memory_ms = self.memory_ms.load(Ordering::SeqCst);
        match self.remembered(id, memory_ms) {
            Some(map) => Ok(Some(map)),
            None => self.read_map("Config.map", id).await,
        }
    }
    async fn fresh_map(&self, id: &MapId) -> Result<Option<SyncMap>, PortError> {
        if let Some(map) = self.remembered(id, 0) {
            return Ok(Some(map));
        }
        self.read_map("Config.fresh_map", id).await
    }
    async fn maps(&self) -> Result<Vec<SyncMap>, PortError> {
        self.executor.turn_at("Config.maps").await;
        Ok(lock(&self.others).iter().cloned().chain([self.map()]).collect())
    }
    async fn save_map(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.store_map("Config.save_map", map, expected, line).await
    }
}

impl SimWorld {
    /// The map as functions remember it that read it within the last `memory_ms` milliseconds.
    fn remembered(&self, id: &MapId, memory_ms: u64) -> Option<SyncMap> {
        let for_ever = self.executor.has(Bug::MapIsNeverReadAgain);
        let seen = lock(&self.seen).clone();
        seen.filter(|(at, _)| for_ever || self.now().ms_since(*at) < memory_ms)
            .map(|(_, map)| map)
            .filter(|map| map.id == *id)
    }

    async fn read_map(&self, method: &'static str, id: &MapId) -> Result<Option<SyncMap>, PortError> {
        let other = lock(&self.others).iter().find(|other| other.map.id == *id).cloned();
        if other.is_some() {
            self.executor.turn_at(method).await;
            return Ok(other);
        }
        let map = lie_about_map(self.map(), self.executor.bug());
        *lock(&self.seen) = Some((self.now(), map.clone()));
        self.executor.turn_at(method).await;
        Ok((map.id == *id).then_some(map))
    }
}

fn lie_about_map(mut map: SyncMap, bug: Option<Bug>) -> SyncMap {
    if bug == Some(Bug::PauseIsNotSeen) && map.state == MapState::Paused {
        map.map.state = MapState::Running;
    }
    match bug {
        Some(Bug::StopIsNotSeen) if map.state == MapState::Stopped => map.map.state = MapState::Running,
        Some(Bug::PrimaryIsNotKnown) => map.map.config.conflict = ConflictPolicy::LastInLane,
        Some(Bug::FailIsNotKnown) => map.map.config.on_unavailable = OnUnavailable::Queue,
        _ => {}
    }
    if let (Some(Bug::CutCoversAll), Some(cut)) = (bug, &mut map.map.cut) {
        cut.before_epoch = u64::MAX;
    }
    map
}
