//! The error log and the activity log in DynamoDB.
//!
//! Errors stand in a partition for each map and class, newest last: a rule reads the newest of its classes, and an outage
//! spreads over as many partitions as it has kinds. Those that are not resolved are in the index of what is open, by
//! their record, so that a write that succeeds finds them.

use std::collections::HashMap;

use app::ports::{FailedEvent, Log, LogRange, PortError};
use aws_sdk_dynamodb::{
    Client,
    operation::{put_item::PutItemError, query::builders::QueryFluentBuilder},
    types::{AttributeValue, Put, ReturnValue, TransactWriteItem},
};
use domain::{
    ErrorClass, LogId, MapId, RecordKey, Timestamp,
    limits::ARCHIVE_TTL_MS,
    log::{Activity, ActivityKind, ErrorEvent, LoggedError, Resolution, Resolved, fingerprint},
};
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error, json,
    keys::Key,
    metrics::{Metrics, Unit},
};

type Item = HashMap<String, AttributeValue>;

/// Errors that are marked resolved at the same time.
const RESOLVED_AT_ONCE: usize = 8;
/// Time without an error after which a map is quiet: twice the longest window of a rule.
const NOISY_TTL_MS: u64 = 2 * 24 * 60 * 60 * 1_000;

/// The logs in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoLog {
    db: Client,
    table: String,
    retention_ms: u64,
}

/// Partition of the index that holds the unresolved errors of a record.
fn unresolved(map: &MapId, key: &RecordKey) -> String {
    format!("E#{map}#{key}")
}

fn number(n: u64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

fn unreadable(what: &str, error: impl std::fmt::Display) -> PortError {
    PortError::Permanent(format!("{what} of a log cannot be read: {error}"))
}

fn to_json<T: Serialize>(body: &T) -> Result<AttributeValue, PortError> {
    let json = serde_json::to_string(body).map_err(|error| PortError::Permanent(error.to_string()))?;
    Ok(AttributeValue::S(json))
}

fn body<T: DeserializeOwned>(item: &Item) -> Result<T, PortError> {
    let body = item.get("body").and_then(|value| value.as_s().ok()).ok_or_else(|| unreadable("body", "missing"))?;
    json::read(body).map_err(|error| unreadable("body", error))
}

/// Returns a line that could be read. An unreadable one is logged by its key and counted.
fn left_out<T>(item: &Item, read: Result<T, PortError>) -> Option<T> {
    let why = match read {
        Ok(line) => return Some(line),
        Err(why) => why,
    };
    let name = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
    tracing::error!(line.pk = name("pk"), line.sk = name("sk"), error = %why, "could not read a line of a log; it is left out");
    Metrics::of(&[]).add("UnreadableLines", 1, Unit::Count).emit();
    None
}

/// Reads all pages of a query.
async fn all(query: QueryFluentBuilder) -> Result<Vec<Item>, PortError> {
    let (mut found, mut start) = (Vec::new(), None);
    loop {
        let page = query.clone().set_exclusive_start_key(start).send().await.map_err(error::port)?;
        found.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(found);
        }
    }
}

/// Reads the map that a line names.
fn map_name(item: &Item) -> Option<MapId> {
    let name = item.get("sk").and_then(|value| value.as_s().ok()?.parse().ok());
    left_out(item, name.ok_or_else(|| unreadable("a map", "its name")))
}

fn read_number(item: &Item, name: &str) -> Option<u64> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

fn read_error(item: &Item) -> Result<LoggedError, PortError> {
    let event: ErrorEvent = body(item)?;
    let how = match item.get("resolved").and_then(|value| value.as_s().ok()) {
        None => None,
        Some(name) => {
            let how = Resolved::ALL.into_iter().find(|how| how.as_str() == name);
            Some(how.ok_or_else(|| unreadable("resolved", name))?)
        }
    };
    let at = read_number(item, "resolved_at").map(Timestamp);
    Ok(LoggedError { fingerprint: fingerprint(&event), event, resolved: at.zip(how) })
}

impl DynamoLog {
    /// The logs in this table, which keeps lines for `retention_days`.
    #[must_use]
    pub fn new(db: Client, table: &str, retention_days: u64) -> Self {
        Self { db, table: table.to_owned(), retention_ms: retention_days * 24 * 60 * 60 * 1_000 }
    }

    fn line<T: Serialize>(&self, key: &Key, line: &T, at: Timestamp) -> Result<Item, PortError> {
        let mut item = key.item();
        item.insert("v".to_owned(), number(1));
        item.insert("body".to_owned(), to_json(line)?);
        item.insert("ttl".to_owned(), number(at.plus_ms(self.retention_ms).0 / 1_000));
        Ok(item)
    }

    fn error_item(&self, error: &LoggedError) -> Result<Item, PortError> {
        let event = &error.event;
        let mut item = self.line(&Key::Error(event.map.clone(), event.class, event.id), event, event.at)?;
        if let Some(key) = &event.key {
            item.insert("open_pk".to_owned(), AttributeValue::S(unresolved(&event.map, key)));
            item.insert("open_at".to_owned(), number(event.at.0));
        }
        Ok(item)
    }

    /// Puts an item unless it exists. Returns whether it was new.
    async fn add(&self, item: Item) -> Result<bool, PortError> {
        let put = self.db.put_item().table_name(&self.table).set_item(Some(item));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(true),
            Err(error)
                if matches!(error.as_service_error(), Some(PutItemError::ConditionalCheckFailedException(_))) =>
            {
                Ok(false)
            }
            Err(error) => Err(error::port(error)),
        }
    }

    /// Lists lines of a partition, newest first. An unreadable line is logged and left out.
    async fn newest<T>(
        &self,
        first: &Key,
        range: LogRange,
        limit: usize,
        read: impl Fn(&Item) -> Result<T, PortError>,
    ) -> Result<Vec<T>, PortError> {
        let low = LogId::first_at(range.from);
        let high = range.before.map_or(LogId(u128::MAX), |before| LogId(before.0.saturating_sub(1)));
        if high < low {
            return Ok(Vec::new());
        }
        let mut found: Vec<T> = Vec::new();
        let mut start = None;
        while found.len() < limit {
            let page = self
                .db
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
                .expression_attribute_values(":pk", AttributeValue::S(first.pk()))
                .expression_attribute_values(":low", AttributeValue::S(format!("{:032x}", low.0)))
                .expression_attribute_values(":high", AttributeValue::S(format!("{:032x}", high.0)))
                .consistent_read(true)
                .scan_index_forward(false)
                .limit(i32::try_from(limit - found.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(error::port)?;
            found.extend(page.items().iter().filter_map(|item| left_out(item, read(item))));
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// Lists the maps that a partition names.
    async fn names(&self, partition: &str, since: Timestamp) -> Result<Vec<MapId>, PortError> {
        let query = self.db.query().table_name(&self.table).consistent_read(true);
        let query = query
            .key_condition_expression("pk = :pk")
            .filter_expression("attribute_not_exists(noisy_at) OR noisy_at >= :since")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":since", number(since.0));
        let maps = all(query).await?;
        Ok(maps.iter().filter_map(map_name).collect())
    }

    /// Reads the keys of a record's unresolved errors from the index.
    async fn unresolved(&self, resolution: &Resolution) -> Result<Vec<Item>, PortError> {
        let query = self.db.query().table_name(&self.table).index_name("open");
        let query = query
            .key_condition_expression("open_pk = :pk AND open_at <= :at")
            .expression_attribute_values(":pk", AttributeValue::S(unresolved(&resolution.map, &resolution.key)))
            .expression_attribute_values(":at", number(resolution.at.0));
        let key = |item: Item| item.into_iter().filter(|(name, _)| name == "pk" || name == "sk").collect();
        Ok(all(query).await?.into_iter().map(key).collect())
    }

    /// Marks unresolved errors as resolved. Returns how many it marked.
    async fn mark_all(&self, keys: Vec<Item>, at: Timestamp, how: Resolved) -> Result<u64, PortError> {
        let marks = keys.into_iter().map(|key| self.mark(key, at, how));
        let marked: Vec<u64> = stream::iter(marks).buffer_unordered(RESOLVED_AT_ONCE).try_collect().await?;
        Ok(marked.into_iter().sum())
    }

    async fn mark(&self, key: Item, at: Timestamp, how: Resolved) -> Result<u64, PortError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .update_expression("SET resolved = :how, resolved_at = :at REMOVE open_pk, open_at")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(resolved)")
            .expression_attribute_values(":how", AttributeValue::S(how.as_str().to_owned()))
            .expression_attribute_values(":at", number(at.0))
            .return_values(ReturnValue::None);
        match error::unless_condition(update.send().await) {
            Ok(done) => Ok(u64::from(done)),
            Err(error) => Err(error),
        }
    }
}

impl Log for DynamoLog {
    async fn add_error(&self, error: &LoggedError) -> Result<bool, PortError> {
        self.add(self.error_item(error)?).await
    }

    async fn add_reported(&self, error: &LoggedError, reported: u128) -> Result<bool, PortError> {
        let event = &error.event;
        let mut marker = Key::Reported(event.map.clone(), reported).item();
        marker.insert("ttl".to_owned(), number(event.at.plus_ms(self.retention_ms).0 / 1_000));
        let put = |item: Item, fresh: bool| -> Result<TransactWriteItem, PortError> {
            let put = Put::builder().table_name(&self.table).set_item(Some(item));
            let put = if fresh { put.condition_expression("attribute_not_exists(pk)") } else { put };
            let put = put.build().map_err(|error| PortError::Permanent(error.to_string()))?;
            Ok(TransactWriteItem::builder().put(put).build())
        };
        let actions = vec![put(marker, true)?, put(self.error_item(error)?, false)?];
        let sent = self.db.transact_write_items().set_transact_items(Some(actions)).send().await;
        match sent.map_err(|error| error::transaction(error, &[0])) {
            Ok(_) => Ok(true),
            Err(app::ports::CommitError::Duplicate) => Ok(false),
            Err(app::ports::CommitError::Stale) => {
                Err(PortError::Transient("another request reports the same".to_owned()))
            }
            Err(app::ports::CommitError::Port(error)) => Err(error),
        }
    }

    async fn add_activity(&self, line: &Activity) -> Result<bool, PortError> {
        if let (Some(map), ActivityKind::MapDeleted) = (&line.map, &line.what) {
            // Stored before the line: after a crash in between, the logs stay listed and the line is delivered again.
            let mut gone = Key::Gone(map.clone()).item();
            gone.insert("gone_at".to_owned(), number(line.at.0));
            gone.insert("ttl".to_owned(), number(line.at.plus_ms(self.retention_ms).0 / 1_000));
            self.db.put_item().table_name(&self.table).set_item(Some(gone)).send().await.map_err(error::port)?;
        }
        self.add(self.line(&Key::Activity(line.map.clone(), line.id), line, line.at)?).await
    }

    async fn resolve(&self, resolution: &Resolution) -> Result<u64, PortError> {
        let mut keys = self.unresolved(resolution).await?;
        for (id, class) in &resolution.last {
            let key = Key::Error(resolution.map.clone(), *class, *id).item();
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        self.mark_all(keys, resolution.at, resolution.how).await
    }

    async fn resolve_these(
        &self,
        map: &MapId,
        errors: &[(LogId, ErrorClass)],
        at: Timestamp,
        how: Resolved,
    ) -> Result<u64, PortError> {
        let keys = errors.iter().map(|(id, class)| Key::Error(map.clone(), *class, *id).item()).collect();
        self.mark_all(keys, at, how).await
    }

    async fn gone(&self) -> Result<Vec<MapId>, PortError> {
        self.names("GONE", Timestamp(0)).await
    }

    async fn errors(
        &self,
        map: &MapId,
        class: ErrorClass,
        range: LogRange,
        limit: usize,
    ) -> Result<Vec<LoggedError>, PortError> {
        self.newest(&Key::Error(map.clone(), class, LogId(0)), range, limit, read_error).await
    }

    async fn activities(&self, map: Option<&MapId>, range: LogRange, limit: usize) -> Result<Vec<Activity>, PortError> {
        self.newest(&Key::Activity(map.cloned(), LogId(0)), range, limit, body).await
    }

    async fn note_noisy(&self, map: &MapId, at: Timestamp) -> Result<(), PortError> {
        let update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::Noisy(map.clone()).item()))
            .update_expression("SET noisy_at = :at, #ttl = :ttl")
            .condition_expression("attribute_not_exists(noisy_at) OR noisy_at < :at")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":at", number(at.0))
            .expression_attribute_values(":ttl", number(at.plus_ms(NOISY_TTL_MS).0 / 1_000));
        error::unless_condition(update.send().await).map(drop)
    }

    async fn noisy(&self, since: Timestamp) -> Result<Vec<MapId>, PortError> {
        self.names("NOISY", since).await
    }

    async fn add_failed(&self, failed: &FailedEvent) -> Result<(), PortError> {
        let mut item = Key::Failed(failed.id).item();
        item.insert("body".to_owned(), to_json(failed)?);
        item.insert("ttl".to_owned(), number(failed.at.plus_ms(ARCHIVE_TTL_MS).0 / 1_000));
        self.db.put_item().table_name(&self.table).set_item(Some(item)).send().await.map(drop).map_err(error::port)
    }

    async fn failed(&self, before: Option<LogId>, limit: usize) -> Result<Vec<FailedEvent>, PortError> {
        let range = LogRange { before, ..LogRange::since(Timestamp(0)) };
        self.newest(&Key::Failed(LogId(0)), range, limit, body).await
    }

    async fn forget_failed(&self, id: LogId) -> Result<(), PortError> {
        let delete = self.db.delete_item().table_name(&self.table).set_key(Some(Key::Failed(id).item()));
        delete.send().await.map(drop).map_err(error::port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_is_left_out_and_the_others_are_not() {
        let item = |body: &str| Item::from([("body".to_owned(), AttributeValue::S(body.to_owned()))]);
        let items = [item("7"), item("{"), Item::new(), item("9")];
        let read: Vec<u64> = items.iter().filter_map(|item| left_out(item, body(item))).collect();
        assert_eq!(read, [7, 9]);
    }
}
