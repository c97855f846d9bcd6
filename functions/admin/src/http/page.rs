//! Pages of lists: the limit, and the cursor of a list of lanes.

use app::{
    admin::backlog::MAX_LISTED,
    error::AppError,
    ports::{LaneKey, OpenLane},
};
use domain::{MapId, Timestamp};

use super::extract::Params;

/// Reads the parameter `limit`, from 1 to [`MAX_LISTED`].
pub(crate) fn page_limit(params: &Params) -> Result<usize, AppError> {
    match params.number("limit")?.map(usize::try_from) {
        None => Ok(MAX_LISTED / 2),
        Some(Ok(limit @ 1..=MAX_LISTED)) => Ok(limit),
        Some(_) => Err(AppError::mistake("limit", &format!("must be a number from 1 to {MAX_LISTED}"))),
    }
}

/// Writes a place in a list of lanes as `time.key`.
pub(crate) fn lane_cursor(open: &OpenLane) -> String {
    format!("{}.{}", open.at.0, open.lane.key)
}

/// Reads a place in a list of lanes.
pub(crate) fn read_lane_cursor(map: &MapId, text: &str) -> Result<OpenLane, AppError> {
    let (at, key) = text.split_once('.').ok_or_else(not_a_cursor)?;
    let at = Timestamp(at.parse().map_err(|_| not_a_cursor())?);
    let key = key.parse().map_err(|_| not_a_cursor())?;
    Ok(OpenLane { at, lane: LaneKey { map: map.clone(), key } })
}

/// The error for a cursor that no list returned.
pub(crate) fn not_a_cursor() -> AppError {
    AppError::mistake("after", "is not a cursor that this list returned")
}
