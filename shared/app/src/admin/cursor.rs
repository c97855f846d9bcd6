//! Places in lists of lanes, as text.

use domain::{MapId, Timestamp};

use super::backlog::Cursor;
use crate::{
    error::AppError,
    ports::{LaneKey, OpenLane},
};

/// Writes a place in a list of lanes as `time.key`.
#[must_use]
pub fn lane_cursor(open: &OpenLane) -> String {
    format!("{}.{}", open.at.0, open.lane.key)
}

/// Reads a place in a list of lanes.
///
/// # Errors
/// It is none.
pub fn read_lane_cursor(map: &MapId, text: &str) -> Result<OpenLane, AppError> {
    let (at, key) = text.split_once('.').ok_or_else(not_a_cursor)?;
    let at = Timestamp(at.parse().map_err(|_| not_a_cursor())?);
    let key = key.parse().map_err(|_| not_a_cursor())?;
    Ok(OpenLane { at, lane: LaneKey { map: map.clone(), key } })
}

/// Writes a place in a list of queued entries as `seq.time.key`.
#[must_use]
pub fn queue_cursor(Cursor { open, seq }: &Cursor) -> String {
    format!("{seq}.{}", lane_cursor(open))
}

/// Reads a place in a list of queued entries.
///
/// # Errors
/// It is none.
pub fn read_queue_cursor(map: &MapId, text: &str) -> Result<Cursor, AppError> {
    let (seq, lane) = text.split_once('.').ok_or_else(not_a_cursor)?;
    Ok(Cursor { seq: seq.parse().map_err(|_| not_a_cursor())?, open: read_lane_cursor(map, lane)? })
}

/// The error for a cursor that no list returned.
#[must_use]
pub fn not_a_cursor() -> AppError {
    AppError::mistake("after", "is not a cursor that this list returned")
}
