//! Maps, sides and tokens in memory, with the mishaps a real store has.

mod contract;
mod tokens;

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use app::ports::{CommitError, Config, ConfigStore, LaneKey, PortError, SyncMap};
use domain::{
    Map, MapId, SideId,
    lane::{Entry, Head},
    log::Activity,
    side::Side,
};

pub use self::{
    contract::{config_store_contract, tokens_contract},
    tokens::MemoryTokens,
};

/// A lane that is not idle, as [`ConfigStore::open_lanes`] tells it.
pub type OpenLane = (LaneKey, Head, Option<Entry>);

/// Maps and sides in memory.
#[derive(Debug, Default)]
pub struct MemoryConfig(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    sides: BTreeMap<SideId, Side>,
    maps: BTreeMap<MapId, Map>,
    open: BTreeMap<MapId, Vec<OpenLane>>,
    lines: Vec<Activity>,
    mishap: Option<(usize, Mishap)>,
}

/// What happens to one call of a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The store does not answer, and nothing was done.
    Fails(PortError),
    /// Somebody else was faster: a save or deletion meets another version. Reads are not affected.
    Overtaken,
    /// A save is done, its answer gets lost, and its repeat meets its own effect.
    AnswerLost,
}

impl MemoryConfig {
    /// Lets something happen to the save, deletion or read that comes after `calls` others. It happens once.
    pub fn after(&self, calls: usize, mishap: Mishap) {
        self.state().mishap = Some((calls, mishap));
    }

    /// Says which lanes of a map are open.
    pub fn set_open(&self, map: &MapId, lanes: Vec<OpenLane>) {
        self.state().open.insert(map.clone(), lanes);
    }

    /// Lines of the activity log that were saved since this was last asked.
    pub fn take_lines(&self) -> Vec<Activity> {
        std::mem::take(&mut self.state().lines)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> T) -> Result<T, PortError> {
        let mut state = self.state();
        match state.mishap() {
            Some(Mishap::Fails(error)) => Err(error),
            Some(Mishap::Overtaken | Mishap::AnswerLost) | None => Ok(read(&state)),
        }
    }

    fn write(
        &self,
        stored: impl FnOnce(&State) -> u64,
        expected: u64,
        write: impl FnOnce(&mut State),
    ) -> Result<(), CommitError> {
        let mut state = self.state();
        let mishap = state.mishap();
        if let Some(Mishap::Fails(error)) = mishap {
            return Err(error.into());
        }
        if stored(&state) != expected || mishap == Some(Mishap::Overtaken) {
            return Err(CommitError::Stale);
        }
        write(&mut state);
        if mishap == Some(Mishap::AnswerLost) { Err(CommitError::Stale) } else { Ok(()) }
    }
}

impl State {
    fn mishap(&mut self) -> Option<Mishap> {
        match &mut self.mishap {
            Some((0, _)) => self.mishap.take().map(|(_, mishap)| mishap),
            Some((calls, _)) => {
                *calls -= 1;
                None
            }
            None => None,
        }
    }
}

impl ConfigStore for MemoryConfig {
    async fn list_sides(&self) -> Result<Vec<Side>, PortError> {
        self.read(|state| state.sides.values().cloned().collect())
    }

    async fn side(&self, id: &SideId) -> Result<Option<Side>, PortError> {
        self.read(|state| state.sides.get(id).cloned())
    }

    async fn save_side(&self, side: &Side, expected: u64, line: &Activity) -> Result<(), CommitError> {
        let stored = |state: &State| state.sides.get(&side.id).map_or(0, |side| side.version);
        self.write(stored, expected, |state| {
            state.sides.insert(side.id.clone(), side.clone());
            state.lines.push(line.clone());
        })
    }

    async fn delete_side(&self, id: &SideId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        let stored = |state: &State| state.sides.get(id).map_or(0, |side| side.version);
        self.write(stored, expected, |state| {
            state.sides.remove(id);
            state.lines.push(line.clone());
        })
    }

    async fn list_maps(&self) -> Result<Vec<Map>, PortError> {
        self.read(|state| state.maps.values().cloned().collect())
    }

    async fn map(&self, id: &MapId) -> Result<Option<Map>, PortError> {
        self.read(|state| state.maps.get(id).cloned())
    }

    async fn save_map(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        let stored = |state: &State| state.maps.get(&map.id).map_or(0, |map| map.version);
        self.write(stored, expected, |state| {
            state.maps.insert(map.id.clone(), map.clone());
            state.lines.push(line.clone());
        })
    }

    async fn delete_map(&self, id: &MapId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        let stored = |state: &State| state.maps.get(id).map_or(0, |map| map.version);
        self.write(stored, expected, |state| {
            state.maps.remove(id);
            state.lines.push(line.clone());
        })
    }

    async fn open_lanes(&self, map: &Map, limit: usize) -> Result<Vec<OpenLane>, PortError> {
        self.read(|state| {
            state.open.get(&map.id).map(|lanes| lanes.iter().take(limit).cloned().collect()).unwrap_or_default()
        })
    }
}

impl Config for MemoryConfig {
    async fn map(&self, id: &MapId) -> Result<Option<SyncMap>, PortError> {
        self.fresh_map(id).await
    }

    async fn fresh_map(&self, id: &MapId) -> Result<Option<SyncMap>, PortError> {
        let Some(map) = ConfigStore::map(self, id).await? else { return Ok(None) };
        let side = async |name: &SideId| {
            let found = self.side(name).await?;
            found.ok_or_else(|| PortError::Permanent(format!("there is no side {name}")))
        };
        let sides = [side(&map.config.sides[0].side).await?, side(&map.config.sides[1].side).await?];
        Ok(Some(SyncMap { map, sides }))
    }

    async fn maps(&self) -> Result<Vec<SyncMap>, PortError> {
        let mut all = Vec::new();
        for map in self.list_maps().await? {
            all.extend(self.fresh_map(&map.id).await?);
        }
        Ok(all)
    }

    async fn save_map(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        ConfigStore::save_map(self, map, expected, line).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_in_memory_keeps_the_contract() {
        config_store_contract(&MemoryConfig::default()).await;
        tokens_contract(&MemoryTokens::default()).await;
    }

    #[tokio::test]
    async fn a_mishap_happens_once_and_when_it_is_told_to() {
        let store = MemoryConfig::default();
        store.after(1, Mishap::Fails(PortError::Transient("throttled".into())));
        assert!(store.list_sides().await.is_ok());
        assert!(store.list_sides().await.is_err());
        assert!(store.list_sides().await.is_ok());
    }
}
