use domain::{MapConfig, Timestamp, id::MapUid};
use serde_json::json;

use super::*;

/// A table of maps and sides that counts the requests.
#[derive(Default)]
struct Table {
    maps: Mutex<Vec<Map>>,
    sides: Mutex<Vec<Side>>,
    requests: Mutex<Vec<usize>>,
}

impl ReadConfig for Table {
    async fn together(&self, maps: &[MapId], sides: &[SideId]) -> Result<(Vec<Map>, Vec<Side>), PortError> {
        self.requests.lock().unwrap().push(maps.len() + sides.len());
        let found_maps = self.maps.lock().unwrap().iter().filter(|map| maps.contains(&map.id)).cloned().collect();
        let found_sides = self.sides.lock().unwrap().iter().filter(|side| sides.contains(&side.id)).cloned().collect();
        Ok((found_maps, found_sides))
    }
    async fn save(&self, map: &Map, _: u64, _: &Activity) -> Result<(), CommitError> {
        *self.maps.lock().unwrap() = vec![map.clone()];
        Ok(())
    }
    async fn all_maps(&self) -> Result<Vec<Map>, PortError> {
        Ok(self.maps.lock().unwrap().clone())
    }
}

fn map(one: &str, two: &str) -> Map {
    let config: MapConfig = serde_json::from_value(json!({
        "sides": [{"side": one, "entity": "e", "key_field": "k"}, {"side": two, "entity": "e", "key_field": "k"}],
        "fields": []}))
    .unwrap();
    let mut map = Map::new(id(), MapUid(1), config, "kim", Timestamp(1));
    map.state = MapState::Running;
    map
}

fn id() -> MapId {
    "customers".parse().unwrap()
}

fn side(id: &str) -> Side {
    let config = json!({"connector": {"kind": "odata", "base_url": "https://a.example/"}});
    Side { id: id.parse().unwrap(), config: serde_json::from_value(config).unwrap(), version: 1 }
}

fn cache() -> CachedConfig<Table> {
    let table = Table::default();
    table.maps.lock().unwrap().push(map("erp", "crm"));
    table.sides.lock().unwrap().extend([side("erp"), side("crm"), side("shop")]);
    CachedConfig::new(table)
}

impl CachedConfig<Table> {
    fn grow_old(&self) {
        for (read, _) in self.known.lock().unwrap().values_mut() {
            *read = read.checked_sub(MAX_AGE).unwrap();
        }
    }

    fn requests(&self) -> Vec<usize> {
        std::mem::take(&mut *self.store.requests.lock().unwrap())
    }

    async fn sides_now(&self) -> Vec<String> {
        self.map(&id()).await.unwrap().unwrap().sides.iter().map(|side| side.id.to_string()).collect()
    }
}

#[tokio::test]
async fn a_map_is_read_in_two_requests_at_first_then_not_at_all_then_in_one() {
    let cache = cache();
    for requests in [vec![1, 2], vec![]] {
        assert_eq!(cache.sides_now().await, ["erp", "crm"]);
        assert_eq!(cache.requests(), requests);
    }
    cache.grow_old();
    assert_eq!(cache.sides_now().await, ["erp", "crm"]);
    assert_eq!(cache.requests(), [3]);
}

#[tokio::test]
async fn what_was_read_at_start_need_not_be_read_again() {
    let cache = cache();
    assert_eq!(cache.maps().await.unwrap().len(), 1);
    cache.requests();
    cache.sides_now().await;
    assert_eq!(cache.requests(), Vec::<usize>::new());
}

#[tokio::test]
async fn a_map_that_was_given_another_side_is_seen_with_it() {
    let cache = cache();
    cache.sides_now().await;
    *cache.store.maps.lock().unwrap() = vec![map("shop", "erp")];
    cache.grow_old();
    cache.requests();
    assert_eq!(cache.sides_now().await, ["shop", "erp"]);
    assert_eq!(cache.requests(), [3, 1]);
}

#[tokio::test]
async fn a_deleted_map_is_gone_and_a_deleted_side_is_an_error() {
    let cache = cache();
    cache.sides_now().await;
    cache.grow_old();
    cache.store.sides.lock().unwrap().retain(|side| side.id.as_str() != "crm");
    assert!(matches!(cache.map(&id()).await, Err(PortError::Permanent(says)) if says.contains("crm")));
    cache.store.maps.lock().unwrap().clear();
    assert_eq!(cache.map(&id()).await, Ok(None));
}

#[tokio::test]
async fn a_map_is_read_anew_when_it_was_saved_here_or_must_be_fresh() {
    let cache = cache();
    let first = cache.map(&id()).await.unwrap().unwrap();
    assert_eq!(first.map.state, MapState::Running);
    let paused = Map { state: MapState::Paused, ..first.map };
    cache.store.save(&paused, 1, &Activity::of_state(MapState::Running, &paused)).await.unwrap();
    assert_eq!(cache.map(&id()).await.unwrap().unwrap().map.state, MapState::Running, "remembered for a second");
    assert_eq!(cache.fresh_map(&id()).await.unwrap().unwrap().map.state, MapState::Paused);
    assert_eq!(cache.map(&id()).await.unwrap().unwrap().map.state, MapState::Paused, "and remembered so");
    let running = Map { state: MapState::Running, ..paused };
    cache.save_map(&running, 1, &Activity::of_state(MapState::Running, &running)).await.unwrap();
    assert_eq!(cache.map(&id()).await.unwrap().unwrap().map.state, MapState::Running);
}
