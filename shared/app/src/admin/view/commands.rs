//! Commands for entries, and their results.

use domain::{Map, Record, SideIx, record::Image};
use serde::Serialize;
use utoipa::ToSchema;

use super::{by_hand, entries::shown};

/// The results of a command.
#[derive(Serialize, ToSchema)]
pub struct CommandResults {
    /// One for each entry, in the order of the request.
    pub results: Vec<CommandResult>,
    /// For `retry-all` and `hold-all`: the `after` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
    /// When entries will be retried, if not now: a paused or stopped map sends nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub note: Option<String>,
}

/// The result for one entry.
#[derive(Serialize, ToSchema)]
pub struct CommandResult {
    /// The record.
    pub key: String,
    /// The entry's place.
    pub seq: u64,
    /// Whether the command was carried out.
    pub done: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = by_hand::problem)]
    pub problem: Option<crate::problem::Problem>,
    /// With `dry_run`: what a retry would send, in the order of the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sends: Option<Vec<Send>>,
}

/// The results of a recovery.
#[derive(Serialize, ToSchema)]
pub struct RecoveredAll {
    /// One for each change, in the order of recovery.
    pub results: Vec<Recovered>,
    /// The `after` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// The result for one archived change.
#[derive(Serialize, ToSchema)]
pub struct Recovered {
    /// Its id in the archive.
    pub archive_id: String,
    /// Whether it was recovered.
    pub done: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = by_hand::problem)]
    pub problem: Option<crate::problem::Problem>,
}

/// What a retry would send.
#[derive(Serialize, ToSchema)]
pub struct RetryPreview {
    /// In the order of the calls.
    pub sends: Vec<Send>,
}

/// One call.
#[derive(Serialize, ToSchema)]
pub struct Send {
    /// The side that is called.
    pub to: String,
    /// `upsert`, `delete`, or `copy`: the record as the other side has it by then.
    pub op: &'static str,
    /// The record. Redacted values are `•••`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub record: Option<Record>,
}

impl Send {
    pub fn of(map: &Map, to: SideIx, image: Option<Image>) -> Self {
        let op = match &image {
            None => "copy",
            Some(Image::Present(_)) => "upsert",
            Some(Image::Absent) => "delete",
        };
        let record = image.and_then(|image| shown(&map.config, to, &image));
        Self { to: map.config.side(to).side.to_string(), op, record }
    }
}
