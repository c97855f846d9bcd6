//! The writes that wait in a map.

use domain::{MapId, RecordKey};

use super::{
    PAGE,
    status::{MapStatus, read_status},
};
use crate::{
    admin::{
        AdminPorts, backlog,
        cursor::{queue_cursor, read_queue_cursor},
        maps, view,
    },
    error::AppError,
    ports::Alerts,
};

/// A map and a page of its queued writes.
pub struct QueuePage {
    /// The map.
    pub status: MapStatus,
    /// The writes, in the order of their records.
    pub entries: view::Entries,
}

/// Reads a map and a page of its queued writes, from behind the place `after`; with a key, those of one record alone.
///
/// # Errors
/// There is no such map, the place is none, or the store does not answer.
pub async fn queue<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    key: Option<RecordKey>,
    after: Option<&str>,
) -> Result<QueuePage, AppError> {
    let after = after.map(|text| read_queue_cursor(id, text)).transpose()?;
    let map = maps::get(ports, id).await?;
    let (listed, next) = backlog::list(ports, id, key, after, PAGE).await?;
    let open = ports.alerts().open_incidents().await?;
    let entries = listed.into_iter().map(|(key, entry)| view::EntryView::of(&map, &key, entry)).collect();
    let entries = view::Entries { entries, next: next.as_ref().map(queue_cursor) };
    Ok(QueuePage { status: read_status(ports, map, &open).await, entries })
}
