//! Asking a broken app again: one change of a paused map is tried, the oldest that can be.

use domain::{Map, MapId, MapState};

use super::{
    lane::{LaneEnd, try_once},
    pace::Pace,
};
use crate::ports::{Apps, Config, Lanes, OpenRange, PortError, Ports, SyncMap};

/// Lanes that are looked at to find one whose turn it is.
const LANES: usize = 20;

/// Whether an app takes changes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probed {
    /// It took one.
    Well,
    /// It did not.
    StillBroken,
}

/// Tries one change of a paused map. It is executed as ever: by who holds its lane's lease, and settled. One that is
/// refused for good is parked. When nothing waits both apps are asked for a record.
///
/// # Errors
/// The configuration or the journal cannot be reached.
pub async fn probe_map<P: Ports>(ports: &P, id: &MapId) -> Result<Probed, PortError> {
    let Some(map) = ports.config().fresh_map(id).await?.filter(|map| map.state == MapState::Paused) else {
        return Ok(Probed::StillBroken);
    };
    let as_live = SyncMap { map: Map { state: MapState::CatchingUp, cut: None, ..map.map.clone() }, ..map.clone() };
    for open in ports.lanes().open(&map.map, OpenRange::due(ports.now()), LANES).await? {
        match try_once(ports, &open.lane, &as_live, &Pace::default()).await? {
            Some(None) => return Ok(Probed::Well),
            Some(Some(LaneEnd::Parked | LaneEnd::Failing)) => return Ok(Probed::StillBroken),
            Some(Some(_)) | None => {}
        }
    }
    for (side, end) in map.sides.iter().zip(&map.config.sides) {
        if ports.apps().probe(side, Some(&end.entity)).await.is_err() {
            return Ok(Probed::StillBroken);
        }
    }
    Ok(Probed::Well)
}
