//! The index of lanes that are not idle.

use std::collections::HashMap;

use app::ports::{FirstDue, LaneKey, OpenLane, OpenRange, PortError};
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

/// Number of shards queried in parallel.
const SHARDS_AT_ONCE: usize = 16;

/// Number of stale rows in the index that a list tolerates before it may miss an open lane.
const STALE_ROWS: usize = 200;

/// Lanes within a range of the index, in its order.
pub(super) async fn range(
    db: &Client,
    table: &str,
    map: &Map,
    range: &OpenRange,
    limit: usize,
) -> Result<Vec<OpenLane>, PortError> {
    let asked = (0..OPEN_SHARDS).map(|shard| in_shard(db, table, map, shard, range, limit));
    let pages: Vec<_> = stream::iter(asked).buffer_unordered(SHARDS_AT_ONCE).try_collect().await?;
    let mut lanes: Vec<_> = pages.into_iter().flatten().collect();
    range.sort(&mut lanes);
    lanes.truncate(limit);
    Ok(lanes)
}

/// Reads the first lanes of one shard. The index does not order lanes within a millisecond, so this reads pages until
/// there are enough lanes after the cursor, including all lanes of the last millisecond.
async fn in_shard(
    db: &Client,
    table: &str,
    map: &Map,
    shard: u32,
    range: &OpenRange,
    limit: usize,
) -> Result<Vec<OpenLane>, PortError> {
    let after = range.after.as_ref().map(|after| after.at);
    let (from, until) = match range.first {
        FirstDue::Oldest => (after.unwrap_or(range.from).max(range.from), range.until),
        FirstDue::Newest => (range.from, after.unwrap_or(range.until).min(range.until)),
    };
    let number = |at: Timestamp| AttributeValue::N(at.0.to_string());
    let mut found: Vec<OpenLane> = Vec::new();
    let mut start = None;
    loop {
        let page = db
            .query()
            .table_name(table)
            .index_name("open")
            .key_condition_expression("open_pk = :pk AND open_at BETWEEN :from AND :until")
            .expression_attribute_values(":pk", AttributeValue::S(open_partition(&map.id, shard)))
            .expression_attribute_values(":from", number(from))
            .expression_attribute_values(":until", number(until))
            .scan_index_forward(range.first == FirstDue::Oldest)
            .limit(i32::try_from(limit.max(1)).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(error::port)?;
        found.extend(page.items().iter().filter_map(read).filter(|open| range.contains(open)));
        start = page.last_evaluated_key;
        let complete = found.len() > limit && found.last().map(|last| last.at) != found.get(limit - 1).map(|at| at.at);
        if start.is_none() || complete {
            return Ok(found);
        }
    }
}

fn read(item: &HashMap<String, AttributeValue>) -> Option<OpenLane> {
    let at = item.get("open_at")?.as_n().ok()?.parse().ok()?;
    Some(OpenLane { at: Timestamp(at), lane: Key::parse_lane(item.get("pk")?.as_s().ok()?)? })
}

/// Lists lanes of a map that are not idle, with their heads and next entries. At most `limit`, oldest first.
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
    // The index may still list lanes that are idle by now. They must not displace open lanes.
    let found = range(db, table, map, &OpenRange::all(), limit.saturating_add(STALE_ROWS)).await?;
    let mut open = Vec::new();
    for OpenLane { lane, .. } in found {
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
