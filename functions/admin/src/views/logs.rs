//! Responses about the logs.

use app::{admin::logs::Group, ports};
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
pub(crate) struct Activities {
    /// Newest first.
    pub(crate) lines: Vec<ActivityView>,
    /// The `before` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
}

/// A line of the activity log.
#[derive(Serialize, ToSchema)]
pub(crate) struct ActivityView {
    /// Its id.
    pub(crate) id: String,
    /// When, RFC 3339.
    pub(crate) at: String,
    /// The map. Absent: the line concerns all maps.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) map: Option<String>,
    /// Who did it.
    pub(crate) actor: String,
    /// Why they did it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    /// The kind of cause: `operator`, `caught_up`, `initial_sync`, `sync_run` (the run itself), `rule` or `auto_resume`.
    pub(crate) cause: &'static str,
    /// The activity: its `kind` (`map_created`, `map_changed`, `map_deleted`, `state_changed`, `side_changed`,
    /// `rule_changed`, `entry`, `errors_resolved`, `failed_event_dismissed`, `incident` or `sync_run`) and the fields of that kind.
    /// `map_changed` has up to 50 `changes`, and the number of `more`.
    #[schema(value_type = Object)]
    pub(crate) what: Value,
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
pub(crate) struct LoggedErrors {
    /// Newest first.
    pub(crate) errors: Vec<ErrorView>,
    /// The `before` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
}

/// An error of the log.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ErrorView {
    /// Its id.
    pub(crate) id: String,
    /// When Tandem met the error or received its report, RFC 3339.
    pub(crate) at: String,
    /// When it happened according to the app that reported it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) happened_at: Option<String>,
    /// The map.
    pub(crate) map: String,
    /// The app that made the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) from: Option<String>,
    /// The app that was called, or that reported the error.
    pub(crate) to: String,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) key: Option<String>,
    /// The id of the entry: the same for all attempts of one change. A 202 response and the archive have it, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) entry: Option<String>,
    /// The place of the change in the record's lane. `key` and `seq` name the entry while it is queued.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) seq: Option<u64>,
    /// The caller's write id, or the app's id of the error it reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) write: Option<String>,
    /// The number of the attempt, from 1.
    pub(crate) attempt: u32,
    /// The class of the error.
    #[schema(schema_with = by_hand::error_class)]
    pub(crate) class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) code: Option<String>,
    /// The app's own message, shortened and redacted.
    pub(crate) message: String,
    /// What happened to the write: `retried`, `parked`, `refused` or `reported`.
    pub(crate) fate: &'static str,
    /// Equal for errors with the same cause.
    pub(crate) fingerprint: String,
    /// When it was resolved, RFC 3339. Absent: it is unresolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) resolved_at: Option<String>,
    /// How it was resolved: `written` (a later write of the record succeeded), `archived` (the change was archived), or
    /// `operator` (an operator marked it).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) resolved_by: Option<&'static str>,
    /// The record to be written; only the first attempt has it. Redacted values are `•••`. Above 4 KB, fields that do not fit
    /// are replaced by their length.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub(crate) payload: Option<Record>,
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
pub(crate) struct ErrorsResolved {
    /// How many were marked.
    pub(crate) resolved: u64,
    /// `true`: there may be more, so repeat the request.
    pub(crate) more: bool,
}

/// Errors, grouped and counted.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorGroups {
    /// The largest group first.
    pub(crate) groups: Vec<ErrorGroup>,
    /// `false`: only the newest 20,000 lines of the log were examined, whether or not they match.
    pub(crate) complete: bool,
}

/// A group of errors.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorGroup {
    /// The value they have in common: a map, app, class, fingerprint or record. Use it as a filter of the next request.
    pub(crate) value: String,
    /// How many errors.
    pub(crate) count: u64,
    /// How many of them are unresolved.
    pub(crate) unresolved: u64,
    /// The number of different writes among them.
    pub(crate) writes: u64,
    /// When the oldest of them happened, RFC 3339.
    pub(crate) since: String,
    /// The newest of them.
    pub(crate) newest: ErrorView,
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
pub(crate) struct FailedEvents {
    /// Newest first.
    pub(crate) events: Vec<FailedEvent>,
    /// The `before` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
    /// Number of batches of the table's stream in the dead-letter queue, because they could not be logged for half a day.
    /// Absent: the queue could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) batches: Option<u64>,
}

/// An event that could not be logged.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailedEvent {
    /// Its id.
    id: String,
    /// When Tandem gave up, RFC 3339.
    at: String,
    /// The key of the item that carried it.
    source: String,
    /// The reason.
    says: String,
}

impl From<ports::FailedEvent> for FailedEvent {
    fn from(event: ports::FailedEvent) -> Self {
        Self { id: event.id.to_string(), at: event.at.to_string(), source: event.source, says: event.says }
    }
}
