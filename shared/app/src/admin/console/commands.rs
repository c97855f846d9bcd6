//! Commands for maps: first what they would do, then the command itself for the maps as they were shown.

use domain::{MapId, map::MapCommand};

use super::status::{MapStatus, read_status};
use crate::{
    admin::{
        AdminPorts, Caller,
        map_commands::{find_in_flight_writes, switch},
        maps, view,
    },
    error::AppError,
    ports::Alerts,
    problem::Problem,
};

/// Most maps of one command.
const MAX_MAPS: usize = 50;

/// The maps of a command, as they are before it.
pub struct MapsToSwitch {
    /// The maps, in the order in which they were named.
    pub maps: Vec<MapStatus>,
}

/// A command for maps as somebody saw them.
pub struct SwitchRequest {
    /// What to do.
    pub command: MapCommand,
    /// The maps, each with the epoch that was shown.
    pub maps: Vec<(MapId, u64)>,
    /// Why.
    pub reason: String,
}

/// Reads a command by its name, and what becomes of the backlog on `resume`.
///
/// # Errors
/// There is no such command, or no such choice.
pub fn read_command(name: &str, backlog: Option<&str>) -> Result<MapCommand, AppError> {
    let choice = |text: &str| {
        let value = serde_json::Value::String(text.to_owned());
        let wrong = |_| AppError::mistake("backlog", "must be catch_up, skip_to_live or discard");
        serde_json::from_value(value).map_err(wrong)
    };
    match name {
        "run" => Ok(MapCommand::Run),
        "pause" => Ok(MapCommand::Pause),
        "resume" => Ok(MapCommand::Resume(backlog.map(choice).transpose()?.unwrap_or_default())),
        "stop" => Ok(MapCommand::Stop),
        _ => Err(AppError::UnknownRoute),
    }
}

/// Reads the maps of a command as they are now.
///
/// # Errors
/// None or too many are named, there is no such map, or the store does not answer.
pub async fn prepare_switch<P: AdminPorts>(ports: &P, ids: &[MapId]) -> Result<MapsToSwitch, AppError> {
    check_count(ids.len())?;
    let open = ports.alerts().open_incidents().await?;
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let map = maps::get(ports, id).await?;
        all.push(read_status(ports, map, &open).await);
    }
    Ok(MapsToSwitch { maps: all })
}

/// Carries out a command for each map that is still as it was shown. One that is not, or does not take it, does not stop the
/// others.
///
/// # Errors
/// None or too many maps are named, or the reason is missing.
pub async fn switch_maps<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    request: &SwitchRequest,
) -> Result<view::MapResults, AppError> {
    check_count(request.maps.len())?;
    let mut results = Vec::with_capacity(request.maps.len());
    for (id, shown) in &request.maps {
        let result = switch_as_shown(ports, caller, id, *shown, request).await;
        results.push(match result {
            Ok((map, quiet)) => view::MapResult { id: id.to_string(), map: Some(map), quiet, problem: None },
            Err(error @ AppError::Invalid(_)) => return Err(error), // the reason is wrong for all of them
            Err(error) => {
                view::MapResult { id: id.to_string(), map: None, quiet: None, problem: Some(Problem::from(&error)) }
            }
        });
    }
    Ok(view::MapResults { results })
}

async fn switch_as_shown<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    shown: u64,
    request: &SwitchRequest,
) -> Result<(view::Map, Option<bool>), AppError> {
    let now = maps::get(ports, id).await?;
    if now.epoch != shown {
        return Err(AppError::VersionChanged { stored: None });
    }
    let map = switch(ports, caller, id, request.command, &request.reason).await?;
    // The map is paused, whether or not it can be told what is still going on.
    let quiet = match request.command {
        MapCommand::Pause => find_in_flight_writes(ports, &map).await.ok().map(|writes| writes.is_quiet()),
        _ => None,
    };
    Ok((map.into(), quiet))
}

fn check_count(count: usize) -> Result<(), AppError> {
    let says = format!("must name 1 to {MAX_MAPS} maps");
    if count == 0 || count > MAX_MAPS { Err(AppError::mistake("map", &says)) } else { Ok(()) }
}
