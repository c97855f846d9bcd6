//! The age of a map's oldest waiting change.

use domain::{
    Map, Timestamp,
    lane::{Entry, ParkReason},
};
use futures::{StreamExt, TryStreamExt, stream};

use crate::{
    next_entry::next_entry,
    ports::{LaneKey, Lanes, OpenRange, PortError, Ports},
};

/// Most lanes that are read: each costs two reads, and a paused map is measured every minute.
pub const MAX_LANES: usize = 200;
/// Lanes that are read at the same time.
const READ_AT_ONCE: usize = 20;

/// The oldest change that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oldest {
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Every waiting lane was read. If not, there may be an older change.
    pub complete: bool,
}

/// Finds the oldest change that waits in a map, except those that wait for an operator. The index orders lanes by the time
/// at which they are due, and a change that fails is due later each time, so only the entries have their age. The lanes
/// that are due first are read.
///
/// # Errors
/// The journal cannot be reached.
pub async fn oldest<P: Ports>(ports: &P, map: &Map) -> Result<Option<Oldest>, PortError> {
    let open = ports.lanes().open(map, OpenRange::unparked(), MAX_LANES).await?;
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
    // Of what cannot be read, nobody knows the age.
    Ok(next_entry(ports, lane, &head).await?.filter(|entry| entry.parked != Some(ParkReason::Unreadable)))
}
