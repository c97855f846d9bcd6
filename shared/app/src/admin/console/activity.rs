//! A map's activity log.

use domain::{LogId, MapId, Timestamp};

use super::{
    PAGE,
    status::{MapStatus, read_status},
};
use crate::{
    admin::{AdminPorts, logs, maps, view},
    error::AppError,
    ports::Alerts,
};

/// A map and a page of its activity log.
pub struct ActivityPage {
    /// The map.
    pub status: MapStatus,
    /// The lines, newest first.
    pub activities: view::Activities,
}

/// Reads a map and a page of its activity log, from behind the line `before`.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn activity<P: AdminPorts>(ports: &P, id: &MapId, before: Option<LogId>) -> Result<ActivityPage, AppError> {
    let map = maps::get(ports, id).await?;
    let named = std::slice::from_ref(id);
    let page = logs::activities(ports, named, Timestamp(0), before, PAGE).await?;
    let open = ports.alerts().open_incidents().await?;
    let lines = page.lines.into_iter().map(view::ActivityView::from).collect();
    Ok(ActivityPage {
        status: read_status(ports, map, &open).await,
        activities: view::Activities { lines, next: page.next.map(|next| next.to_string()) },
    })
}
