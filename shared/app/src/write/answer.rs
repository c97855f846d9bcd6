//! The answers and errors that the caller of a write gets.

use domain::{
    MapId, SideId, SideIx,
    lane::{Answer, Entry, Head, Marker, MarkerState, Rejection},
    side::Mistake,
};

use crate::{
    cas::{RetriesExhausted, RetryCause},
    ports::{LaneKey, Lanes, PortError, Ports, SyncMap},
};

/// Why a write was not taken. Nothing of it was kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The request is wrong.
    #[error("the request is wrong")]
    Invalid(Vec<Mistake>),
    /// There is no such map.
    #[error("there is no map {0}")]
    UnknownMap(MapId),
    /// The id was used for another request.
    #[error("the id was used for another request")]
    IdReused,
    /// The id is so old that it may be a late duplicate.
    #[error("the id is too old to tell whether it is new")]
    IdTooOld,
    /// The same write is being executed at this moment.
    #[error("the write is in progress")]
    InProgress,
    /// The lane kept changing.
    #[error("too many writes of this record at once")]
    Contended,
    /// The journal or the configuration could not be reached.
    #[error(transparent)]
    Port(#[from] PortError),
}

impl From<RetriesExhausted> for WriteError {
    fn from(RetriesExhausted(lost): RetriesExhausted) -> Self {
        match lost {
            RetryCause::Stale => Self::Contended,
            RetryCause::Unanswered(error) => Self::Port(error),
        }
    }
}

impl From<Rejection> for WriteError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::IdReused => Self::IdReused,
            Rejection::IdTooOld => Self::IdTooOld,
        }
    }
}

/// An answer with the names of the map's two sides, in map order.
#[derive(Clone, Debug, PartialEq)]
pub struct WithSideNames<T> {
    /// The answer.
    pub what: T,
    /// The names of the two sides.
    pub sides: [SideId; 2],
}

/// The names of a map's two sides.
pub(crate) fn side_names(map: &SyncMap) -> [SideId; 2] {
    map.config.sides.each_ref().map(|end| end.side.clone())
}

/// The answer to a repeat of a queued write; `None` when the entry left the journal in the meantime.
pub(crate) async fn answer_queued<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    head: Option<&Head>,
    marker: &Marker,
) -> Result<Option<Answer>, PortError> {
    let asked = LaneKey { map: lane.map.clone(), key: marker.key.clone() };
    let (Some(head), Some(entry)) = (head, ports.lanes().entry(&asked, marker.seq).await?) else { return Ok(None) };
    Ok(Some(answer_standing(head, &entry, marker)))
}

/// The answer about an entry that is in the journal.
pub(crate) fn answer_standing(head: &Head, entry: &Entry, marker: &Marker) -> Answer {
    let (id, version) = (entry.id, head.version_of(entry.seq));
    if marker.state == MarkerState::WrittenBackLater && entry.parked.is_none() {
        let crossing = entry.crossing;
        return Answer::Written { entry: Some(id), version, crossing, write_back_pending: true };
    }
    if entry.parked.is_some() {
        let half_written = SideIx::BOTH.into_iter().any(|side| entry.done[side]);
        return Answer::Parked { entry: id, version, half_written, failure: entry.last_failure.clone() };
    }
    Answer::queued(head, entry, entry.last_failure.clone())
}
