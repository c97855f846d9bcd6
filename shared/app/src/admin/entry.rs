//! Reads entries of a lane, whether the head or the journal keeps them.

use domain::lane::{Entry, Head};

use super::AdminPorts;
use crate::{
    error::AppError,
    ports::{LaneKey, Lanes},
};

/// The entry of a direct write. The head keeps it; the journal does not have it.
pub(super) fn direct_entry(head: &Head) -> Option<Entry> {
    head.inflight.as_ref().and_then(|active| active.direct.as_deref().cloned())
}

/// Reads the entry that the lane executes next.
pub(super) async fn next_entry<P: AdminPorts>(
    ports: &P,
    lane: &LaneKey,
    head: &Head,
) -> Result<Option<Entry>, AppError> {
    match direct_entry(head) {
        Some(direct) => Ok(Some(direct)),
        None => Ok(ports.lanes().entry(lane, head.done_seq + 1).await?),
    }
}

/// Reads the entry at a place of the lane.
pub(super) async fn read_entry<P: AdminPorts>(
    ports: &P,
    lane: &LaneKey,
    head: &Head,
    seq: u64,
) -> Result<Option<Entry>, AppError> {
    match direct_entry(head).filter(|entry| entry.seq == seq) {
        Some(direct) => Ok(Some(direct)),
        None => Ok(ports.lanes().entry(lane, seq).await?),
    }
}
