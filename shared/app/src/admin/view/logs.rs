//! Responses about the logs.

use crate::{admin::logs::Group, ports};
use domain::{
    ErrorClass, Record,
    log::{Activity, LoggedError},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::by_hand;

/// A page of the activity log.
#[derive(Serialize, ToSchema)]
pub struct Activities {
    /// Newest first.
    pub lines: Vec<ActivityView>,
    /// The `before` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// A line of the activity log.
#[derive(Serialize, ToSchema)]
pub struct ActivityView {
    /// Its id.
    pub id: String,
    /// When, RFC 3339.
    pub at: String,
    /// The map. Absent: the line concerns all maps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub map: Option<String>,
    /// Who did it.
    pub actor: String,
    /// Why they did it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The kind of cause: `operator`, `caught_up`, `initial_sync`, `schedule`, `sync_run` (the run itself), `rule` or `auto_resume`.
    pub cause: &'static str,
    /// The activity: its `kind` (`map_created`, `map_changed`, `map_deleted`, `state_changed`, `side_changed`,
    /// `rule_changed`, `entry`, `errors_resolved`, `failed_event_dismissed`, `incident` or `sync_run`) and the fields of that kind.
    /// `map_changed` has up to 50 `changes`, and the number of `more`.
    #[schema(value_type = Object)]
    pub what: Value,
}

impl From<Activity> for ActivityView {
    fn from(line: Activity) -> Self {
        Self {
            id: line.id.to_string(),
            at: line.at.to_string(),
            map: line.map.map(|map| map.to_string()),
            actor: line.actor,
            reason: line.reason,
            cause: line.cause.as_str(),
            what: serde_json::to_value(line.what).unwrap_or_default(),
        }
    }
}

/// A page of the error log.
#[derive(Serialize, ToSchema)]
pub struct LoggedErrors {
    /// Newest first.
    pub errors: Vec<ErrorView>,
    /// The `before` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// An error of the log.
#[derive(Clone, Serialize, ToSchema)]
pub struct ErrorView {
    /// Its id.
    pub id: String,
    /// When Tandem met the error or received its report, RFC 3339.
    pub at: String,
    /// When it happened according to the app that reported it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub happened_at: Option<String>,
    /// The map.
    pub map: String,
    /// The app that made the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub from: Option<String>,
    /// The app that was called, or that reported the error.
    pub to: String,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub key: Option<String>,
    /// The id of the entry: the same for all attempts of one change. A 202 response and the archive have it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entry: Option<String>,
    /// The place of the change in the record's lane. `key` and `seq` name the entry while it is queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seq: Option<u64>,
    /// The caller's write id, or the app's id of the error it reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub write: Option<String>,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// The class of the error.
    #[schema(schema_with = by_hand::error_class)]
    pub class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// The app's own message, shortened and redacted.
    pub message: String,
    /// What happened to the write: `retried`, `parked`, `refused` or `reported`.
    pub fate: &'static str,
    /// Equal for errors with the same cause.
    pub fingerprint: String,
    /// When it was resolved, RFC 3339. Absent: it is unresolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resolved_at: Option<String>,
    /// How it was resolved: `written` (a later write of the record succeeded), `archived` (the change was archived), or
    /// `operator` (an operator marked it).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub resolved_by: Option<&'static str>,
    /// The record to be written; only the first attempt has it. Redacted values are `•••`. Above 4 KB, fields that do not fit
    /// are replaced by their length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub payload: Option<Record>,
}

impl From<LoggedError> for ErrorView {
    fn from(error: LoggedError) -> Self {
        let LoggedError { event, fingerprint, resolved } = error;
        Self {
            id: event.id.to_string(),
            at: event.at.to_string(),
            happened_at: event.happened_at.map(|at| at.to_string()),
            map: event.map.to_string(),
            from: event.from.map(|side| side.to_string()),
            to: event.to.to_string(),
            key: event.key.map(|key| key.to_string()),
            entry: event.entry.map(|entry| entry.to_string()),
            seq: event.seq,
            write: event.write,
            attempt: event.attempt,
            class: event.class,
            code: event.code,
            message: event.message,
            fate: event.fate.as_str(),
            fingerprint: fingerprint.to_string(),
            resolved_at: resolved.map(|(at, _)| at.to_string()),
            resolved_by: resolved.map(|(_, how)| how.as_str()),
            payload: event.payload,
        }
    }
}

/// The result of marking errors as resolved.
#[derive(Serialize, ToSchema)]
pub struct ErrorsResolved {
    /// How many were marked.
    pub resolved: u64,
    /// `true`: there may be more, so repeat the request.
    pub more: bool,
}

/// Errors, grouped and counted.
#[derive(Serialize, ToSchema)]
pub struct ErrorGroups {
    /// The largest group first.
    pub groups: Vec<ErrorGroup>,
    /// `false`: only the newest 20,000 lines of the log were examined, whether or not they match.
    pub complete: bool,
}

/// A group of errors.
#[derive(Serialize, ToSchema)]
pub struct ErrorGroup {
    /// The value they have in common: a map, app, class, fingerprint or record. Use it as a filter of the next request.
    pub value: String,
    /// How many errors.
    pub count: u64,
    /// How many of them are unresolved.
    pub unresolved: u64,
    /// The number of different writes among them.
    pub writes: u64,
    /// When the oldest of them happened, RFC 3339.
    pub since: String,
    /// The newest of them.
    pub newest: ErrorView,
}

impl From<Group> for ErrorGroup {
    fn from(group: Group) -> Self {
        Self {
            value: group.value,
            count: group.count,
            unresolved: group.unresolved,
            writes: group.writes,
            since: group.since.to_string(),
            newest: group.newest.into(),
        }
    }
}

/// A page of events that could not be logged.
#[derive(Serialize, ToSchema)]
pub struct FailedEvents {
    /// Newest first.
    pub events: Vec<FailedEvent>,
    /// The `before` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
    /// Number of batches of the table's stream in the dead-letter queue, because they could not be logged for half a day.
    /// Absent: the queue could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub batches: Option<u64>,
}

/// An event that could not be logged.
#[derive(Serialize, ToSchema)]
pub struct FailedEvent {
    /// Its id.
    pub id: String,
    /// When Tandem gave up, RFC 3339.
    pub at: String,
    /// The key of the item that carried it.
    pub source: String,
    /// The reason.
    pub says: String,
}

impl From<ports::FailedEvent> for FailedEvent {
    fn from(event: ports::FailedEvent) -> Self {
        Self { id: event.id.to_string(), at: event.at.to_string(), source: event.source, says: event.says }
    }
}
