//! The error log and the activity log.

use std::future::Future;

use domain::{
    ErrorClass, LogId, MapId, Timestamp,
    log::{Activity, LoggedError, Resolution, Resolved},
};

use super::PortError;

/// Which lines of a log, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRange {
    /// At this time or later.
    pub from: Timestamp,
    /// Older than this line: where the page before ended.
    pub before: Option<LogId>,
}

impl LogRange {
    /// All of them from this time on.
    #[must_use]
    pub fn since(from: Timestamp) -> Self {
        Self { from, before: None }
    }
}

/// The error log and the activity log. Reads are strongly consistent: a rule counts what is written.
pub trait Log: Sync {
    /// Adds an error, unless it is there already; whether it was new.
    fn add_error(&self, error: &LoggedError) -> impl Future<Output = Result<bool, PortError>> + Send;
    /// Adds an error that an app reports, unless one with the app's own id of it is there already (`reported`: its
    /// hash); whether it was new.
    fn add_reported(&self, error: &LoggedError, reported: u128)
    -> impl Future<Output = Result<bool, PortError>> + Send;
    /// Adds a line to the activity log, unless it is there already; whether it was new.
    fn add_activity(&self, line: &Activity) -> impl Future<Output = Result<bool, PortError>> + Send;
    /// Marks the errors of a record resolved; how many there were.
    fn resolve(&self, resolution: &Resolution) -> impl Future<Output = Result<u64, PortError>> + Send;
    /// Marks these errors of a map resolved; how many of them were not yet.
    fn resolve_these(
        &self,
        map: &MapId,
        errors: &[(LogId, ErrorClass)],
        at: Timestamp,
        how: Resolved,
    ) -> impl Future<Output = Result<u64, PortError>> + Send;
    /// Maps that were deleted, as long as their logs are kept.
    fn gone(&self) -> impl Future<Output = Result<Vec<MapId>, PortError>> + Send;
    /// Errors of a class, newest first, at most `limit`. A line that cannot be read is left out.
    fn errors(
        &self,
        map: &MapId,
        class: ErrorClass,
        range: LogRange,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LoggedError>, PortError>> + Send;
    /// Lines of a map's activity log, or of those that concern all maps, newest first, at most `limit`.
    fn activities(
        &self,
        map: Option<&MapId>,
        range: LogRange,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Activity>, PortError>> + Send;
    /// Notes that a map met an error at this time.
    fn note_noisy(&self, map: &MapId, at: Timestamp) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Maps that met an error at this time or later.
    fn noisy(&self, since: Timestamp) -> impl Future<Output = Result<Vec<MapId>, PortError>> + Send;
    /// Keeps an event that cannot be logged, for people to look at.
    fn add_failed(&self, failed: &FailedEvent) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Those events, newest first, older than `before`, at most `limit`.
    fn failed(
        &self,
        before: Option<LogId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<FailedEvent>, PortError>> + Send;
    /// Forgets one of them. Forgetting what is not there is a success.
    fn forget_failed(&self, id: LogId) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// An event that could not be logged.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FailedEvent {
    /// Its id: time first.
    pub id: LogId,
    /// When it was given up.
    pub at: Timestamp,
    /// Where it came from, e.g. the key of the item that carried it.
    pub source: String,
    /// What is wrong with it; never a value of it.
    pub says: String,
}
