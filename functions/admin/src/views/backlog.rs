//! How much waits, as it is told.

use app::admin::{backlog::Backlog, map_commands::Quiet};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Map;

/// How much waits in a map.
#[derive(Serialize, ToSchema)]
pub(crate) struct BacklogView {
    /// The map's state.
    state: &'static str,
    /// Changes that wait. Approximate, as SQS counts. Absent: the map has no queue, and it is not known; the next minute's
    /// sweep makes one for a map that is paused. `/maps/{map}/queue/entries` lists them all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    depth: Option<u64>,
    /// When the oldest of them was accepted, RFC 3339. Those that wait for an operator do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    oldest: Option<String>,
    /// `true`: so many records wait that not all were looked at. Changes wait since `oldest` at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    oldest_at_least: Option<bool>,
    /// By how many changes a minute the queue grows, while the map is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    growth_per_minute: Option<f64>,
    /// How long it takes to write what waits, in seconds, at the rate of this catch-up or of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expected_seconds: Option<f64>,
    /// When that is, RFC 3339, while the map catches up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expected_at: Option<String>,
    /// The last catch-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    catch_up: Option<Progress>,
}

/// How much waits in the maps that are paused or catch up.
#[derive(Serialize, ToSchema)]
pub(crate) struct Queues {
    /// By name.
    pub(crate) maps: Vec<MapQueue>,
}

/// How much waits in one of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapQueue {
    /// The map's name.
    pub(crate) id: String,
    /// As `/maps/{map}/queue` tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) queue: Option<BacklogView>,
    /// Why that is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
}

/// How far a catch-up is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Progress {
    /// When it began, RFC 3339.
    began: String,
    /// When the last of it was noted, RFC 3339.
    last: String,
    /// Changes that came to their end.
    done: u64,
    /// Changes that were archived.
    archived: u64,
    /// Changes that were parked: they wait for an operator.
    parked: u64,
    /// Attempts that failed and are repeated.
    failed: u64,
    /// Changes that wait still. Approximate. Absent: as `depth`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    left: Option<u64>,
    /// Changes a second.
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

/// A map that was paused, and what is still going on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Paused {
    /// The map.
    map: Map,
    /// Nothing is being written any more.
    quiet: bool,
    /// Functions may still begin a write: they remember a map's state for a second.
    settling: bool,
    /// Records that are being written.
    in_flight: Vec<Busy>,
    /// There may be more of them than are listed.
    more: bool,
}

/// A record that is being written.
#[derive(Serialize, ToSchema)]
pub(crate) struct Busy {
    /// The record.
    key: String,
    /// It is over by then, RFC 3339.
    until: String,
}

impl Paused {
    pub(crate) fn of(map: domain::Map, quiet: Quiet) -> Self {
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

/// Why a map is resumed, and what becomes of what waits.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Resume {
    /// In 1 to 500 characters. It stands with the map's state.
    pub(crate) reason: String,
    /// `catch_up` (default): it is written, each record in its order. `skip_to_live` and `discard`: it goes to the
    /// archive (`GET /maps/{map}/archive?cause=skipped_to_live`, or `discarded`), from where `recover` and
    /// `recover-all` bring it back; what was skipped to go live is kept for ever, what was discarded for 90 days. What
    /// waited for an operator before (`GET /maps/{map}/errors`) goes with it.
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
    /// For `resume`: what becomes of what waits.
    #[serde(default)]
    #[schema(schema_with = super::by_hand::backlog)]
    pub(crate) backlog: Option<domain::map::Backlog>,
}

/// What became of a command for several maps.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapResults {
    /// One for each map, in the order of the request.
    pub(crate) results: Vec<MapResult>,
}

/// What became of one map.
#[derive(Serialize, ToSchema)]
pub(crate) struct MapResult {
    /// Its name.
    pub(crate) id: String,
    /// The map as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) map: Option<Map>,
    /// After `pause`: nothing is being written any more. If not, ask again: a repeat changes nothing. `pause` of one map
    /// lists what is being written, and can wait for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) quiet: Option<bool>,
    /// Why the command was not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
}
