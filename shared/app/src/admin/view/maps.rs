//! Responses about maps.

use crate::admin::{
    open_lanes::{OpenLane, OpenState},
    preview::Preview,
};
use domain::{ErrorClass, MapConfig, Record, Timestamp, lane::StepFailure};
use serde::Serialize;
use utoipa::ToSchema;

use super::by_hand;

/// All maps.
#[derive(Serialize, ToSchema)]
pub struct Maps {
    /// The maps, sorted by name.
    pub maps: Vec<Map>,
}

/// A map.
#[derive(Serialize, ToSchema)]
pub struct Map {
    /// Its name.
    pub id: String,
    /// `NotRunning`, `Initializing`, `Running`, `Paused`, `CatchingUp` or `Stopped`.
    pub state: &'static str,
    /// Since when it is in this state, RFC 3339.
    pub since: String,
    /// Who changed the state last.
    pub actor: String,
    /// Why they did.
    pub reason: String,
    /// The kind of cause: `operator`; `caught_up` (the backlog was written); `rule` (an alert setting reached its threshold);
    /// `auto_resume` (the app accepted the oldest change again).
    pub cause: &'static str,
    /// The incident that caused the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub incident: Option<String>,
    /// Counts changes of state.
    pub epoch: u64,
    /// Counts all changes. The `If-Match` of the next change.
    pub version: u64,
    /// How many writes were skipped because the map did not run. Only in responses about a single map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub skipped: Option<u64>,
    /// When it is reconciled by schedule next, RFC 3339. Absent: it has no schedule, or does not run. Only in responses about a
    /// single map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_reconcile: Option<String>,
    /// Its settings.
    #[schema(schema_with = by_hand::map_config)]
    pub config: MapConfig,
}

impl From<domain::Map> for Map {
    fn from(map: domain::Map) -> Self {
        Self {
            id: map.id.to_string(),
            state: map.state.as_str(),
            since: map.since.to_string(),
            actor: map.actor,
            reason: map.reason,
            cause: map.cause.as_str(),
            incident: map.cause.incident().map(|incident| incident.to_string()),
            epoch: map.epoch,
            version: map.version,
            skipped: None,
            next_reconcile: None,
            config: map.config,
        }
    }
}

impl Map {
    /// A map, how many writes were skipped, and when it is reconciled next.
    pub fn with_skipped(map: domain::Map, skipped: u64, now: Timestamp) -> Self {
        let next_reconcile = map.next_reconcile(now).map(|due| due.to_string());
        Self { skipped: Some(skipped), next_reconcile, ..map.into() }
    }
}

/// Lanes with unwritten changes.
#[derive(Serialize, ToSchema)]
pub struct OpenLanes {
    /// The lanes, sorted by the time of their next attempt.
    pub lanes: Vec<Lane>,
}

/// A record with unwritten changes.
#[derive(Serialize, ToSchema)]
pub struct Lane {
    /// The record.
    pub key: String,
    /// The next change of the lane.
    pub seq: u64,
    /// `queued`, `in_flight`, `retrying`, or `parked`: it waits for an operator.
    pub state: &'static str,
    /// `true`: one app has the change and the other refused it.
    pub half_written: bool,
    /// Number of attempts started.
    pub attempts: u32,
    /// Number of later changes of the record that are queued.
    pub behind: u64,
    /// When the change was accepted, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub since: Option<String>,
    /// The earliest time of the next attempt, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub not_before: Option<String>,
    /// The error of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_failure: Option<LaneFailure>,
}

/// The error of an attempt.
#[derive(Serialize, ToSchema)]
pub struct LaneFailure {
    /// The side that was called.
    pub to: String,
    /// When, RFC 3339.
    pub at: String,
    /// The error's class.
    #[schema(schema_with = by_hand::error_class)]
    pub class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// The app's own message, shortened.
    pub message: String,
}

impl LaneFailure {
    pub fn of(to: String, step: StepFailure) -> Self {
        let StepFailure { at, failure, .. } = step;
        Self { to, at: at.to_string(), class: failure.class, code: failure.code, message: failure.message }
    }
}

impl From<OpenLane> for Lane {
    fn from(lane: OpenLane) -> Self {
        let last_failure = lane.last_failure.map(|(to, step)| LaneFailure::of(to.to_string(), step));
        let state = match lane.state {
            OpenState::Queued => "queued",
            OpenState::InFlight => "in_flight",
            OpenState::Retrying => "retrying",
            OpenState::Parked => "parked",
        };
        Self {
            key: lane.key.to_string(),
            seq: lane.seq,
            state,
            half_written: lane.half_written,
            attempts: lane.attempts,
            behind: lane.behind,
            since: lane.since.map(|at| at.to_string()),
            not_before: lane.not_before.map(|at| at.to_string()),
            last_failure,
        }
    }
}

/// What a record becomes on the other side.
#[derive(Serialize, ToSchema)]
pub struct Previewed {
    /// The other side.
    pub to: String,
    /// The entity there.
    pub entity: String,
    /// The field that holds the key there.
    pub key_field: String,
    /// The key.
    pub key: String,
    /// The fields, by the names of the other side.
    #[schema(value_type = Object)]
    pub record: Record,
    /// Whether the record passes the filter of its side.
    pub passes_filter: bool,
    /// Fields of the record that no mapping carries.
    pub not_carried: Vec<String>,
    /// `false`: a preview writes nothing.
    pub written: bool,
}

impl From<Preview> for Previewed {
    fn from(preview: Preview) -> Self {
        let Preview { to, entity, key_field, key, record, passes_filter, not_carried } = preview;
        let (to, key) = (to.to_string(), key.to_string());
        Self { to, entity, key_field, key, record, passes_filter, not_carried, written: false }
    }
}
