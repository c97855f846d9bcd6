//! Maps and sides for the write path, at most a second old.

use std::{
    collections::BTreeMap,
    future::Future,
    slice,
    sync::Mutex,
    time::{Duration, Instant},
};

use app::ports::{CommitError, Config, PortError, SyncMap};
use domain::{Map, MapId, MapState, SideId, log::Activity, side::Side};

/// Maximum age of a cached map. Safety does not depend on it: a stale map delays a pause or stop by a second.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Reads maps and sides. Each call is one strongly consistent request.
pub trait ReadConfig: Sync {
    /// Reads these maps and sides, in no order. Missing ones are left out.
    fn together(
        &self,
        maps: &[MapId],
        sides: &[SideId],
    ) -> impl Future<Output = Result<(Vec<Map>, Vec<Side>), PortError>> + Send;
    /// Saves a map if its stored version is `expected`.
    fn save(&self, map: &Map, expected: u64, line: &Activity) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// All maps.
    fn all_maps(&self) -> impl Future<Output = Result<Vec<Map>, PortError>> + Send;
}

/// Maps and sides, remembered for a second.
///
/// A cached map is read in one request together with the sides it had then. Only an unknown map, or a map whose
/// sides have changed, needs two requests.
#[derive(Debug)]
pub struct CachedConfig<S> {
    store: S,
    known: Mutex<BTreeMap<MapId, (Instant, SyncMap)>>,
}

impl<S: ReadConfig> CachedConfig<S> {
    /// A cache over this store.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, known: Mutex::default() }
    }

    fn known(&self, id: &MapId) -> Option<(Instant, SyncMap)> {
        self.known.lock().ok()?.get(id).cloned()
    }

    fn remember(&self, read: Instant, map: &SyncMap) {
        if let Ok(mut known) = self.known.lock() {
            known.insert(map.id.clone(), (read, map.clone()));
        }
    }

    fn forget(&self, id: &MapId) {
        if let Ok(mut known) = self.known.lock() {
            known.remove(id);
        }
    }

    /// Joins a map with its sides, and reads the sides that `read` does not contain.
    async fn with_sides(&self, map: Map, mut read: Vec<Side>) -> Result<SyncMap, PortError> {
        let names = map.config.sides.each_ref().map(|end| end.side.clone());
        let missing: Vec<_> = names.iter().filter(|name| read.iter().all(|side| side.id != **name)).cloned().collect();
        if !missing.is_empty() {
            read.extend(self.store.together(&[], &missing).await?.1);
        }
        let side = |name: &SideId| {
            let found = read.iter().find(|side| side.id == *name).cloned();
            found.ok_or_else(|| PortError::Permanent(format!("side {name} of map {} does not exist any more", map.id)))
        };
        let sides = [side(&names[0])?, side(&names[1])?];
        Ok(SyncMap { map, sides })
    }
}

impl<S: ReadConfig> Config for CachedConfig<S> {
    async fn map(&self, id: &MapId) -> Result<Option<SyncMap>, PortError> {
        match self.known(id) {
            Some((read, map)) if read.elapsed() < MAX_AGE => Ok(Some(map)),
            Some(_) | None => self.fresh_map(id).await,
        }
    }

    async fn fresh_map(&self, id: &MapId) -> Result<Option<SyncMap>, PortError> {
        let likely = match self.known(id) {
            Some((_, map)) => map.sides.map(|side| side.id).to_vec(),
            None => Vec::new(),
        };
        let now = Instant::now();
        let (maps, sides) = self.store.together(slice::from_ref(id), &likely).await?;
        let Some(map) = maps.into_iter().next() else {
            self.forget(id);
            return Ok(None);
        };
        let map = self.with_sides(map, sides).await?;
        self.remember(now, &map);
        Ok(Some(map))
    }

    async fn maps(&self) -> Result<Vec<SyncMap>, PortError> {
        let mut all = Vec::new();
        let now = Instant::now();
        for map in self.store.all_maps().await? {
            if map.state == MapState::NotRunning {
                continue;
            }
            let id = map.id.clone();
            match self.with_sides(map, Vec::new()).await {
                Ok(map) => {
                    self.remember(now, &map);
                    all.push(map);
                }
                Err(error) => tracing::error!(map.id = %id, %error, "could not read a map; it is left out"),
            }
        }
        Ok(all)
    }

    async fn save_map(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.forget(&map.id);
        self.store.save(map, expected, line).await
    }
}

#[cfg(test)]
mod tests;
