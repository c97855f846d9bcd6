//! What a caller is told of a write.

use domain::{MapId, SideId, lane::Rejection, side::Mistake};

use crate::ports::{PortError, SyncMap};

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

impl From<Rejection> for WriteError {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::IdReused => Self::IdReused,
            Rejection::IdTooOld => Self::IdTooOld,
        }
    }
}

/// What a caller is told, with the names of the map's two sides, in map order.
#[derive(Clone, Debug, PartialEq)]
pub struct WithSideNames<T> {
    /// What is told.
    pub what: T,
    /// The names of the two sides.
    pub sides: [SideId; 2],
}

/// The names of a map's two sides.
pub(crate) fn side_names(map: &SyncMap) -> [SideId; 2] {
    map.config.sides.each_ref().map(|end| end.side.clone())
}
