//! What operators work with in a simulated world.

use std::sync::atomic::Ordering;

use app::{
    admin::AdminPorts,
    ports::{CommitError, ConfigStore, LaneKey, PortError},
};
use domain::{
    Map, MapId, SideId,
    lane::{Entry, Head},
    log::{Activity, LogEvent},
    side::Side,
};

use super::SimWorld;
use crate::{bug::Bug, config::MemoryTokens, executor::lock};

impl ConfigStore for SimWorld {
    async fn list_sides(&self) -> Result<Vec<Side>, PortError> {
        self.executor.turn().await;
        Ok(self.map().sides.to_vec())
    }

    async fn side(&self, id: &SideId) -> Result<Option<Side>, PortError> {
        self.executor.turn().await;
        Ok(self.map().sides.into_iter().find(|side| side.id == *id))
    }

    async fn save_side(&self, _: &Side, _: u64, _: &Activity) -> Result<(), CommitError> {
        Err(PortError::Permanent("simulated: sides stay as they are".to_owned()).into())
    }

    async fn delete_side(&self, _: &SideId, _: u64, _: &Activity) -> Result<(), CommitError> {
        Err(PortError::Permanent("simulated: sides stay as they are".to_owned()).into())
    }

    async fn list_maps(&self) -> Result<Vec<Map>, PortError> {
        self.executor.turn().await;
        Ok(vec![self.map().map])
    }

    async fn map(&self, id: &MapId) -> Result<Option<Map>, PortError> {
        self.executor.turn().await;
        Ok(Some(self.map().map).filter(|map| map.id == *id))
    }

    async fn save_map(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.executor.turn().await;
        let one_less = |left: u64| left.checked_sub(1);
        if self.failing_saves.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            return Err(PortError::Transient("simulated: throttled".to_owned()).into());
        }
        let saved = {
            let mut stored = lock(&self.map);
            let saved = stored.map.version == expected || self.executor.has(Bug::MapIgnoresVersion);
            if saved {
                stored.map = map.clone();
                self.lanes.note_log(LogEvent::Activity(Box::new(line.clone())));
                lock(&self.history).push((self.executor.now(), map.state, map.epoch));
            }
            saved
        };
        self.executor.turn().await;
        if saved { Ok(()) } else { Err(CommitError::Conflict) }
    }

    async fn delete_map(&self, _: &MapId, _: u64, _: &Activity) -> Result<(), CommitError> {
        Err(PortError::Permanent("simulated: the map stays".to_owned()).into())
    }

    async fn open_lanes(&self, _: &Map, _: usize) -> Result<Vec<(LaneKey, Head, Option<Entry>)>, PortError> {
        Ok(Vec::new())
    }

    async fn skipped(&self, _: &Map) -> Result<u64, PortError> {
        Ok(0)
    }
}

impl AdminPorts for SimWorld {
    type Store = Self;
    type Tokens = MemoryTokens;

    fn store(&self) -> &Self {
        self
    }
    fn tokens(&self) -> &MemoryTokens {
        &self.tokens
    }
    fn first_admin_sha256(&self) -> Option<&str> {
        None
    }
    async fn failed_batches(&self) -> Option<u64> {
        None
    }
    fn fresh_secret(&self) -> Result<[u8; 32], PortError> {
        Ok([7; 32])
    }
}
