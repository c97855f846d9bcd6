//! Since when changes wait in a map.

use domain::{Map, Timestamp, lane::Entry};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    next_entry::next_entry,
    ports::{LaneKey, Lanes, OpenRange, PortError, Ports},
};

/// Most lanes that are looked at: each costs two reads, and a paused map is measured each minute.
pub const MAX_LANES: usize = 200;
/// Lanes that are read at the same time.
const READ_AT_ONCE: usize = 20;

/// The oldest change that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oldest {
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Every lane that waits was looked at. If not, there may be an older one.
    pub complete: bool,
}

/// The oldest of what waits in a map, but for an operator. The index has lanes by when they are due, and a change that is
/// tried again and again is due later each time: only the entries tell how old they are. Those that are due first are
/// looked at.
///
/// # Errors
/// The journal cannot be reached.
pub async fn oldest<P: Ports>(ports: &P, map: &Map) -> Result<Option<Oldest>, PortError> {
    let open = ports.lanes().open(map, OpenRange::moving(), MAX_LANES).await?;
    let complete = open.len() < MAX_LANES;
    let firsts = open.into_iter().map(|open| async move { first(ports, map, &open.lane).await });
    let firsts: Vec<_> = stream::iter(firsts).buffer_unordered(READ_AT_ONCE).try_collect().await?;
    let oldest = firsts.into_iter().flatten().map(|entry| entry.accepted_at).min();
    Ok(oldest.map(|accepted_at| Oldest { accepted_at, complete }))
}

/// The entry whose turn it is in a lane, unless it waits for an operator. The index may lag: the head decides.
async fn first<P: Ports>(ports: &P, map: &Map, lane: &LaneKey) -> Result<Option<Entry>, PortError> {
    let head = ports.lanes().head(lane).await?.map(|(head, _)| head);
    let Some(head) = head.filter(|head| head.map == map.uid && !head.idle() && !head.parked) else { return Ok(None) };
    next_entry(ports, lane, &head).await
}
