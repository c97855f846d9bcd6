//! The entries that wait in a map: their number, their age, and the entries themselves.

use domain::{
    Map, MapId, MapState, RecordKey, Timestamp,
    lane::{Entry, Head},
};
use futures::{StreamExt, stream};

use super::{AdminPorts, entry::read_entry, maps};
use crate::{
    backlog_age::{Oldest, oldest},
    error::{AppError, ResourceKind, Subject},
    ports::{CatchUp, ConfigStore, Gauges, LaneKey, Lanes, OpenLane, OpenRange, Queues, Sample},
    write::canonical_key,
};

/// Most entries on one page.
pub const MAX_LISTED: usize = 200;
/// Entries of one lane that are read at a time.
const PAGE: usize = 100;
/// Maps that are read at the same time.
const MAPS_AT_ONCE: usize = 8;

/// The size of a map's backlog, and how fast it shrinks.
#[derive(Clone, Debug, PartialEq)]
pub struct Backlog {
    /// The map's state.
    pub state: MapState,
    /// The number of entries that wait, as the queue reports it. Approximate. `None` if the map has no queue.
    pub depth: Option<u64>,
    /// The oldest waiting entry.
    pub oldest: Option<Oldest>,
    /// Growth of the queue in entries per minute while the map is paused.
    pub growth_per_minute: Option<f64>,
    /// The progress since the last resume.
    pub catch_up: Option<CatchUp>,
    /// Entries per second of the current or the previous catch-up.
    pub rate_per_second: Option<f64>,
    /// Seconds until the backlog is written at that rate.
    pub expected_seconds: Option<f64>,
    /// The expected end of the catch-up, while the map catches up.
    pub expected_at: Option<Timestamp>,
}

/// Reads the size of a map's backlog.
///
/// # Errors
/// The map does not exist, or the store or the queue does not answer.
pub async fn status<P: AdminPorts>(ports: &P, id: &MapId) -> Result<Backlog, AppError> {
    let map = maps::get(ports, id).await?;
    measure(ports, &map).await
}

/// Reads the backlog of each map that is paused or catches up. A map that cannot be read does not hide the others.
///
/// # Errors
/// The maps cannot be listed.
pub async fn all<P: AdminPorts>(ports: &P) -> Result<Vec<(MapId, Result<Backlog, AppError>)>, AppError> {
    let maps = ports.store().list_maps().await?.into_iter().filter(|map| map.state.queues());
    let looks = maps.map(|map| async move {
        let backlog = measure(ports, &map).await;
        (map.id, backlog)
    });
    Ok(stream::iter(looks).buffered(MAPS_AT_ONCE).collect().await)
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the figures are estimates for people"
)]
pub(super) async fn measure<P: AdminPorts>(ports: &P, map: &Map) -> Result<Backlog, AppError> {
    let depth = ports.queues().depth(map).await?;
    let samples = ports.lanes().depths(map).await?;
    let catch_up = ports.lanes().catch_up(map).await?;
    let oldest = oldest(ports, map).await?;
    let now = ports.now();
    // Samples from before this pause do not count: a catch-up may lie in between.
    let of_this_pause = |sample: &&Sample| map.state == MapState::Paused && sample.at >= map.since;
    let growth_per_minute = samples.iter().rev().find(of_this_pause).zip(depth).and_then(|(sample, depth)| {
        let minutes = now.ms_since(sample.at) as f64 / 60_000.0;
        (minutes > 0.0).then(|| (depth as f64 - sample.depth as f64) / minutes)
    });
    let rate_per_second = catch_up.as_ref().and_then(|done| {
        let seconds = done.last.ms_since(done.began) as f64 / 1_000.0;
        (seconds > 0.0).then(|| (done.done + done.archived) as f64 / seconds)
    });
    let rate = rate_per_second.filter(|rate| *rate > 0.0);
    let expected_seconds = rate.zip(depth).map(|(rate, depth)| depth as f64 / rate);
    let expected_at = expected_seconds.filter(|_| map.state == MapState::CatchingUp);
    Ok(Backlog {
        state: map.state,
        depth,
        oldest,
        growth_per_minute,
        catch_up,
        rate_per_second,
        expected_seconds,
        expected_at: expected_at.map(|seconds| now.plus_ms((seconds * 1_000.0) as u64)),
    })
}

/// The end of a page: the next one begins behind this entry of this lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The lane, as the index has it.
    pub open: OpenLane,
    /// The place of the last entry on the page.
    pub seq: u64,
}

/// Lists waiting entries lane by lane, including those behind a parked entry. With a record key, lists the entries of that
/// record alone. Returns where the next page begins, if there is one.
///
/// # Errors
/// The map does not exist, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    key: Option<RecordKey>,
    after: Option<Cursor>,
    limit: usize,
) -> Result<(Vec<(RecordKey, Entry)>, Option<Cursor>), AppError> {
    let map = maps::get(ports, id).await?;
    let limit = limit.clamp(1, MAX_LISTED);
    let mut listed = Vec::new();
    if let Some(key) = key {
        let lane = LaneKey { map: map.id.clone(), key: canonical_key(&map.config, &key)? };
        let from = after.map_or(1, |after| after.seq + 1);
        let entries = ports.lanes().entries(&lane, from, limit).await?;
        let open = OpenLane { at: Timestamp(0), lane };
        let next = last_of(&entries, limit).map(|seq| Cursor { open: open.clone(), seq });
        return Ok((entries.into_iter().map(|entry| (open.lane.key.clone(), entry)).collect(), next));
    }
    // The range includes parked lanes, which come last.
    let mut range = OpenRange::all();
    let mut from = 1;
    if let Some(Cursor { open, seq }) = after {
        // The rest of that lane comes first.
        (range.after, from) = (Some(open), seq + 1);
    }
    let mut lanes = range.after.clone().into_iter().collect::<Vec<_>>();
    loop {
        for open in lanes {
            loop {
                let left = limit - listed.len();
                let entries = ports.lanes().entries(&open.lane, from, left.min(PAGE)).await?;
                let full = entries.len() == left.min(PAGE);
                from = entries.last().map_or(1, |entry| entry.seq + 1);
                listed.extend(entries.into_iter().map(|entry| (open.lane.key.clone(), entry)));
                if listed.len() == limit {
                    return Ok((listed, Some(Cursor { open, seq: from - 1 })));
                }
                if !full {
                    from = 1;
                    break;
                }
            }
            range.after = Some(open);
        }
        lanes = ports.lanes().open(&map, range.clone(), PAGE).await?;
        if lanes.is_empty() {
            return Ok((listed, None));
        }
    }
}

fn last_of(entries: &[Entry], limit: usize) -> Option<u64> {
    entries.last().filter(|_| entries.len() == limit).map(|entry| entry.seq)
}

/// Reads one entry that waits, is being written, or is parked.
///
/// # Errors
/// The map or the entry does not exist, or the store does not answer.
pub async fn entry<P: AdminPorts>(ports: &P, id: &MapId, key: RecordKey, seq: u64) -> Result<(Head, Entry), AppError> {
    let map = maps::get(ports, id).await?;
    let lane = LaneKey { map: map.id.clone(), key: canonical_key(&map.config, &key)? };
    let head = ports.lanes().head(&lane).await?.map(|(head, _)| head).filter(|head| head.map == map.uid);
    let none = || AppError::NotFound(ResourceKind::Entry).about(Subject::entry(id, &lane.key, seq));
    let head = head.ok_or_else(none)?;
    let found = read_entry(ports, &lane, &head, seq).await?;
    Ok((head, found.ok_or_else(none)?))
}
