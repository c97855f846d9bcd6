//! Small items that are read whole and listed by their partition: maps, sides, tokens.
//!
//! The body is JSON text: it can be read in the AWS console, and keeps the difference between `1`, `1.0` and `"1"`.

use std::{collections::HashMap, time::Duration};

use app::ports::{CommitError, PortError};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Delete, KeysAndAttributes, Put, TransactWriteItem},
};
use domain::{LogId, log::LogEvent};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error, json,
    keys::Key,
    metrics::{Metrics, Unit},
    outbox::{self, OUTBOX},
};

/// The form of the items written here.
const SCHEMA: &str = "1";
/// Most pages of one list, 1 MB each. Operators create few items, so a longer list is a defect.
const MAX_PAGES: usize = 200;
/// Lifetime of an item that only carries an outbox. The stream delivers it long before.
const OUTBOX_TTL_MS: u64 = 24 * 60 * 60 * 1_000;
/// Most requests for one batch. The SDK retries whole requests, but not the keys that an answer leaves unprocessed.
const MAX_BATCH_ROUNDS: u32 = 4;
/// Wait before the first repeat. It doubles each time.
const FIRST_BATCH_WAIT: Duration = Duration::from_millis(20);

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Items with a version and a body.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    db: Client,
    table: String,
}

impl Documents {
    pub(crate) fn new(db: Client, table: &str) -> Self {
        Self { db, table: table.to_owned() }
    }

    pub(crate) fn db(&self) -> &Client {
        &self.db
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    /// Reads one item, strongly consistent.
    pub(crate) async fn item(&self, key: &Key) -> Result<Option<Item>, PortError> {
        let get = self.db.get_item().table_name(&self.table).set_key(Some(key.item())).consistent_read(true);
        Ok(get.send().await.map_err(error::port)?.item)
    }

    /// Reads several items in one strongly consistent request. They come in no order; missing items are left out.
    pub(crate) async fn items(&self, keys: &[Key]) -> Result<Vec<Item>, PortError> {
        let mut wanted: Vec<_> = keys.iter().map(Key::item).collect();
        let mut items = Vec::new();
        let mut wait = FIRST_BATCH_WAIT;
        for _ in 0..MAX_BATCH_ROUNDS {
            let request = KeysAndAttributes::builder().set_keys(Some(wanted)).consistent_read(true).build();
            let request = request.map_err(|error| PortError::Permanent(error.to_string()))?;
            let got = self.db.batch_get_item().request_items(&self.table, request).send().await.map_err(error::port)?;
            items.extend(got.responses.unwrap_or_default().into_values().flatten());
            wanted = got.unprocessed_keys.unwrap_or_default().into_values().flat_map(|left| left.keys).collect();
            if wanted.is_empty() {
                return Ok(items);
            }
            tokio::time::sleep(wait).await;
            wait *= 2;
        }
        Err(PortError::Transient(format!("{} of {} items are left unread", wanted.len(), keys.len())))
    }

    /// The body of one item.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, PortError> {
        self.item(key).await?.map(|item| read(&item)).transpose()
    }

    /// All items of a partition, by sort key, with their bodies.
    pub(crate) async fn list<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<(String, T)>, PortError> {
        self.all(pk).await?.iter().map(|item| Ok((text(item, "sk")?.to_owned(), read(item)?))).collect()
    }

    async fn all(&self, pk: &str) -> Result<Vec<Item>, PortError> {
        let mut all = Vec::new();
        let mut from = None;
        for _ in 0..MAX_PAGES {
            let query = self
                .db
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .consistent_read(true)
                .set_exclusive_start_key(from);
            let page = query.send().await.map_err(error::port)?;
            all.extend(page.items.unwrap_or_default());
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(all);
            }
        }
        Err(PortError::Permanent(format!("{pk} has more than {MAX_PAGES} pages")))
    }

    /// Lists the readable items of a partition by sort key. An unreadable item is logged by its key, counted and left
    /// out, so that it does not block the others.
    pub(crate) async fn readable<T: DeserializeOwned>(&self, pk: &str) -> Result<Vec<T>, PortError> {
        Ok(self.all(pk).await?.iter().filter_map(|item| left_out(read(item))).collect())
    }

    /// Lists the readable items of a partition up to a sort key, newest first.
    pub(crate) async fn newest<T: DeserializeOwned>(
        &self,
        pk: &str,
        until: &str,
        limit: usize,
    ) -> Result<Vec<T>, PortError> {
        let mut found = Vec::new();
        let mut from = None;
        while found.len() < limit {
            let query = self
                .db
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk <= :until")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .expression_attribute_values(":until", AttributeValue::S(until.to_owned()))
                .consistent_read(true)
                .scan_index_forward(false)
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(from);
            let page = query.send().await.map_err(error::port)?;
            found.extend(page.items().iter().filter_map(|item| left_out(read(item))));
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Stores an item if the stored version is `expected`; 0 means that none is stored.
    pub(crate) async fn save<T: Serialize>(
        &self,
        key: &Key,
        body: &T,
        version: u64,
        expected: u64,
        log: &[LogEvent],
    ) -> Result<(), CommitError> {
        let mut item = item(body, version)?;
        item.extend(key.item());
        item.extend(outbox::attribute(log)?.map(|events| (OUTBOX.to_owned(), events)));
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        let put = if expected == 0 {
            put.condition_expression("attribute_not_exists(pk)")
        } else {
            put.condition_expression("version = :expected").expression_attribute_values(":expected", number(expected))
        };
        put.send().await.map(|_| ()).map_err(error::put)
    }

    /// Deletes an item if the stored version is `expected`. A separate item carries its outbox.
    pub(crate) async fn delete_logged(
        &self,
        key: &Key,
        expected: u64,
        log: LogEvent,
        id: LogId,
    ) -> Result<(), CommitError> {
        let built = |error: aws_sdk_dynamodb::error::BuildError| PortError::Permanent(error.to_string());
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .condition_expression("version = :expected")
            .expression_attribute_values(":expected", number(expected));
        let mut item = Key::Outbox(id).item();
        item.insert("ttl".to_owned(), number((id.at().0 + OUTBOX_TTL_MS) / 1_000));
        item.extend(outbox::attribute(&[log])?.map(|events| (OUTBOX.to_owned(), events)));
        let put = Put::builder().table_name(&self.table).set_item(Some(item));
        let actions = vec![
            TransactWriteItem::builder().delete(delete.build().map_err(built)?).build(),
            TransactWriteItem::builder().put(put.build().map_err(built)?).build(),
        ];
        let sent = self.db.transact_write_items().set_transact_items(Some(actions)).send().await;
        sent.map(|_| ()).map_err(|error| error::transaction(error, &[]))
    }

    /// Deletes an item if the stored version is `expected`.
    pub(crate) async fn delete(&self, key: &Key, expected: u64) -> Result<(), CommitError> {
        let delete = self
            .db
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .condition_expression("version = :expected")
            .expression_attribute_values(":expected", number(expected));
        delete.send().await.map(|_| ()).map_err(error::delete)
    }
}

/// A body with its version, without its key.
pub(crate) fn item<T: Serialize>(body: &T, version: u64) -> Result<Item, PortError> {
    let body = serde_json::to_string(body).map_err(|error| PortError::Permanent(error.to_string()))?;
    Ok(Item::from([
        ("v".to_owned(), AttributeValue::N(SCHEMA.to_owned())),
        ("version".to_owned(), AttributeValue::N(version.to_string())),
        ("body".to_owned(), AttributeValue::S(body)),
    ]))
}

fn number(n: u64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

fn text<'a>(item: &'a Item, name: &str) -> Result<&'a str, PortError> {
    let text = item.get(name).and_then(|value| value.as_s().ok());
    text.map(String::as_str).ok_or_else(|| PortError::Permanent(format!("an item has no text {name}")))
}

/// The partition an item is in.
pub(crate) fn partition(item: &Item) -> Result<&str, PortError> {
    text(item, "pk")
}

/// The body of an item.
pub(crate) fn read<T: DeserializeOwned>(item: &Item) -> Result<T, PortError> {
    let name = || format!("{}/{}", text(item, "pk").unwrap_or("?"), text(item, "sk").unwrap_or("?"));
    let schema = item.get("v").and_then(|value| value.as_n().ok());
    if schema.map(String::as_str) != Some(SCHEMA) {
        return Err(PortError::Permanent(format!("{} has the schema {schema:?}", name())));
    }
    // serde_json's error is a position and a field, never a value longer than a word of ours.
    json::read(text(item, "body")?).map_err(|error| PortError::Permanent(format!("{}: {error}", name())))
}

/// Returns a body that could be read. An unreadable one is logged and counted, which raises an alarm.
pub(crate) fn left_out<T>(read: Result<T, PortError>) -> Option<T> {
    let why = match read {
        Ok(body) => return Some(body),
        Err(why) => why,
    };
    tracing::error!(%why, "could not read an item; it is left out");
    Metrics::of(&[]).add("UnreadableItems", 1, Unit::Count).emit();
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(v: &str, body: &str) -> Item {
        let key = Key::Side("erp".parse().unwrap());
        let mut item = key.item();
        item.insert("v".to_owned(), AttributeValue::N(v.to_owned()));
        item.insert("body".to_owned(), AttributeValue::S(body.to_owned()));
        item
    }

    #[test]
    fn an_item_is_read_when_its_schema_is_known() {
        assert_eq!(read::<Vec<u8>>(&item("1", "[1,2]")), Ok(vec![1, 2]));
        for (wrong, says) in [(item("2", "[]"), "schema"), (item("1", "{"), "SIDES/erp"), (Item::new(), "schema")] {
            assert!(matches!(read::<Vec<u8>>(&wrong), Err(PortError::Permanent(text)) if text.contains(says)));
        }
    }
}
