//! Archived entries and conflicts.

use app::ports::{Archive, PortError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    EntryId, Map,
    lane::{Archived, Conflict},
};

use super::{
    DynamoLanes,
    items::{self, Item},
};
use crate::{error, keys::Key};

/// In which order a partition is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    NewestFirst,
    OldestFirst,
}

impl DynamoLanes {
    /// Lists items of a partition in this order, after a key.
    async fn list<T>(
        &self,
        pk: String,
        read: impl Fn(&Item) -> Result<T, PortError>,
        order: Order,
        behind: Option<String>,
        limit: usize,
    ) -> Result<Vec<T>, PortError> {
        let (forward, condition) = match order {
            Order::NewestFirst => (false, "pk = :pk AND sk < :behind"),
            Order::OldestFirst => (true, "pk = :pk AND sk > :behind"),
        };
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let query = self.db.query().table_name(&self.table).consistent_read(true).scan_index_forward(forward);
            let query = match &behind {
                Some(behind) => query
                    .key_condition_expression(condition)
                    .expression_attribute_values(":behind", AttributeValue::S(behind.clone())),
                None => query.key_condition_expression("pk = :pk"),
            };
            let page = query
                .expression_attribute_values(":pk", AttributeValue::S(pk.clone()))
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(error::port)?;
            for item in page.items() {
                found.push(read(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn one<T>(&self, key: &Key, read: impl Fn(&Item) -> Result<T, PortError>) -> Result<Option<T>, PortError> {
        self.get(key).await?.map(|item| read(&item)).transpose()
    }
}

impl Archive for DynamoLanes {
    async fn archived(&self, map: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Archived>, PortError> {
        let key = |id| Key::Archived(map.uid, id);
        let behind = before.map(|before| key(before).sk());
        self.list(key(EntryId(0)).pk(), items::read_archived, Order::NewestFirst, behind, limit).await
    }

    async fn archived_first(
        &self,
        map: &Map,
        after: Option<EntryId>,
        limit: usize,
    ) -> Result<Vec<Archived>, PortError> {
        let key = |id| Key::Archived(map.uid, id);
        let behind = after.map(|after| key(after).sk());
        self.list(key(EntryId(0)).pk(), items::read_archived, Order::OldestFirst, behind, limit).await
    }

    async fn one_archived(&self, map: &Map, id: EntryId) -> Result<Option<Archived>, PortError> {
        self.one(&Key::Archived(map.uid, id), items::read_archived).await
    }

    async fn conflicts(&self, map: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Conflict>, PortError> {
        let key = |id| Key::Conflict(map.uid, id);
        let behind = before.map(|before| key(before).sk());
        self.list(key(EntryId(0)).pk(), items::read_conflict, Order::NewestFirst, behind, limit).await
    }

    async fn conflict(&self, map: &Map, entry: EntryId) -> Result<Option<Conflict>, PortError> {
        self.one(&Key::Conflict(map.uid, entry), items::read_conflict).await
    }
}
