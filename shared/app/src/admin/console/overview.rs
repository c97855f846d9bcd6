//! All maps at a glance, those that need somebody first.

use std::cmp::Reverse;

use domain::{Map, MapState, rule::Incident};
use futures::{StreamExt, join, stream};

use super::status::{MapStatus, read_status};
use crate::{
    admin::AdminPorts,
    error::AppError,
    ports::{Alerts, ConfigStore},
};

/// Most maps on the page.
pub const MAX_MAPS: usize = 50;
/// Maps that are looked at at the same time.
const MAPS_AT_ONCE: usize = 8;

/// Which maps are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverviewFilter {
    /// Only maps in this state, by its name.
    pub state: Option<String>,
    /// Only maps whose name contains this.
    pub name: Option<String>,
}

/// All maps at a glance.
pub struct Overview {
    /// The maps that the filter lets pass, those that need somebody first; at most [`MAX_MAPS`].
    pub maps: Vec<MapStatus>,
    /// How many maps the filter lets pass.
    pub found: usize,
    /// How many maps there are.
    pub total: usize,
    /// When anything changed last, RFC 3339: the last incident was over, or a map changed its state.
    pub since: Option<String>,
}

/// Reads all maps at a glance.
///
/// # Errors
/// The store does not answer.
pub async fn overview<P: AdminPorts>(ports: &P, filter: &OverviewFilter) -> Result<Overview, AppError> {
    let (maps, open, last) =
        join!(ports.store().list_maps(), ports.alerts().open_incidents(), ports.alerts().incidents(None, 1));
    let (maps, open) = (maps?, open?);
    let recovered = last?.first().and_then(|incident| incident.recovered.as_ref().map(|(at, _)| *at));
    let since = maps.iter().map(|map| map.since).chain(recovered).max();
    let total = maps.len();
    let mut found: Vec<_> = maps.into_iter().filter(|map| passes(filter, map)).collect();
    found.sort_by_key(|map| (Reverse(need(map, &open)), map.id.clone()));
    let (count, open) = (found.len(), &open);
    let looks = found.into_iter().take(MAX_MAPS).map(|map| async move {
        let need = need(&map, open);
        (need, read_status(ports, map, open).await)
    });
    let mut maps: Vec<_> = stream::iter(looks).buffered(MAPS_AT_ONCE).collect().await;
    // Of maps in the same state, those with changes that wait for somebody come first.
    maps.sort_by_key(|(need, map)| Reverse((*need, map.for_you.is_some_and(|it| it.count > 0))));
    let maps = maps.into_iter().map(|(_, map)| map).collect();
    Ok(Overview { maps, found: count, total, since: since.map(|at| at.to_string()) })
}

fn passes(filter: &OverviewFilter, map: &Map) -> bool {
    filter.state.as_ref().is_none_or(|state| map.state.as_str() == state)
        && filter.name.as_ref().is_none_or(|name| map.id.as_str().contains(name.as_str()))
}

/// How much a map needs somebody: an open incident before everything, then a pause.
fn need(map: &Map, open: &[Incident]) -> (bool, u8) {
    let has_incident = open.iter().any(|incident| incident.map == map.id && incident.recovered.is_none());
    let rank = match map.state {
        MapState::Paused => 3,
        MapState::CatchingUp | MapState::Initializing => 2,
        MapState::Running => 1,
        MapState::NotRunning | MapState::Stopped => 0,
    };
    (has_incident, rank)
}
