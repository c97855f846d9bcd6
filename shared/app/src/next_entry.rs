//! The entry whose turn it is in a lane.

use domain::lane::{Entry, Head};

use crate::ports::{LaneKey, Lanes, PortError, Ports};

/// Reads the entry whose turn it is: the one that the head itself carries, or the first one behind the last that ended.
///
/// # Errors
/// The journal cannot be reached.
pub(crate) async fn next_entry<P: Ports>(ports: &P, lane: &LaneKey, head: &Head) -> Result<Option<Entry>, PortError> {
    match head.inflight.as_ref().and_then(|active| active.direct.as_deref()) {
        Some(direct) => Ok(Some(direct.clone())),
        None => ports.lanes().entry(lane, head.done_seq + 1).await,
    }
}
