//! Maps and sides in DynamoDB.

use app::ports::{CommitError, ConfigStore, LaneKey, PortError};
use aws_sdk_dynamodb::Client;
use domain::{
    Map, MapId, SideId,
    lane::{Entry, Head},
    log::{Activity, LogEvent},
    side::Side,
};

use crate::{
    cache::ReadConfig,
    documents::{self, Documents},
    keys::Key,
    lanes,
};

/// Maps and sides in DynamoDB. Reads are strongly consistent but for the list of open lanes.
#[derive(Clone, Debug)]
pub struct DynamoConfig(Documents);

impl DynamoConfig {
    /// Maps and sides in this table.
    #[must_use]
    pub fn new(db: Client, table: &str) -> Self {
        Self(Documents::new(db, table))
    }
}

fn logged(line: &Activity) -> LogEvent {
    LogEvent::Activity(Box::new(line.clone()))
}

impl ConfigStore for DynamoConfig {
    async fn list_sides(&self) -> Result<Vec<Side>, PortError> {
        Ok(self.0.list("SIDES").await?.into_iter().map(|(_, side)| side).collect())
    }

    async fn side(&self, id: &SideId) -> Result<Option<Side>, PortError> {
        self.0.get(&Key::Side(id.clone())).await
    }

    async fn save_side(&self, side: &Side, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.0.save(&Key::Side(side.id.clone()), side, side.version, expected, &[logged(line)]).await
    }

    async fn delete_side(&self, id: &SideId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.0.delete_logged(&Key::Side(id.clone()), expected, logged(line), line.id).await
    }

    async fn list_maps(&self) -> Result<Vec<Map>, PortError> {
        Ok(self.0.list("MAPS").await?.into_iter().map(|(_, map)| map).collect())
    }

    async fn map(&self, id: &MapId) -> Result<Option<Map>, PortError> {
        self.0.get(&Key::Map(id.clone())).await
    }

    async fn save_map(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.0.save(&Key::Map(map.id.clone()), map, map.version, expected, &[logged(line)]).await
    }

    async fn delete_map(&self, id: &MapId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.0.delete_logged(&Key::Map(id.clone()), expected, logged(line), line.id).await
    }

    async fn open_lanes(&self, map: &Map, limit: usize) -> Result<Vec<(LaneKey, Head, Option<Entry>)>, PortError> {
        lanes::open(self.0.db(), self.0.table(), map, limit).await
    }
}

impl ReadConfig for DynamoConfig {
    async fn together(&self, maps: &[MapId], sides: &[SideId]) -> Result<(Vec<Map>, Vec<Side>), PortError> {
        let keys: Vec<_> = maps.iter().cloned().map(Key::Map).chain(sides.iter().cloned().map(Key::Side)).collect();
        let (mut found_maps, mut found_sides) = (Vec::new(), Vec::new());
        for item in self.0.items(&keys).await? {
            if documents::partition(&item)? == "MAPS" {
                found_maps.push(documents::read(&item)?);
            } else {
                found_sides.push(documents::read(&item)?);
            }
        }
        Ok((found_maps, found_sides))
    }

    async fn save(&self, map: &Map, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.save_map(map, expected, line).await
    }

    /// A map that cannot be read must not keep the sweep from the others.
    async fn all_maps(&self) -> Result<Vec<Map>, PortError> {
        self.0.readable("MAPS").await
    }
}
