//! Maps and sides of a simulated world, as operators change them. The world's own map and its sides are never deleted.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use app::ports::{CommitError, ConfigStore, LaneKey, PortError, SyncMap};
use domain::{
    Map, MapId, MapState, SideId,
    lane::{Entry, Head},
    log::{Activity, LogEvent},
    side::Side,
};

use super::SimWorld;
use crate::{bug::Bug, executor::lock};

/// Precondition a version, as a conditional write does; 0: there is nothing.
fn expect(stored: Option<u64>, expected: u64) -> Result<(), CommitError> {
    if stored.unwrap_or(0) == expected { Ok(()) } else { Err(CommitError::Stale) }
}

impl SimWorld {
    fn all_sides(&self) -> BTreeMap<SideId, Side> {
        let own = self.map().sides.into_iter().map(|side| (side.id.clone(), side));
        lock(&self.more_sides).clone().into_iter().chain(own).collect()
    }

    fn all_maps(&self) -> Vec<Map> {
        let others = lock(&self.others).iter().map(|other| other.map.clone()).collect::<Vec<_>>();
        [self.map().map].into_iter().chain(others).collect()
    }

    fn logs(&self, line: &Activity) {
        self.lanes.note_log(LogEvent::Activity(Box::new(line.clone())));
    }

    /// A change with its turns: others go first before it and after it.
    async fn changes(
        &self,
        method: &'static str,
        effect: impl FnOnce() -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        self.executor.turn_at(method).await;
        let done = effect();
        self.executor.turn_at(method).await;
        done
    }

    pub(super) async fn store_map(
        &self,
        method: &'static str,
        map: &Map,
        expected: u64,
        line: &Activity,
    ) -> Result<(), CommitError> {
        let own = map.id == self.map().map.id;
        self.changes(method, || {
            let one_less = |left: u64| left.checked_sub(1);
            if self.failing_saves.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
                return Err(PortError::Transient("simulated: throttled".to_owned()).into());
            }
            if own {
                self.store_own(map, expected)?
            } else {
                self.store_other(map, expected)?
            }
            self.logs(line);
            Ok(())
        })
        .await
    }

    fn store_own(&self, map: &Map, expected: u64) -> Result<(), CommitError> {
        let mut stored = lock(&self.map);
        if stored.map.version != expected && !self.executor.has(Bug::MapIgnoresVersion) {
            return Err(CommitError::Stale);
        }
        let catches_up = |map: &Map| map.state == MapState::CatchingUp;
        let mut map = map.clone();
        match self.executor.bug() {
            Some(Bug::EpochStands) => map.epoch = stored.map.epoch,
            Some(Bug::ResumeRunsAtOnce) if catches_up(&map) => map.state = MapState::Running,
            Some(Bug::CatchUpHasNoEnd) if catches_up(&stored.map) && map.state == MapState::Running => {
                return Err(CommitError::Stale);
            }
            _ => {}
        }
        lock(&self.history).push((self.executor.now(), map.state, map.epoch));
        stored.map = map;
        Ok(())
    }

    fn store_other(&self, map: &Map, expected: u64) -> Result<(), CommitError> {
        let sides = self.all_sides();
        let side = |at: usize| {
            let id = &map.config.sides[at].side;
            sides.get(id).cloned().ok_or_else(|| PortError::Permanent(format!("there is no side {id}")))
        };
        let sides = [side(0)?, side(1)?];
        let mut others = lock(&self.others);
        expect(others.iter().find(|other| other.map.id == map.id).map(|other| other.map.version), expected)?;
        others.retain(|other| other.map.id != map.id);
        others.push(SyncMap { map: map.clone(), sides });
        Ok(())
    }
}

impl ConfigStore for SimWorld {
    async fn list_sides(&self) -> Result<Vec<Side>, PortError> {
        self.executor.turn_at("ConfigStore.list_sides").await;
        Ok(self.all_sides().into_values().collect())
    }

    async fn side(&self, id: &SideId) -> Result<Option<Side>, PortError> {
        self.executor.turn_at("ConfigStore.side").await;
        Ok(self.all_sides().remove(id))
    }

    async fn save_side(&self, side: &Side, expected: u64, line: &Activity) -> Result<(), CommitError> {
        if self.map().map.config.side_ix(&side.id).is_some() {
            return Err(PortError::Permanent("simulated: the sides of the map stay as they are".to_owned()).into());
        }
        self.changes("ConfigStore.save_side", || {
            let mut sides = lock(&self.more_sides);
            expect(sides.get(&side.id).map(|side| side.version), expected)?;
            sides.insert(side.id.clone(), side.clone());
            self.logs(line);
            Ok(())
        })
        .await
    }

    async fn delete_side(&self, id: &SideId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.changes("ConfigStore.delete_side", || {
            let mut sides = lock(&self.more_sides);
            expect(sides.get(id).map(|side| side.version), expected)?;
            sides.remove(id);
            self.logs(line);
            Ok(())
        })
        .await
    }

    async fn list_maps(&self) -> Result<Vec<Map>, PortError> {
        self.executor.turn_at("ConfigStore.list_maps").await;
        Ok(self.all_maps())
    }

    async fn map(&self, id: &MapId) -> Result<Option<Map>, PortError> {
        self.executor.turn_at("ConfigStore.map").await;
        Ok(self.all_maps().into_iter().find(|map| map.id == *id))
    }

    async fn save_map(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.store_map("ConfigStore.save_map", map, expected, line).await
    }

    async fn delete_map(&self, id: &MapId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.changes("ConfigStore.delete_map", || {
            let mut others = lock(&self.others);
            expect(others.iter().find(|other| other.map.id == *id).map(|other| other.map.version), expected)?;
            others.retain(|other| other.map.id != *id);
            self.logs(line);
            Ok(())
        })
        .await
    }

    async fn open_lanes(&self, map: &Map, limit: usize) -> Result<Vec<(LaneKey, Head, Option<Entry>)>, PortError> {
        self.executor.turn_at("ConfigStore.open_lanes").await;
        Ok(self.lanes.standing(&map.id).into_iter().take(limit).collect())
    }
}
