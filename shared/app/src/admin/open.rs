//! Lanes of a map that are not idle: what waits, what is being written, and what an operator must look at.

use domain::{
    Map, MapId, RecordKey, SideId, Timestamp,
    lane::{Entry, Head, ParkReason, StepFailure},
};

use super::{AdminPorts, maps};
use crate::{error::AppError, ports::ConfigStore};

/// Most lanes that are listed at once: each is read on its own.
pub const MAX_OPEN: usize = 500;
/// Lanes that are listed when nobody says how many.
pub const DEFAULT_OPEN: usize = 100;

/// A lane that is not idle.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenLane {
    /// The record.
    pub key: RecordKey,
    /// The place of the entry that the lane stands at.
    pub seq: u64,
    /// What it is doing.
    pub state: OpenState,
    /// One of two targets has the entry, the other refused it.
    pub half_written: bool,
    /// Attempts begun on the entry.
    pub attempts: u32,
    /// What the last attempt met, and on which side.
    pub last_failure: Option<(SideId, StepFailure)>,
    /// When the entry was accepted.
    pub since: Option<Timestamp>,
    /// Before this time it is not tried again.
    pub not_before: Option<Timestamp>,
    /// Entries that wait behind it.
    pub behind: u64,
}

/// What a lane that is not idle is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenState {
    /// Its entry waits for its first attempt.
    Queued,
    /// Its entry is being written.
    InFlight,
    /// Its entry was tried, and is tried again.
    Retrying,
    /// Its entry waits for an operator.
    Parked,
}

/// The lanes of a map that are not idle, at most `limit`. Eventually consistent.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn list<P: AdminPorts>(ports: &P, id: &MapId, limit: usize) -> Result<Vec<OpenLane>, AppError> {
    let map = maps::get(ports, id).await?;
    let open = ports.store().open_lanes(&map, limit).await?;
    Ok(open.into_iter().map(|(lane, head, entry)| view(&map, lane.key, &head, entry)).collect())
}

fn view(map: &Map, key: RecordKey, head: &Head, journal: Option<Entry>) -> OpenLane {
    // A direct write is kept in the head alone.
    let direct = head.inflight.as_ref().and_then(|inflight| inflight.direct.as_deref().cloned());
    let entry = direct.or(journal);
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
        since: entry.map(|entry| entry.accepted_at),
        not_before: (!head.parked && head.not_before > Timestamp(0)).then_some(head.not_before),
        behind: head.next_seq.saturating_sub(seq + 1),
    }
}

fn state(head: &Head, attempts: u32) -> OpenState {
    match &head.inflight {
        Some(inflight) if inflight.owner.is_some() => OpenState::InFlight,
        // Nobody is writing: the lane is kept closed until the last attempt cannot land any more.
        Some(_) => OpenState::Retrying,
        None if head.parked => OpenState::Parked,
        None if attempts > 0 => OpenState::Retrying,
        None => OpenState::Queued,
    }
}
