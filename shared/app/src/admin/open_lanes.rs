//! Lanes of a map that are not idle: their entries wait, are being written, or are parked.

use domain::{
    Map, MapId, RecordKey, SideId, Timestamp,
    lane::{Entry, Head, ParkReason, StepFailure},
};

use super::{AdminPorts, entry::direct_entry, maps};
use crate::{error::AppError, ports::ConfigStore};

/// Most lanes in one list. Each lane costs a read.
pub const MAX_OPEN: usize = 500;
/// Number of lanes that are listed by default.
pub const DEFAULT_OPEN: usize = 100;

/// A lane that is not idle.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenLane {
    /// The record.
    pub key: RecordKey,
    /// The place of the next entry.
    pub seq: u64,
    /// What the lane is doing.
    pub state: OpenState,
    /// One of two apps has the change, and the other refused it.
    pub half_written: bool,
    /// Number of attempts that were begun.
    pub attempts: u32,
    /// The failure of the last attempt, and its side.
    pub last_failure: Option<(SideId, StepFailure)>,
    /// When the entry was accepted.
    pub since: Option<Timestamp>,
    /// Time of the next attempt, at the earliest.
    pub not_before: Option<Timestamp>,
    /// Number of entries that wait behind it.
    pub behind: u64,
}

/// The activity of a lane that is not idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenState {
    /// The entry waits for its first attempt.
    Queued,
    /// The entry is being written.
    InFlight,
    /// The entry waits for another attempt.
    Retrying,
    /// The entry waits for an operator.
    Parked,
}

/// Lists at most `limit` lanes of a map that are not idle. The list is eventually consistent.
///
/// # Errors
/// The map does not exist, or the store does not answer.
pub async fn list<P: AdminPorts>(ports: &P, id: &MapId, limit: usize) -> Result<Vec<OpenLane>, AppError> {
    let map = maps::get(ports, id).await?;
    let open = ports.store().open_lanes(&map, limit).await?;
    Ok(open.into_iter().map(|(lane, head, entry)| view(&map, lane.key, &head, entry)).collect())
}

fn view(map: &Map, key: RecordKey, head: &Head, journal: Option<Entry>) -> OpenLane {
    let entry = direct_entry(head).or(journal);
    let attempts = entry.as_ref().map_or(0, |entry| entry.attempts);
    let seq = head.done_seq + 1;
    OpenLane {
        key,
        seq,
        state: state(head, attempts),
        half_written: entry.as_ref().is_some_and(|entry| entry.parked == Some(ParkReason::HalfWritten)),
        attempts,
        last_failure: entry
            .as_ref()
            .and_then(|entry| entry.last_failure.clone())
            .map(|step| (map.config.side(step.to).side.clone(), step)),
        since: entry.map(|entry| entry.accepted_at).filter(|at| *at > Timestamp(0)),
        not_before: (!head.parked && head.not_before > Timestamp(0)).then_some(head.not_before),
        behind: head.next_seq.saturating_sub(seq + 1),
    }
}

fn state(head: &Head, attempts: u32) -> OpenState {
    match &head.inflight {
        Some(inflight) if inflight.owner.is_some() => OpenState::InFlight,
        // No function owns the lane. It stays closed until the last attempt can no longer land.
        Some(_) => OpenState::Retrying,
        None if head.parked => OpenState::Parked,
        None if attempts > 0 => OpenState::Retrying,
        None => OpenState::Queued,
    }
}
