//! What was taken out of lanes, and what crossed.

use app::ports::{Archive, PortError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    EntryId, Map,
    lane::{Archived, Conflict},
};
use serde::de::DeserializeOwned;

use super::{DynamoLanes, items};
use crate::{error, keys::Key};

impl DynamoLanes {
    /// Items of a partition, newest first, older than `before`.
    async fn newest<T: DeserializeOwned>(
        &self,
        pk: String,
        before: Option<String>,
        limit: usize,
    ) -> Result<Vec<T>, PortError> {
        let mut found = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let query = self.db.query().table_name(&self.table).consistent_read(true).scan_index_forward(false);
            let query = match &before {
                Some(before) => query
                    .key_condition_expression("pk = :pk AND sk < :before")
                    .expression_attribute_values(":before", AttributeValue::S(before.clone())),
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
                found.push(items::read_body(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    async fn one<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, PortError> {
        self.get(key).await?.map(|item| items::read_body(&item)).transpose()
    }
}

impl Archive for DynamoLanes {
    async fn archived(&self, map: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Archived>, PortError> {
        let key = |id| Key::Archived(map.uid, id);
        self.newest(key(EntryId(0)).pk(), before.map(|before| key(before).sk()), limit).await
    }

    async fn one_archived(&self, map: &Map, id: EntryId) -> Result<Option<Archived>, PortError> {
        self.one(&Key::Archived(map.uid, id)).await
    }

    async fn conflicts(&self, map: &Map, before: Option<EntryId>, limit: usize) -> Result<Vec<Conflict>, PortError> {
        let key = |id| Key::Conflict(map.uid, id);
        self.newest(key(EntryId(0)).pk(), before.map(|before| key(before).sk()), limit).await
    }

    async fn conflict(&self, map: &Map, entry: EntryId) -> Result<Option<Conflict>, PortError> {
        self.one(&Key::Conflict(map.uid, entry)).await
    }
}
