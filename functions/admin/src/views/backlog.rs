//! Responses about backlogs.

use app::admin::{backlog::Backlog, map_commands::InFlightWrites};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Map;

/// The backlog of a map.
#[derive(Serialize, ToSchema)]
pub(crate) struct BacklogView {
    /// The map's state.
    state: &'static str,
    /// The number of queued changes. Approximate, as SQS counts. Absent while the map has no queue: the next sweep creates one
    /// for a paused map within a minute. `/maps/{map}/queue/entries` lists the changes in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    depth: Option<u64>,
    /// When the oldest queued change was accepted, RFC 3339. Parked changes do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    oldest: Option<String>,
    /// `true`: not all waiting records were examined, so the oldest change may be older than `oldest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    oldest_at_least: Option<bool>,
    /// Growth of the queue in changes per minute, while the map is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    growth_per_minute: Option<f64>,
    /// Expected time to write the backlog, in seconds, at the rate of this catch-up or the previous one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expected_seconds: Option<f64>,
    /// When the catch-up is expected to end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expected_at: Option<String>,
    /// The last catch-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    catch_up: Option<Progress>,
}

/// The backlogs of the maps that are paused or catching up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queues {
    /// The maps, sorted by name.
    pub(crate) maps: Vec<MapQueue>,
}

/// The backlog of one map in a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapQueue {
    /// The map's name.
    pub(crate) id: String,
    /// The same as `/maps/{map}/queue` returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) queue: Option<BacklogView>,
    /// Why the backlog could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
}

/// The progress of a catch-up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Progress {
    /// When it began, RFC 3339.
    began: String,
    /// When its progress was recorded last, RFC 3339.
    last: String,
    /// Changes that were written.
    done: u64,
    /// Changes that were archived.
    archived: u64,
    /// Changes that were parked and wait for an operator.
    parked: u64,
    /// Failed attempts that will be retried.
    failed: u64,
    /// Changes still queued. Approximate; absent when `depth` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    left: Option<u64>,
    /// Changes written per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    rate_per_second: Option<f64>,
}

impl From<Backlog> for BacklogView {
    fn from(backlog: Backlog) -> Self {
        let (left, rate_per_second) = (backlog.depth, backlog.rate_per_second);
        Self {
            state: backlog.state.as_str(),
            depth: backlog.depth,
            oldest: backlog.oldest.map(|oldest| oldest.accepted_at.to_string()),
            oldest_at_least: backlog.oldest.map(|oldest| !oldest.complete),
            growth_per_minute: backlog.growth_per_minute,
            expected_seconds: backlog.expected_seconds,
            expected_at: backlog.expected_at.map(|at| at.to_string()),
            catch_up: backlog.catch_up.map(|done| Progress {
                began: done.began.to_string(),
                last: done.last.to_string(),
                done: done.done,
                archived: done.archived,
                parked: done.parked,
                failed: done.failed,
                left,
                rate_per_second,
            }),
        }
    }
}

/// A paused map, and the writes that are still in flight.
#[derive(Serialize, ToSchema)]
pub(crate) struct Paused {
    /// The map.
    map: Map,
    /// No write is in flight any more.
    quiet: bool,
    /// Functions may still start a write, because they cache a map's state for one second.
    settling: bool,
    /// Records with a write in flight.
    in_flight: Vec<Busy>,
    /// `true`: the list may be incomplete.
    more: bool,
}

/// A record with a write in flight.
#[derive(Serialize, ToSchema)]
pub(crate) struct Busy {
    /// The record.
    key: String,
    /// When its lease ends, RFC 3339. The write is over by then.
    until: String,
}

impl Paused {
    pub(crate) fn of(map: domain::Map, quiet: InFlightWrites) -> Self {
        let is_quiet = quiet.is_quiet();
        let busy = |(key, until): (domain::RecordKey, domain::Timestamp)| Busy {
            key: key.to_string(),
            until: until.to_string(),
        };
        Self {
            map: map.into(),
            quiet: is_quiet,
            settling: quiet.settling,
            more: quiet.more,
            in_flight: quiet.in_flight.into_iter().map(busy).collect(),
        }
    }
}

/// A resume: its reason, and what happens to the backlog.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resume {
    /// Why, in 1 to 500 characters. Shown with the map's state.
    pub(crate) reason: String,
    /// `catch_up` (default) writes the backlog, each record in order. `skip_to_live` and `discard` move the backlog and the
    /// catch-up errors (`GET /maps/{map}/errors`) to the archive (`GET /maps/{map}/archive?cause=skipped_to_live`, or
    /// `discarded`), from which `recover` and `recover-all` bring changes back. The archive keeps skipped changes for ever and
    /// discarded ones for 90 days.
    #[serde(default)]
    #[schema(schema_with = super::by_hand::backlog)]
    pub(crate) backlog: domain::map::Backlog,
}

/// The same command for several maps.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManyMaps {
    /// The maps, at most 50.
    #[schema(value_type = Vec<String>, max_items = 50)]
    pub(crate) maps: Vec<domain::MapId>,
    /// Why, in 1 to 500 characters.
    pub(crate) reason: String,
    /// For `resume`: what happens to the backlog.
    #[serde(default)]
    #[schema(schema_with = super::by_hand::backlog)]
    pub(crate) backlog: Option<domain::map::Backlog>,
}

/// The results of a command for several maps.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapResults {
    /// One for each map, in the order of the request.
    pub(crate) results: Vec<MapResult>,
}

/// The result for one map.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapResult {
    /// Its name.
    pub(crate) id: String,
    /// The map as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) map: Option<Map>,
    /// After `pause`: whether no write is in flight any more. If `false`, repeat the request; a repeat changes nothing. The
    /// `pause` of a single map lists the writes in flight and can wait for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) quiet: Option<bool>,
    /// Why the command was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
}
