//! The journal in DynamoDB: heads, entries, markers.

mod archive;
mod gauges;
mod items;
mod open;

use app::ports::{Commit, CommitError, JournalOp, LaneKey, Lanes, OpenLane, OpenRange, PortError};
use aws_sdk_dynamodb::{
    Client,
    operation::query::builders::QueryFluentBuilder,
    types::{AttributeValue, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update},
};
use domain::{
    Map, MapId, WriteId,
    id::MapUid,
    lane::{Echoes, Entry, Head, Marker, MarkerState},
};

pub use self::open::open;
use crate::{
    documents, error,
    keys::{Key, shard_of},
    outbox::OUTBOX,
    ports::now,
};

/// Condition: the item has not been recovered or reversed yet.
const STILL_OPEN: &str = "attribute_exists(pk) AND attribute_not_exists(closed)";

/// The journal in DynamoDB.
#[derive(Clone, Debug)]
pub struct DynamoLanes {
    db: Client,
    table: String,
}

impl DynamoLanes {
    /// The journal in this table.
    #[must_use]
    pub fn new(db: Client, table: &str) -> Self {
        Self { db, table: table.to_owned() }
    }

    async fn get(&self, key: &Key) -> Result<Option<items::Item>, PortError> {
        let got = self.db.get_item().table_name(&self.table).set_key(Some(key.item())).consistent_read(true);
        Ok(got.send().await.map_err(error::port)?.item)
    }
}

impl Lanes for DynamoLanes {
    async fn head(&self, lane: &LaneKey) -> Result<Option<(Head, Echoes)>, PortError> {
        let item = self.get(&Key::Head(lane.clone())).await?;
        let Some(item) = item else { return Ok(None) };
        match items::read_head(&item) {
            Err(PortError::Permanent(why)) => self.rebuild_head(lane, &item, why).await.map(Some),
            read => read.map(Some),
        }
    }

    async fn entry(&self, lane: &LaneKey, seq: u64) -> Result<Option<Entry>, PortError> {
        let item = self.get(&Key::Entry(lane.clone(), seq)).await?;
        item.map(|item| items::read_entry(&item, seq)).transpose()
    }

    async fn marker(&self, map: &MapId, id: WriteId) -> Result<Option<Marker>, PortError> {
        let item = self.get(&Key::marker(map, id)).await?;
        item.map(|item| items::read_body(&item)).transpose()
    }

    async fn commit(&self, lane: &LaneKey, commit: Commit) -> Result<(), CommitError> {
        let (mut ops, mut log) = (Vec::new(), Vec::new());
        for op in commit.ops {
            match op {
                JournalOp::Log(event) => log.push(event),
                op => ops.push(op),
            }
        }
        let shard = shard_of(lane);
        let update = items::head_update(&commit.head, commit.expected, lane, shard, &log)?;
        if ops.is_empty() {
            let sent = self
                .db
                .update_item()
                .table_name(&self.table)
                .set_key(Some(Key::Head(lane.clone()).item()))
                .update_expression(update.expression)
                .condition_expression(update.condition)
                .set_expression_attribute_values(Some(update.values))
                .return_consumed_capacity(ReturnConsumedCapacity::None)
                .send()
                .await;
            return sent.map(|_| ()).map_err(error::update);
        }
        let head = Update::builder()
            .table_name(&self.table)
            .set_key(Some(Key::Head(lane.clone()).item()))
            .update_expression(update.expression)
            .condition_expression(update.condition)
            .set_expression_attribute_values(Some(update.values));
        let mut actions = vec![TransactWriteItem::builder().update(built(head.build())?).build()];
        let mut markers = Vec::new();
        for op in ops {
            self.add_actions(commit.head.map, lane, op, &mut actions, &mut markers)?;
        }
        let sent = self.db.transact_write_items().set_transact_items(Some(actions)).send().await;
        sent.map(|_| ()).map_err(|error| error::transaction(error, &markers))
    }

    async fn note_echo(&self, lane: &LaneKey, read: &Echoes, noted: &Echoes) -> Result<(), CommitError> {
        let mut update = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::Head(lane.clone()).item()))
            .expression_attribute_values(":noted", items::pack(noted)?);
        // Removes the outbox of the previous change, because the stream would deliver it again with this one.
        update = if noted.forgotten_ids().is_empty() {
            update.update_expression(format!("SET echoes = :noted REMOVE {OUTBOX}, echo_ids"))
        } else {
            update
                .update_expression(format!("SET echoes = :noted, echo_ids = :ids REMOVE {OUTBOX}"))
                .expression_attribute_values(":ids", items::pack(noted.forgotten_ids())?)
        };
        update = if *read == Echoes::default() {
            update.condition_expression("attribute_exists(pk) AND attribute_not_exists(echoes)")
        } else {
            update.condition_expression("echoes = :read").expression_attribute_values(":read", items::pack(read)?)
        };
        update.send().await.map(|_| ()).map_err(error::update)
    }

    async fn entries(&self, lane: &LaneKey, from: u64, limit: usize) -> Result<Vec<Entry>, PortError> {
        let (first, last) = (Key::Entry(lane.clone(), from), Key::Entry(lane.clone(), u64::MAX));
        let mut entries = Vec::new();
        let mut start = None;
        // A page ends at 1 MB, and entries may be large.
        while entries.len() < limit {
            let page = self
                .query_range(&first, &last)
                .limit(i32::try_from(limit - entries.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(error::port)?;
            for item in page.items() {
                let seq = Key::parse_seq(item).unwrap_or(from + entries.len() as u64);
                entries.push(items::read_entry(item, seq)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        Ok(entries)
    }

    async fn open(&self, map: &Map, range: OpenRange, limit: usize) -> Result<Vec<OpenLane>, PortError> {
        open::range(&self.db, &self.table, map, &range, limit).await
    }

    async fn count_skipped(&self, map: &Map) -> Result<(), PortError> {
        let count = self
            .db
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::Skipped(map.uid).item()))
            .update_expression("ADD skipped :one")
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()));
        count.send().await.map(|_| ()).map_err(error::port)
    }

    async fn skipped(&self, map: &Map) -> Result<u64, PortError> {
        let item = self.get(&Key::Skipped(map.uid)).await?;
        item.map_or(Ok(0), |item| items::read_number(&item, "skipped"))
    }
}

impl DynamoLanes {
    /// Queries a partition from one sort key to another, consistently.
    fn query_range(&self, first: &Key, last: &Key) -> QueryFluentBuilder {
        self.db
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :first AND :last")
            .expression_attribute_values(":pk", AttributeValue::S(first.pk()))
            .expression_attribute_values(":first", AttributeValue::S(first.sk()))
            .expression_attribute_values(":last", AttributeValue::S(last.sk()))
            .consistent_read(true)
    }

    /// Rebuilds the head of a lane from the entries that wait in it.
    async fn rebuild_head(&self, lane: &LaneKey, item: &items::Item, why: String) -> Result<(Head, Echoes), PortError> {
        let (first, last) = (Key::Entry(lane.clone(), 0), Key::Entry(lane.clone(), u64::MAX));
        let end = async |forward: bool| -> Result<Option<u64>, PortError> {
            let query =
                self.query_range(&first, &last).projection_expression("sk").scan_index_forward(forward).limit(1);
            let page = query.send().await.map_err(error::port)?;
            Ok(page.items().first().and_then(Key::parse_seq))
        };
        let waiting = end(true).await?.zip(end(false).await?);
        let map = match items::read_uid(item) {
            Ok(map) => map,
            Err(_) => self.uid_of(&lane.map).await?,
        };
        Ok(items::rebuild_head(item, map, waiting, why, now()))
    }

    /// The uid of the map that has this name now.
    async fn uid_of(&self, map: &MapId) -> Result<MapUid, PortError> {
        let item = self.get(&Key::Map(map.clone())).await?;
        let item = item.ok_or_else(|| PortError::Permanent(format!("there is no map {map}")))?;
        documents::read::<Map>(&item).map(|map| map.uid)
    }

    fn delete(&self, key: &Key) -> Result<TransactWriteItem, PortError> {
        let delete = Delete::builder().table_name(&self.table).set_key(Some(key.item()));
        Ok(TransactWriteItem::builder().delete(built(delete.build())?).build())
    }

    /// Adds the actions that make a change of the journal.
    fn add_actions(
        &self,
        map: MapUid,
        lane: &LaneKey,
        op: JournalOp,
        actions: &mut Vec<TransactWriteItem>,
        markers: &mut Vec<usize>,
    ) -> Result<(), PortError> {
        let put_if = |key: &Key, item: items::Item, condition: Option<&str>| -> Result<TransactWriteItem, PortError> {
            let mut item = item;
            item.extend(key.item());
            let put = Put::builder().table_name(&self.table).set_item(Some(item));
            let put = put.set_condition_expression(condition.map(str::to_owned));
            Ok(TransactWriteItem::builder().put(built(put.build())?).build())
        };
        let put =
            |key: &Key, item: items::Item, fresh: bool| put_if(key, item, fresh.then_some("attribute_not_exists(pk)"));
        match op {
            JournalOp::Append(entry, marker) => {
                actions.push(put(&Key::Entry(lane.clone(), entry.seq), items::body(&entry, None)?, true)?);
                if let Some(marker) = marker {
                    markers.push(actions.len());
                    actions.push(put(&Key::marker(&lane.map, marker.id), items::marker(&marker)?, true)?);
                }
            }
            JournalOp::Update(entry, marker) => {
                actions.push(put(&Key::Entry(lane.clone(), entry.seq), items::body(&entry, None)?, false)?);
                // The stored marker of an open entry is already `Open`.
                if let Some(marker) = marker.filter(|marker| marker.state != MarkerState::Open) {
                    actions.push(put(&Key::marker(&lane.map, marker.id), items::marker(&marker)?, false)?);
                }
            }
            JournalOp::Finish { seq, marker } => {
                actions.push(self.delete(&Key::Entry(lane.clone(), seq))?);
                if let Some(marker) = marker {
                    actions.push(put(&Key::marker(&lane.map, marker.id), items::marker(&marker)?, false)?);
                }
            }
            JournalOp::Archive(archived, marker) => {
                actions.push(self.delete(&Key::Entry(lane.clone(), archived.entry.seq))?);
                actions.push(put(&Key::Archived(map, archived.id), items::archived(&archived)?, true)?);
                if let Some(marker) = marker {
                    actions.push(put(&Key::marker(&lane.map, marker.id), items::marker(&marker)?, false)?);
                }
            }
            JournalOp::Keep(archived) => {
                actions.push(put(&Key::Archived(map, archived.id), items::archived(&archived)?, true)?);
            }
            JournalOp::Recover(archived) => {
                markers.push(actions.len());
                actions.push(put_if(&Key::Archived(map, archived.id), items::archived(&archived)?, Some(STILL_OPEN))?);
            }
            JournalOp::Conflict(conflict) => {
                actions.push(put(&Key::Conflict(map, conflict.entry), items::conflict(&conflict)?, false)?);
            }
            JournalOp::Reverse(conflict) => {
                markers.push(actions.len());
                actions.push(put_if(
                    &Key::Conflict(map, conflict.entry),
                    items::conflict(&conflict)?,
                    Some(STILL_OPEN),
                )?);
            }
            JournalOp::Log(_) => {} // stands in the head
        }
        Ok(())
    }
}

/// A builder fails only if the code above omits a field.
fn built<T>(built: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, PortError> {
    built.map_err(|error| PortError::Permanent(error.to_string()))
}
