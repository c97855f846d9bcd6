//! Probing a broken app: of a paused map's changes, the oldest one that can be tried is tried.

use domain::{Map, MapId, MapState};

use super::{
    lane::{AttemptEnd, LaneEnd, try_once},
    pace::Pace,
};
use crate::ports::{Apps, Config, Lanes, OpenRange, PortError, Ports, SyncMap};

/// Most lanes that are read to find one that is due.
const LANES: usize = 20;

/// Whether an app accepts changes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppHealth {
    /// It accepted one.
    Well,
    /// It did not.
    StillBroken,
}

/// Tries one change of a paused map. The change is executed under its lane's lease and settled like any other; if the app
/// refuses it for good, it is parked. When nothing waits, both apps are asked for a record.
///
/// # Errors
/// The configuration or the journal cannot be reached.
pub async fn probe_map<P: Ports>(ports: &P, id: &MapId) -> Result<AppHealth, PortError> {
    let Some(map) = ports.config().fresh_map(id).await?.filter(|map| map.state == MapState::Paused) else {
        return Ok(AppHealth::StillBroken);
    };
    let as_live = SyncMap { map: Map { state: MapState::CatchingUp, cut: None, ..map.map.clone() }, ..map.clone() };
    for open in ports.lanes().open(&map.map, OpenRange::due(ports.now()), LANES).await? {
        match try_once(ports, &open.lane, &as_live, &Pace::default()).await? {
            Some(AttemptEnd::Done) => return Ok(AppHealth::Well),
            Some(AttemptEnd::Left(LaneEnd::Parked | LaneEnd::Failing)) => return Ok(AppHealth::StillBroken),
            Some(AttemptEnd::Left(_)) | None => {}
        }
    }
    for (side, end) in map.sides.iter().zip(&map.config.sides) {
        if ports.apps().probe(side, Some(&end.entity)).await.is_err() {
            return Ok(AppHealth::StillBroken);
        }
    }
    Ok(AppHealth::Well)
}
