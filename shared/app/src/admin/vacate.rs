//! When the lanes of a map may be left behind: before it is deleted, or made to keep other records in step.

use domain::{Map, MapState};

use super::AdminPorts;
use crate::{
    error::{AppError, Conflict},
    ports::ConfigStore,
};

/// How long after a stop a map is taken to be still receiving, in milliseconds. A function may go on for a second with
/// the state it knows, then takes a moment to accept a write, and the index that lists open lanes follows a moment
/// later. Leaving the lanes behind within that time would lose an acknowledged write.
pub const SETTLE_MS: u64 = 10_000;

/// Lanes that are looked at to find an open one. More than one: the index may name lanes that are idle again, and those
/// fall out only after the list was cut.
const LOOK_AT: usize = 100;

/// What stands against leaving the map's lanes behind, if anything does.
pub(super) async fn obstacle<P: AdminPorts>(ports: &P, map: &Map) -> Result<Option<Conflict>, AppError> {
    match map.state {
        MapState::NotRunning => {}
        MapState::Stopped => {
            let (now, until) = (ports.now(), map.since.plus_ms(SETTLE_MS));
            if now < until {
                let retry_after_s = until.ms_since(now).div_ceil(1_000);
                return Ok(Some(Conflict::MapSettling { until, retry_after_s }));
            }
        }
        state @ (MapState::Initializing | MapState::Running | MapState::Paused | MapState::CatchingUp) => {
            return Ok(Some(Conflict::MapActive(state)));
        }
    }
    let open = ports.store().open_lanes(map, LOOK_AT).await?;
    Ok((!open.is_empty()).then_some(Conflict::MapNotEmpty))
}
