//! The journal in DynamoDB: heads, entries, markers.

mod items;
mod open;

use app::ports::{Commit, CommitError, JournalOp, LaneKey, Lanes, PortError};
use aws_sdk_dynamodb::{
    Client,
    types::{AttributeValue, Delete, Put, ReturnConsumedCapacity, TransactWriteItem, Update},
};
use domain::{
    Map, MapId, Timestamp, WriteId,
    lane::{Echoes, Entry, Head, Marker, MarkerState},
};

pub use self::open::open;
use crate::{
    error,
    keys::{Key, shard_of},
};

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

    /// The head's part of a commit. Named attributes are set one by one, so that the echoes, which others note while
    /// this write is in flight, stay as they are.
    fn head_update(&self, lane: &LaneKey, commit: &Commit) -> Result<items::HeadUpdate, PortError> {
        items::head_update(&commit.head, commit.expected, lane, shard_of(lane))
    }
}

impl Lanes for DynamoLanes {
    async fn head(&self, lane: &LaneKey) -> Result<Option<(Head, Echoes)>, PortError> {
        let item = self.get(&Key::Head(lane.clone())).await?;
        item.map(|item| items::read_head(&item)).transpose()
    }

    async fn entry(&self, lane: &LaneKey, seq: u64) -> Result<Option<Entry>, PortError> {
        let item = self.get(&Key::Entry(lane.clone(), seq)).await?;
        item.map(|item| items::read_body(&item)).transpose()
    }

    async fn marker(&self, map: &MapId, id: WriteId) -> Result<Option<Marker>, PortError> {
        let item = self.get(&Key::marker(map, id)).await?;
        item.map(|item| items::read_body(&item)).transpose()
    }

    async fn commit(&self, lane: &LaneKey, commit: Commit) -> Result<(), CommitError> {
        let update = self.head_update(lane, &commit)?;
        if commit.ops.is_empty() {
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
        for op in commit.ops {
            self.journal(lane, op, &mut actions, &mut markers)?;
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
            .update_expression("SET echoes = :noted")
            .expression_attribute_values(":noted", items::pack(noted)?);
        update = if *read == Echoes::default() {
            update.condition_expression("attribute_exists(pk) AND attribute_not_exists(echoes)")
        } else {
            update.condition_expression("echoes = :read").expression_attribute_values(":read", items::pack(read)?)
        };
        update.send().await.map(|_| ()).map_err(error::update)
    }

    async fn due(&self, map: &Map, now: Timestamp, limit: usize) -> Result<Vec<LaneKey>, PortError> {
        open::due(&self.db, &self.table, map, now, limit).await
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
}

impl DynamoLanes {
    /// What a change of the journal is in DynamoDB's terms.
    fn journal(
        &self,
        lane: &LaneKey,
        op: JournalOp,
        actions: &mut Vec<TransactWriteItem>,
        markers: &mut Vec<usize>,
    ) -> Result<(), PortError> {
        let put = |key: &Key, item: items::Item, fresh: bool| -> Result<TransactWriteItem, PortError> {
            let mut item = item;
            item.extend(key.item());
            let put = Put::builder().table_name(&self.table).set_item(Some(item));
            let put = if fresh { put.condition_expression("attribute_not_exists(pk)") } else { put };
            Ok(TransactWriteItem::builder().put(built(put.build())?).build())
        };
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
                // An open entry's marker says so already.
                if let Some(marker) = marker.filter(|marker| marker.state != MarkerState::Open) {
                    actions.push(put(&Key::marker(&lane.map, marker.id), items::marker(&marker)?, false)?);
                }
            }
            JournalOp::Finish { seq, marker } => {
                let delete =
                    Delete::builder().table_name(&self.table).set_key(Some(Key::Entry(lane.clone(), seq).item()));
                actions.push(TransactWriteItem::builder().delete(built(delete.build())?).build());
                if let Some(marker) = marker {
                    actions.push(put(&Key::marker(&lane.map, marker.id), items::marker(&marker)?, false)?);
                }
            }
        }
        Ok(())
    }
}

/// The builders refuse only what is missing from the code above.
fn built<T>(built: Result<T, aws_sdk_dynamodb::error::BuildError>) -> Result<T, PortError> {
    built.map_err(|error| PortError::Permanent(error.to_string()))
}
