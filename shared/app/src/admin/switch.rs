//! Running and stopping a map.

use domain::{
    Map, MapId,
    map::{MapAnswer, MapCommand},
};

use super::{AdminPorts, Caller, lost, maps};
use crate::{
    error::{AppError, Conflict},
    ports::{CommitError, ConfigStore},
};

/// How often a command is decided anew because somebody changed the map at the same time.
const MAX_ATTEMPTS: usize = 5;
/// Longest reason, in characters: it stands in lists and mails.
pub const MAX_REASON_CHARS: usize = 500;

/// Takes a map to the state that the command asks for. A map that is there already stays as it is.
///
/// # Errors
/// There is no such map, the reason is missing, a side does not exist, the map does not take the command in its state,
/// or the store does not answer.
pub async fn switch<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    command: MapCommand,
    reason: &str,
) -> Result<Map, AppError> {
    let reason = checked(reason)?;
    let now = ports.now();
    for attempt in 1..=MAX_ATTEMPTS {
        let map = maps::get(ports, id).await?;
        let next = match map.decide(command, &caller.name, reason, now) {
            MapAnswer::Already => return Ok(map),
            MapAnswer::Illegal => {
                return Err(AppError::Conflict(Conflict::IllegalCommand { state: map.state, command }));
            }
            MapAnswer::Changed(next) => *next,
        };
        if command == MapCommand::Run {
            both_sides_exist(ports, &map).await?;
        }
        match ports.store().save_map(&next, map.version).await {
            Ok(()) => return Ok(next),
            Err(CommitError::Conflict) if attempt < MAX_ATTEMPTS => {}
            Err(error) => return Err(lost(error)),
        }
    }
    Err(AppError::VersionChanged { stored: None })
}

fn checked(reason: &str) -> Result<&str, AppError> {
    let reason = reason.trim();
    if reason.is_empty() || reason.chars().count() > MAX_REASON_CHARS || reason.contains(char::is_control) {
        let message = format!("must say why, in 1 to {MAX_REASON_CHARS} characters on one line");
        return Err(AppError::mistake("reason", &message));
    }
    Ok(reason)
}

async fn both_sides_exist<P: AdminPorts>(ports: &P, map: &Map) -> Result<(), AppError> {
    let mut missing = Vec::new();
    for (i, end) in map.config.sides.iter().enumerate() {
        if ports.store().side(&end.side).await?.is_none() {
            missing.push(maps::no_such_side(&format!("sides[{i}].side"), &end.side));
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(AppError::Conflict(Conflict::SideMissing(missing))) }
}
