//! Why a use case did not do what it was asked. One type for all of them: [`crate::problem`] turns it into an answer.

mod subject;

use domain::{
    EntryId, ErrorClass, MapId, MapState, RecordKey, RuleId, SideId, Timestamp, id::SyncRunId, map::MapCommand,
    mapping::MappingError, side::Mistake,
};
use serde::Serialize;

pub use self::subject::Subject;
use crate::{
    ports::{PortError, Role},
    write::WriteError,
};

/// Why a use case did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppError {
    /// The request has mistakes, each with its field.
    #[error("the request has {} mistakes", .0.len())]
    Invalid(Vec<Mistake>),
    /// Unsupported content type.
    #[error("unsupported media type")]
    UnsupportedMediaType {
        /// What is read here.
        wanted: &'static str,
    },
    /// The body is larger than it may be.
    #[error("body over {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// Nobody knows who is asking.
    #[error("not authenticated")]
    Unauthenticated,
    /// It is known who is asking, and they may not.
    #[error("needs the role {}", needs.as_str())]
    Forbidden {
        /// The least role that may.
        needs: Role,
    },
    /// There is no such thing.
    #[error("no such {0:?}")]
    NotFound(ResourceKind),
    /// There is no such address.
    #[error("unknown route")]
    UnknownRoute,
    /// The address knows other methods.
    #[error("method not allowed")]
    MethodNotAllowed {
        /// The methods it knows, as the `Allow` header has them.
        allow: String,
    },
    /// An update must say which version it is based on.
    #[error("If-Match is missing")]
    VersionMissing {
        /// The stored version.
        stored: u64,
    },
    /// The version it is based on is no longer the stored one.
    #[error("the version has changed")]
    VersionChanged {
        /// The stored version, if it is known and there is one.
        stored: Option<u64>,
    },
    /// It was to be created, and is there already.
    #[error("it exists already")]
    Exists {
        /// The stored version.
        stored: u64,
    },
    /// The state of things does not allow it.
    #[error("conflict: {0:?}")]
    Conflict(StateConflict),
    /// The record cannot be mapped.
    #[error("the record cannot be mapped")]
    Mapping(MappingError),
    /// The target app refused the record for good.
    #[error("refused by {}: {}", .0.side, .0.class)]
    Refused(AppSays),
    /// The target app cannot be reached, and the map's callers want to know that at once. Nothing was kept.
    #[error("{} is unavailable: {}", says.side, says.class)]
    NotKept {
        /// What it answered.
        says: AppSays,
        /// The record may have reached it all the same.
        outcome_unknown: bool,
    },
    /// So many writes of the same record arrive at once that this one found no place.
    #[error("too many writes of one record at once")]
    Contended,
    /// One of these, with the names of what it is about.
    #[error("{about}: {error}")]
    Of {
        /// What it is about.
        about: Subject,
        /// The error.
        error: Box<AppError>,
    },
    /// Something behind Tandem did not answer as it should.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// What one of the two apps says about a record, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppSays {
    /// Which app.
    pub side: SideId,
    /// The error's class.
    pub class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The app's own words, shortened.
    pub message: String,
}

/// What was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A map.
    Map,
    /// A side.
    Side,
    /// A token.
    Token,
    /// A write.
    Write,
    /// An entry of a lane.
    Entry,
    /// An archived entry.
    Archived,
    /// A conflict.
    Conflict,
    /// An alert setting.
    Rule,
    /// A group of recipients.
    Group,
    /// An incident.
    Incident,
    /// An address to which mail cannot be sent.
    FlaggedAddress,
    /// An event that could not be logged.
    FailedEvent,
    /// A sync run.
    SyncRun,
}

/// What stands against it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StateConflict {
    /// Maps use the side.
    SideInUse(Vec<MapId>),
    /// The map must be stopped first.
    MapActive(MapState),
    /// The map was stopped a moment ago: writes that were accepted just before may still be on their way in.
    MapSettling {
        /// From when on it can be done.
        until: Timestamp,
        /// How long that is from now, in seconds.
        retry_after_s: u64,
    },
    /// The map still has changes to write.
    MapNotEmpty,
    /// The map's state does not allow this command.
    IllegalCommand {
        /// Its state.
        state: MapState,
        /// The command.
        command: MapCommand,
    },
    /// Sides that the map needs do not exist.
    SideMissing(Vec<Mistake>),
    /// Another token has that name.
    TokenNameTaken,
    /// There are as many tokens as there may be.
    TooManyTokens,
    /// There are as many rules as there may be.
    TooManyRules,
    /// Rules name the group.
    GroupInUse(Vec<RuleId>),
    /// The incident is over.
    IncidentOver,
    /// The state of some maps does not allow the document to be applied; each is named.
    Blocked(Vec<Mistake>),
    /// The write's id was used for another request.
    WriteIdReused,
    /// The write's id is so old that it may be a late duplicate.
    WriteIdTooOld,
    /// The same write is being executed at this moment.
    WriteInProgress,
    /// The entry is being written, or a call of it may still take effect.
    EntryInFlight {
        /// Until then at the latest.
        until: Timestamp,
        /// How long that is from now, in seconds.
        retry_after_s: u64,
    },
    /// The entry is not the next one of its record any more (or not yet).
    NotNext,
    /// The entry is not parked.
    NotParked,
    /// The entry copies a record as it is.
    NotAWrite,
    /// What is stored of it cannot be read.
    Unreadable,
    /// No later write of the record waits.
    NothingBehind,
    /// Already in the requested state.
    AlreadySo,
    /// Later changes of the record were accepted: the archived one would be written on top of them.
    NewerAccepted,
    /// The map's archive still holds skipped changes: some of them, and whether there may be more.
    ArchiveWaits {
        /// Some of them, newest first.
        some: Vec<(RecordKey, EntryId)>,
        /// There are, or may be, more.
        more: bool,
    },
    /// Another sync run that writes goes on in the map.
    SyncActive(SyncRunId),
    /// The sync run is over: nothing more can be done about it.
    SyncOver,
    /// The sync run whose records are selected is not over: its lists still change.
    ParentGoesOn,
    /// What was asked of the apps before the run says that it would fail or do harm. Each is named by its code.
    SyncProblems(Vec<Mistake>),
    /// The map keeps changes at the moment, so nothing can be copied.
    MapPaused,
    /// Somebody else changed something, or the store failed, in the middle of a document. What is listed was not written.
    Interrupted(Vec<Mistake>),
}

impl From<WriteError> for AppError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Invalid(mistakes) => Self::Invalid(mistakes),
            WriteError::UnknownMap(_) => Self::NotFound(ResourceKind::Map),
            WriteError::IdReused => Self::Conflict(StateConflict::WriteIdReused),
            WriteError::IdTooOld => Self::Conflict(StateConflict::WriteIdTooOld),
            WriteError::InProgress => Self::Conflict(StateConflict::WriteInProgress),
            WriteError::Contended => Self::Contended,
            WriteError::Port(error) => Self::Port(error),
        }
    }
}

impl AppError {
    /// One mistake in one field.
    #[must_use]
    pub fn mistake(field: &str, message: &str) -> Self {
        Self::Invalid(vec![Mistake { field: field.to_owned(), message: message.to_owned() }])
    }

    /// What only the log is told.
    #[must_use]
    pub fn internal(&self) -> Option<String> {
        match self {
            Self::Port(error) => Some(error.to_string()),
            _ => None,
        }
    }
}
