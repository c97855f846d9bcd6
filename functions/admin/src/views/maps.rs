//! Responses about maps.

use app::admin::{
    open_lanes::{OpenLane, OpenState},
    preview::Preview,
};
use domain::{ErrorClass, MapConfig, Record, RecordKey, SideId, lane::StepFailure};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::by_hand;

/// All maps.
#[derive(Serialize, ToSchema)]
pub(crate) struct Maps {
    /// The maps, sorted by name.
    pub(crate) maps: Vec<Map>,
}

/// A map.
#[derive(Serialize, ToSchema)]
pub(crate) struct Map {
    /// Its name.
    id: String,
    /// `NotRunning`, `Initializing`, `Running`, `Paused`, `CatchingUp` or `Stopped`.
    state: &'static str,
    /// Since when it is in this state, RFC 3339.
    since: String,
    /// Who changed the state last.
    actor: String,
    /// Why they did.
    reason: String,
    /// The kind of cause: `operator`; `caught_up` (the backlog was written); `rule` (an alert setting reached its threshold);
    /// `auto_resume` (the app accepted the oldest change again).
    cause: &'static str,
    /// The incident that caused the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    incident: Option<String>,
    /// Counts changes of state.
    epoch: u64,
    /// Counts all changes. The `If-Match` of the next change.
    version: u64,
    /// How many writes were skipped because the map did not run. Only in responses about a single map.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    skipped: Option<u64>,
    /// Its settings.
    #[schema(schema_with = by_hand::map_config)]
    config: MapConfig,
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
            config: map.config,
        }
    }
}

impl Map {
    /// A map, and how many writes were skipped.
    pub(crate) fn with_skipped(map: domain::Map, skipped: u64) -> Self {
        Self { skipped: Some(skipped), ..map.into() }
    }
}

/// The reason for a command.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Why, in 1 to 500 characters. Shown with the map's state.
    pub(crate) reason: String,
}

/// Lanes with unwritten changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct OpenLanes {
    /// The lanes, sorted by the time of their next attempt.
    pub(crate) lanes: Vec<Lane>,
}

/// A record with unwritten changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct Lane {
    /// The record.
    key: String,
    /// The next change of the lane.
    seq: u64,
    /// `queued`, `in_flight`, `retrying`, or `parked`: it waits for an operator.
    state: &'static str,
    /// `true`: one app has the change and the other refused it.
    half_written: bool,
    /// Number of attempts started.
    attempts: u32,
    /// Number of later changes of the record that are queued.
    behind: u64,
    /// When the change was accepted, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    since: Option<String>,
    /// The earliest time of the next attempt, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    not_before: Option<String>,
    /// The error of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_failure: Option<LaneFailure>,
}

/// The error of an attempt.
#[derive(Serialize, ToSchema)]
pub(crate) struct LaneFailure {
    /// The side that was called.
    to: String,
    /// When, RFC 3339.
    at: String,
    /// The error's class.
    #[schema(schema_with = by_hand::error_class)]
    class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// The app's own message, shortened.
    message: String,
}

impl LaneFailure {
    pub(crate) fn of(to: String, step: StepFailure) -> Self {
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

/// A record of one side.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// The side whose record it is.
    #[schema(value_type = String)]
    pub(crate) from: SideId,
    /// Its key.
    #[schema(value_type = String)]
    pub(crate) key: RecordKey,
    /// Its fields, by the names of that side.
    #[schema(value_type = Object)]
    pub(crate) record: Record,
}

/// What a record becomes on the other side.
#[derive(Serialize, ToSchema)]
pub(crate) struct Previewed {
    /// The other side.
    to: String,
    /// The entity there.
    entity: String,
    /// The field that holds the key there.
    key_field: String,
    /// The key.
    key: String,
    /// The fields, by the names of the other side.
    #[schema(value_type = Object)]
    record: Record,
    /// Whether the record passes the filter of its side.
    passes_filter: bool,
    /// Fields of the record that no mapping carries.
    not_carried: Vec<String>,
    /// `false`: a preview writes nothing.
    written: bool,
}

impl From<Preview> for Previewed {
    fn from(preview: Preview) -> Self {
        let Preview { to, entity, key_field, key, record, passes_filter, not_carried } = preview;
        let (to, key) = (to.to_string(), key.to_string());
        Self { to, entity, key_field, key, record, passes_filter, not_carried, written: false }
    }
}
