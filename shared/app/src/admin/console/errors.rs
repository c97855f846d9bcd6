//! The errors of a map: by cause first, then one by one.

use domain::{LogId, MapId};

use super::{
    PAGE,
    status::{MapStatus, read_status},
};
use crate::{
    admin::{
        AdminPorts,
        logs::{self, ErrorFilter, GroupBy},
        maps, view,
    },
    error::AppError,
    ports::Alerts,
};

/// A map and its errors by cause.
pub struct CausesPage {
    /// The map.
    pub status: MapStatus,
    /// The causes, the most frequent first.
    pub causes: view::ErrorGroups,
}

/// A map and a page of its errors.
pub struct RecordsPage {
    /// The map.
    pub status: MapStatus,
    /// The errors, newest first.
    pub errors: view::LoggedErrors,
}

/// Reads a map and its errors by cause. Of the filter, the map is set here.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn causes<P: AdminPorts>(ports: &P, id: &MapId, filter: ErrorFilter) -> Result<CausesPage, AppError> {
    let map = maps::get(ports, id).await?;
    let filter = filter.of_map(id.clone());
    let (groups, complete) = logs::groups(ports, &filter, GroupBy::Message).await?;
    let open = ports.alerts().open_incidents().await?;
    let groups = groups.into_iter().map(view::ErrorGroup::from).collect();
    let causes = view::ErrorGroups { groups, complete };
    Ok(CausesPage { status: read_status(ports, map, &open).await, causes })
}

/// Reads a map and a page of its errors, from behind the line `before`. Of the filter, the map is set here.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn records<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    filter: ErrorFilter,
    before: Option<LogId>,
) -> Result<RecordsPage, AppError> {
    let map = maps::get(ports, id).await?;
    let filter = filter.of_map(id.clone());
    let page = logs::errors(ports, &filter, before, PAGE).await?;
    let open = ports.alerts().open_incidents().await?;
    let errors = page.lines.into_iter().map(view::ErrorView::from).collect();
    let errors = view::LoggedErrors { errors, next: page.next.map(|next| next.to_string()) };
    Ok(RecordsPage { status: read_status(ports, map, &open).await, errors })
}
