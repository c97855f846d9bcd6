//! The paused-write queues.

use std::future::Future;

use domain::{EntryId, Map, RecordKey};

use super::PortError;

/// The paused-write queues: one FIFO queue per map, which holds pointers only. Messages may be lost, doubled or late, and
/// a queue forgets them after 14 days: the journal is the truth, and the sweep finds what a queue has lost.
pub trait Queues: Sync {
    /// Makes the map's queue. Making it again changes nothing.
    fn create(&self, map: &Map) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Removes the map's queue with what is in it. Removing what is not there is a success.
    fn remove(&self, map: &Map) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Sends pointers, in this order. Pointers to one record are received in the order in which they were sent. A second
    /// pointer to the same entry within five minutes is dropped.
    fn send(&self, map: &Map, pointers: &[Pointer]) -> impl Future<Output = Result<(), PortError>> + Send;
    /// At most ten pointers, without waiting for more. Nobody else receives pointers to the same records until these are
    /// deleted or a minute is over; then they come again.
    fn receive(&self, map: &Map) -> impl Future<Output = Result<Vec<Received>, PortError>> + Send;
    /// Takes received pointers out of the queue.
    fn delete(&self, map: &Map, receipts: &[String]) -> impl Future<Output = Result<(), PortError>> + Send;
    /// How many pointers are in the queue: those that wait, and those that were received and not deleted yet.
    /// Approximate. `None`: the map has no queue, so it is not known how much waits.
    fn depth(&self, map: &Map) -> impl Future<Output = Result<Option<u64>, PortError>> + Send;
}

/// Points to an entry in the journal.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pointer {
    /// The record.
    pub key: RecordKey,
    /// The entry's place in its lane.
    pub seq: u64,
    /// The entry.
    pub entry: EntryId,
}

/// A pointer, with what deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The pointer.
    pub pointer: Pointer,
    /// Names this receipt of it.
    pub receipt: String,
}
