//! Responses about backlogs.

use crate::admin::{backlog::Backlog, map_commands::InFlightWrites};
use serde::Serialize;
use utoipa::ToSchema;

use super::Map;

/// The backlog of a map.
#[derive(Serialize, ToSchema)]
pub struct BacklogView {
    /// The map's state.
    pub state: &'static str,
    /// The number of queued changes. Approximate, as SQS counts. Absent while the map has no queue: the next sweep creates one
    /// for a paused map within a minute. `/maps/{map}/queue/entries` lists the changes in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub depth: Option<u64>,
    /// When the oldest queued change was accepted, RFC 3339. Parked changes do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub oldest: Option<String>,
    /// `true`: not all waiting records were examined, so the oldest change may be older than `oldest`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub oldest_at_least: Option<bool>,
    /// Growth of the queue in changes per minute, while the map is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub growth_per_minute: Option<f64>,
    /// Expected time to write the backlog, in seconds, at the rate of this catch-up or the previous one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expected_seconds: Option<f64>,
    /// When the catch-up is expected to end, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub expected_at: Option<String>,
    /// The last catch-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub catch_up: Option<Progress>,
}

/// The backlogs of the maps that are paused or catching up.
#[derive(Serialize, ToSchema)]
pub struct Queues {
    /// The maps, sorted by name.
    pub maps: Vec<MapQueue>,
}

/// The backlog of one map in a list.
#[derive(Serialize, ToSchema)]
pub struct MapQueue {
    /// The map's name.
    pub id: String,
    /// The same as `/maps/{map}/queue` returns.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub queue: Option<BacklogView>,
    /// Why the backlog could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::by_hand::problem)]
    pub problem: Option<crate::problem::Problem>,
}

/// The progress of a catch-up.
#[derive(Serialize, ToSchema)]
pub struct Progress {
    /// When it began, RFC 3339.
    pub began: String,
    /// When its progress was recorded last, RFC 3339.
    pub last: String,
    /// Changes that were written.
    pub done: u64,
    /// Changes that were archived.
    pub archived: u64,
    /// Changes that were parked and wait for an operator.
    pub parked: u64,
    /// Failed attempts that will be retried.
    pub failed: u64,
    /// Changes still queued. Approximate; absent when `depth` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub left: Option<u64>,
    /// Changes written per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub rate_per_second: Option<f64>,
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
pub struct Paused {
    /// The map.
    pub map: Map,
    /// No write is in flight any more.
    pub quiet: bool,
    /// Functions may still start a write, because they cache a map's state for one second.
    pub settling: bool,
    /// Records with a write in flight.
    pub in_flight: Vec<Busy>,
    /// `true`: the list may be incomplete.
    pub more: bool,
}

/// A record with a write in flight.
#[derive(Serialize, ToSchema)]
pub struct Busy {
    /// The record.
    pub key: String,
    /// When its lease ends, RFC 3339. The write is over by then.
    pub until: String,
}

impl Paused {
    pub fn of(map: domain::Map, quiet: InFlightWrites) -> Self {
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

/// The results of a command for several maps.
#[derive(Serialize, ToSchema)]
pub struct MapResults {
    /// One for each map, in the order of the request.
    pub results: Vec<MapResult>,
}

/// The result for one map.
#[derive(Serialize, ToSchema)]
pub struct MapResult {
    /// Its name.
    pub id: String,
    /// The map as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub map: Option<Map>,
    /// After `pause`: whether no write is in flight any more. If `false`, repeat the request; a repeat changes nothing. The
    /// `pause` of a single map lists the writes in flight and can wait for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub quiet: Option<bool>,
    /// Why the command was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::by_hand::problem)]
    pub problem: Option<crate::problem::Problem>,
}
