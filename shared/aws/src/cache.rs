//! Maps and sides for the write path, at most a second old.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use app::ports::{Config, ConfigStore, MapWithSides, PortError};
use domain::{MapId, MapState};

/// How old what the write path sees of a map may be. Nothing rests on it: a pause or stop holds from the lane on.
const MAX_AGE: Duration = Duration::from_secs(1);

/// Maps and sides, remembered for a second.
#[derive(Debug)]
pub struct CachedConfig<S> {
    store: S,
    known: Mutex<BTreeMap<MapId, (Instant, MapWithSides)>>,
}

impl<S: ConfigStore> CachedConfig<S> {
    /// What this store has.
    #[must_use]
    pub fn new(store: S) -> Self {
        Self { store, known: Mutex::default() }
    }

    fn fresh(&self, id: &MapId) -> Option<MapWithSides> {
        let known = self.known.lock().ok()?;
        known.get(id).filter(|(read, _)| read.elapsed() < MAX_AGE).map(|(_, map)| map.clone())
    }

    async fn with_sides(&self, map: domain::Map) -> Result<MapWithSides, PortError> {
        let [one, two] = &map.config.sides;
        let (one, two) = futures::join!(self.store.side(&one.side), self.store.side(&two.side));
        let gone = || PortError::Permanent(format!("a side of map {} does not exist any more", map.id));
        let sides = [one?.ok_or_else(gone)?, two?.ok_or_else(gone)?];
        Ok(MapWithSides { map, sides })
    }
}

impl<S: ConfigStore> Config for CachedConfig<S> {
    async fn map(&self, id: &MapId) -> Result<Option<MapWithSides>, PortError> {
        if let Some(map) = self.fresh(id) {
            return Ok(Some(map));
        }
        let read = Instant::now();
        let Some(map) = self.store.map(id).await? else { return Ok(None) };
        let map = self.with_sides(map).await?;
        if let Ok(mut known) = self.known.lock() {
            known.insert(id.clone(), (read, map.clone()));
        }
        Ok(Some(map))
    }

    async fn maps(&self) -> Result<Vec<MapWithSides>, PortError> {
        let mut all = Vec::new();
        for map in self.store.list_maps().await? {
            if map.state == MapState::NotRunning {
                continue;
            }
            let id = map.id.clone();
            match self.with_sides(map).await {
                Ok(map) => all.push(map),
                Err(error) => tracing::error!(map.id = %id, %error, "a map is left out"),
            }
        }
        Ok(all)
    }
}
