//! The logs as they are told.

use app::{admin::logs::Group, ports};
use domain::{
    ErrorClass, Record,
    log::{Activity, LoggedError},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::by_hand;

/// Lines of the activity log.
#[derive(Serialize, ToSchema)]
pub(crate) struct Activities {
    /// Newest first.
    pub(crate) lines: Vec<ActivityView>,
    /// Goes as `before` with the next request. Absent: there are no more.
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
    /// The map. Absent: it concerns all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) map: Option<String>,
    /// Who.
    pub(crate) actor: String,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) reason: String,
    /// What kind of thing caused it: `operator`, `caught_up`, `rule` or `auto_resume`.
    pub(crate) cause: &'static str,
    /// What was done: its `kind` (`map_created`, `map_changed`, `map_deleted`, `state_changed`, `side_changed`,
    /// `rule_changed`, `entry`, `errors_resolved`, `failed_event_dismissed` or `incident`) and what belongs to it. A map
    /// that was changed names up to 50 of its `changes`, and how many `more` there are.
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

/// Errors of the log.
#[derive(Serialize, ToSchema)]
pub(crate) struct LoggedErrors {
    /// Newest first.
    pub(crate) errors: Vec<ErrorView>,
    /// Goes as `before` with the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
}

/// An error of the log.
#[derive(Clone, Serialize, ToSchema)]
pub(crate) struct ErrorView {
    /// Its id.
    pub(crate) id: String,
    /// When Tandem met it, or was told, RFC 3339.
    pub(crate) at: String,
    /// When it happened, as the app says that reports it, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) happened_at: Option<String>,
    /// The map.
    pub(crate) map: String,
    /// The app whose change it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) from: Option<String>,
    /// The app that was called, or that reports.
    pub(crate) to: String,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) key: Option<String>,
    /// The entry: the change, whatever the number of attempts. An answer of 202 names it, and the archive.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) entry: Option<String>,
    /// The place of the change in the record's lane: with `key` it finds the payload while the change waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) seq: Option<u64>,
    /// The caller's id of the write, or the app's id of what it reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) write: Option<String>,
    /// Which attempt it was.
    pub(crate) attempt: u32,
    /// What kind of error.
    #[schema(schema_with = by_hand::error_class)]
    pub(crate) class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) code: Option<String>,
    /// The app's own words, shortened and redacted.
    pub(crate) message: String,
    /// What became of the write: `retried`, `parked`, `refused` or `reported`.
    pub(crate) fate: &'static str,
    /// Equal errors have the same.
    pub(crate) fingerprint: String,
    /// Since when it is no concern any more, RFC 3339. Absent: it is not resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) resolved_at: Option<String>,
    /// Why: `written` (a later write of the record succeeded), `archived` (an operator took it out), or `operator` (one
    /// said so).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) resolved_by: Option<&'static str>,
    /// What was to be written, on the first attempt. Redacted values are `•••`; of a record above 4 KB there are the fields
    /// that fit, and each of the others says how long it is.
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

/// What became of errors that an operator said are no concern any more.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorsResolved {
    /// How many were marked.
    pub(crate) resolved: u64,
    /// There may be more: send it again.
    pub(crate) more: bool,
}

/// Errors, counted by something they have in common.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorGroups {
    /// The most frequent first.
    pub(crate) groups: Vec<ErrorGroup>,
    /// The whole log was looked at; `false`: only its newest 20,000 lines, those that do not match included.
    pub(crate) complete: bool,
}

/// Errors that have something in common.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorGroup {
    /// What: a map, an app, a class, a fingerprint or a record. Goes as a filter with the next request.
    pub(crate) value: String,
    /// How many errors.
    pub(crate) count: u64,
    /// How many of them are not resolved.
    pub(crate) unresolved: u64,
    /// How many writes they are of.
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

/// Events that could not be logged.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailedEvents {
    /// Newest first.
    pub(crate) events: Vec<FailedEvent>,
    /// Goes as `before` with the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
    /// Batches of the table's stream that could not be logged for half a day: the queue of failed events has them.
    /// Absent: that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) batches: Option<u64>,
}

/// An event that could not be logged.
#[derive(Serialize, ToSchema)]
pub(crate) struct FailedEvent {
    /// Its id.
    id: String,
    /// When it was given up, RFC 3339.
    at: String,
    /// The key of the item that carried it.
    source: String,
    /// What is wrong with it.
    says: String,
}

impl From<ports::FailedEvent> for FailedEvent {
    fn from(event: ports::FailedEvent) -> Self {
        Self { id: event.id.to_string(), at: event.at.to_string(), source: event.source, says: event.says }
    }
}
