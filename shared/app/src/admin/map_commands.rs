//! Running, pausing, resuming and stopping maps.

use domain::{
    Map, MapId, MapState, RecordKey, Timestamp,
    map::{MapAnswer, MapCommand},
};
use futures::{StreamExt, TryStreamExt, stream};

use super::{AdminPorts, Caller, maps};
use crate::{
    error::{AppError, StateConflict, Subject},
    map_state::{Decision, OnStale, StateChange, change_state},
    ports::{ConfigStore, Lanes, OpenRange, PortError, Queues},
};

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
    let decide = || async move {
        let map = maps::get(ports, id).await?;
        let next = match map.decide(command, &caller.name, reason, now) {
            MapAnswer::Already => return Ok(Decision::Stay(map)),
            MapAnswer::Illegal => return Err(illegal(&map, command)),
            MapAnswer::Changed(next) => next,
        };
        if matches!(command, MapCommand::Run | MapCommand::Resume(_)) {
            both_sides_exist(ports, &map).await?;
        }
        Ok(Decision::change(map, next))
    };
    match change_state(ports, OnStale::ReadAgain, decide).await {
        Ok(StateChange::Saved(map)) => {
            if command == MapCommand::Pause {
                restore_queue(ports, &map).await;
            }
            Ok(*map)
        }
        Ok(StateChange::Stayed(map)) => Ok(map),
        Ok(StateChange::GaveWay) | Err(AppError::Contended) => Err(AppError::VersionChanged { stored: None }),
        Err(error) => Err(error),
    }
}

/// Creates the queue of a paused map if it is missing. It was created with the map, but it may have been deleted since,
/// or its prefix may have changed.
async fn restore_queue<P: AdminPorts>(ports: &P, map: &Map) {
    if let Err(error) = ports.queues().create(map).await {
        tracing::warn!(map.id = %map.id, %error, "could not create the queue of the paused map; the sweep tries again");
    }
}

/// How long after a pause a function may still begin a write: it remembers a map for a second, and takes a moment.
pub const QUIET_AFTER_MS: u64 = 2_000;
/// Most writes in flight that are listed.
const MAX_IN_FLIGHT: usize = 100;
/// Lanes taken from the index at a time, and how many of them are read at the same time.
const PAGE: usize = 100;
const READ_AT_ONCE: usize = 20;
/// Most pages that are looked through for writes in flight: lanes that wait for their next attempt lie between them.
const MAX_PAGES: usize = 50;
/// How often it is looked whether the map is quiet.
const LOOK_EVERY_MS: u64 = 250;

/// What is still going on in a map that was paused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InFlightWrites {
    /// Functions may still begin a write.
    pub settling: bool,
    /// Records that are being written, each with the time when it is over at the latest.
    pub in_flight: Vec<(RecordKey, Timestamp)>,
    /// There may be more of them than are listed.
    pub more: bool,
}

impl InFlightWrites {
    /// Nothing is going on.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        !self.settling && self.in_flight.is_empty() && !self.more
    }
}

/// Pauses a map and waits until it is quiet, for at most so long.
///
/// # Errors
/// As [`switch`]; or somebody else took the map out of the pause in the meantime.
pub async fn pause<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    reason: &str,
    wait_ms: u64,
) -> Result<(Map, InFlightWrites), AppError> {
    let command = MapCommand::Pause;
    let mut map = switch(ports, caller, id, command, reason).await?;
    let until = ports.now().plus_ms(wait_ms);
    loop {
        let quiet = find_in_flight_writes(ports, &map).await?;
        if quiet.is_quiet() || ports.now() >= until {
            return Ok((map, quiet));
        }
        ports.sleep(LOOK_EVERY_MS).await;
        map = maps::get(ports, id).await?;
        if map.state != MapState::Paused {
            return Err(illegal(&map, command));
        }
    }
}

/// What is still going on in a map that was paused.
///
/// # Errors
/// The store does not answer.
pub async fn find_in_flight_writes<P: AdminPorts>(ports: &P, map: &Map) -> Result<InFlightWrites, AppError> {
    let now = ports.now();
    let mut quiet = InFlightWrites { settling: now < map.since.plus_ms(QUIET_AFTER_MS), ..InFlightWrites::default() };
    // In flight are lanes whose lease ends in the future. So do the waits of lanes that are to be tried again: only the
    // head tells one from the other.
    let mut range = OpenRange { from: now.plus_ms(1), ..OpenRange::unparked() };
    for _ in 0..MAX_PAGES {
        let lanes = ports.lanes().open(map, range.clone(), PAGE).await?;
        let full = lanes.len() == PAGE;
        range.after = lanes.last().cloned();
        let heads = lanes.into_iter().map(|open| async move {
            let head = ports.lanes().head(&open.lane).await?;
            Ok::<_, PortError>(head.map(|(head, _)| (open.lane.key, head)))
        });
        let heads: Vec<_> = stream::iter(heads).buffered(READ_AT_ONCE).try_collect().await?;
        for (key, head) in heads.into_iter().flatten().filter(|(_, head)| head.map == map.uid) {
            if let Some(inflight) = head.inflight.filter(|inflight| inflight.lease_end > now) {
                quiet.in_flight.push((key, inflight.lease_end));
            }
        }
        quiet.more = full || quiet.in_flight.len() > MAX_IN_FLIGHT;
        if !full || quiet.in_flight.len() >= MAX_IN_FLIGHT {
            break;
        }
    }
    quiet.in_flight.truncate(MAX_IN_FLIGHT);
    Ok(quiet)
}

fn illegal(map: &Map, command: MapCommand) -> AppError {
    AppError::Conflict(StateConflict::IllegalCommand { state: map.state, command }).about(Subject::map(&map.id))
}

pub(super) fn checked(reason: &str) -> Result<&str, AppError> {
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
    if missing.is_empty() {
        return Ok(());
    }
    Err(AppError::Conflict(StateConflict::SideMissing(missing)).about(Subject::map(&map.id)))
}
