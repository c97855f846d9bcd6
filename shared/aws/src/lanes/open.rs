//! The index of lanes that are not idle.

use app::ports::{LaneKey, PortError};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use domain::{
    Map, Timestamp,
    lane::{Entry, Head},
};
use futures::{StreamExt, TryStreamExt, stream};

use super::DynamoLanes;
use crate::{
    error,
    keys::{Key, OPEN_SHARDS, open_partition},
};

/// Shards asked at the same time.
const SHARDS_AT_ONCE: usize = 16;

/// How many rows of the index may be out of date at once before an open lane is overlooked by a list.
const STALE_ROWS: usize = 200;

/// Lanes that have something to do by now, oldest first.
pub(super) async fn due(
    db: &Client,
    table: &str,
    map: &Map,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<LaneKey>, PortError> {
    let asked = (0..OPEN_SHARDS).map(|shard| shard_page(db, table, map, shard, now, limit));
    let pages: Vec<_> = stream::iter(asked).buffer_unordered(SHARDS_AT_ONCE).try_collect().await?;
    let mut lanes: Vec<_> = pages.into_iter().flatten().collect();
    lanes.sort();
    lanes.truncate(limit);
    Ok(lanes.into_iter().map(|(_, lane)| lane).collect())
}

async fn shard_page(
    db: &Client,
    table: &str,
    map: &Map,
    shard: u32,
    until: Timestamp,
    limit: usize,
) -> Result<Vec<(u64, LaneKey)>, PortError> {
    let page = db
        .query()
        .table_name(table)
        .index_name("open")
        .key_condition_expression("open_pk = :pk AND open_at <= :until")
        .expression_attribute_values(":pk", AttributeValue::S(open_partition(&map.id, shard)))
        .expression_attribute_values(":until", AttributeValue::N(until.0.to_string()))
        .limit(i32::try_from(limit).unwrap_or(i32::MAX))
        .send()
        .await
        .map_err(error::port)?;
    let read = |item: &std::collections::HashMap<String, AttributeValue>| {
        let at = item.get("open_at")?.as_n().ok()?.parse().ok()?;
        Some((at, Key::parse_lane(item.get("pk")?.as_s().ok()?)?))
    };
    Ok(page.items().iter().filter_map(read).collect())
}

/// Lanes of a map that are not idle, with their heads and the entry each stands at. At most `limit`, oldest first.
///
/// # Errors
/// The table cannot be reached or read.
pub async fn open(
    db: &Client,
    table: &str,
    map: &Map,
    limit: usize,
) -> Result<Vec<(LaneKey, Head, Option<Entry>)>, PortError> {
    use app::ports::Lanes;
    let lanes = DynamoLanes::new(db.clone(), table);
    // The index may still name lanes that are idle by now: they must not take the place of open ones.
    let found = due(db, table, map, Timestamp::NEVER, limit.saturating_add(STALE_ROWS)).await?;
    let mut open = Vec::new();
    for lane in found {
        if open.len() == limit {
            break;
        }
        // The index may lag: the head says whether the lane is open.
        let Some((head, _)) = lanes.head(&lane).await?.filter(|(head, _)| !head.idle() && head.map == map.uid) else {
            continue;
        };
        let direct = head.inflight.as_ref().and_then(|inflight| inflight.direct.as_deref().cloned());
        let entry = match direct {
            Some(entry) => Some(entry),
            None => lanes.entry(&lane, head.done_seq + 1).await?,
        };
        open.push((lane, head, entry));
    }
    Ok(open)
}
