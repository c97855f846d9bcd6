//! Commands for entries, and their results.

use domain::{ErrorClass, Map, Record, SideIx, lane::ArchiveCause, record::Image};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{by_hand, entries::shown};

/// A command for queued or parked entries.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryCommand {
    /// `retry`, `hold`, `cancel`, `restore`, `skip`, `revert`, `supersede`, `acknowledge`, `assign`, `note` or `edit`.
    pub(crate) command: CommandName,
    /// The entries, at most 200. Each has its own result.
    #[schema(max_items = 200)]
    pub(crate) entries: Vec<EntryRef>,
    /// Why, in 1 to 500 characters. Shown with the entry. For `note`, this is the note.
    pub(crate) reason: String,
    /// For `assign`: the assignee, in 1 to 100 characters. Absent: unassigns the entry.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) to: Option<String>,
    /// For `edit`: the fields to change, by the names of the entry's `shape`.
    #[serde(default)]
    #[schema(value_type = Object, nullable = false)]
    pub(crate) record: Option<Record>,
    /// For `retry`: sends nothing and returns what each retry would send. Default: false.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// The commands for entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandName {
    /// Retry it now.
    Retry,
    /// Do not try it until an operator retries it.
    Hold,
    /// Do not write it when its turn comes.
    Cancel,
    /// Write a cancelled entry after all.
    Restore,
    /// Do not write it, and archive it. The apps may differ in this record until its next change.
    Skip,
    /// Do not write it, and copy the record of the other app to its own app.
    Revert,
    /// Archive it and all later changes of the record but the last, which is written.
    Supersede,
    /// Record that somebody has seen it.
    Acknowledge,
    /// Record who takes care of it.
    Assign,
    /// Add a note to it.
    Note,
    /// Change fields of its record, then retry it. Both apps get the new record.
    Edit,
}

/// Names an entry. If the lane has moved on since the client read it, the command is refused.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryRef {
    /// The record.
    pub(crate) key: String,
    /// Its place in the record's lane.
    pub(crate) seq: u64,
}

/// The results of a command.
#[derive(Serialize, ToSchema)]
pub(crate) struct CommandResults {
    /// One for each entry, in the order of the request.
    pub(crate) results: Vec<CommandResult>,
    /// For `retry-all` and `hold-all`: the `after` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
    /// When entries will be retried, if not now: a paused or stopped map sends nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) note: Option<String>,
}

/// The result for one entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct CommandResult {
    /// The record.
    pub(crate) key: String,
    /// The entry's place.
    pub(crate) seq: u64,
    /// Whether the command was carried out.
    pub(crate) done: bool,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
    /// With `dry_run`: what a retry would send, in the order of the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) sends: Option<Vec<Send>>,
}

/// Selects the catch-up errors to retry. For `hold-all`: selects the entries that are due for a retry and not in flight; they
/// are parked again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryAll {
    /// Why, in 1 to 500 characters.
    pub(crate) reason: String,
    /// Only this class.
    #[serde(default)]
    #[schema(schema_with = by_hand::error_class)]
    pub(crate) class: Option<ErrorClass>,
    /// Only errors met when writing to this app.
    #[serde(default)]
    #[schema(value_type = String, nullable = false)]
    pub(crate) to: Option<domain::SideId>,
    /// Only records whose key begins with this text.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) key_prefix: Option<String>,
    /// `true`: only acknowledged entries; `false`: only the others.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) acknowledged: Option<bool>,
    /// Only entries assigned to this person.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) assigned_to: Option<String>,
    /// Sends nothing and returns what each retry would send. Default: false.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// The `next` of the previous page. Entries that were parked after the first page was read are left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) after: Option<String>,
}

/// The recovery of an archived change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recover {
    /// Why, in 1 to 500 characters.
    pub(crate) reason: String,
    /// For a change that neither app has: writes it even if later changes of the record were accepted, and so overwrites
    /// them. Default: false.
    #[serde(default)]
    pub(crate) force: bool,
}

/// Selects the archived changes to recover.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoverAll {
    /// Only changes archived for this cause, e.g. `discarded`.
    #[schema(value_type = String)]
    pub(crate) cause: ArchiveCause,
    /// Why, in 1 to 500 characters.
    pub(crate) reason: String,
    /// The `next` of the previous page.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) after: Option<String>,
}

/// The results of a recovery.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveredAll {
    /// One for each change, in the order of recovery.
    pub(crate) results: Vec<Recovered>,
    /// The `after` of the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
}

/// The result for one archived change.
#[derive(Serialize, ToSchema)]
pub(crate) struct Recovered {
    /// Its id in the archive.
    pub(crate) archive_id: String,
    /// Whether it was recovered.
    pub(crate) done: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
}

/// What a retry would send.
#[derive(Serialize, ToSchema)]
pub(crate) struct RetryPreview {
    /// In the order of the calls.
    pub(crate) sends: Vec<Send>,
}

/// One call.
#[derive(Serialize, ToSchema)]
pub(crate) struct Send {
    /// The side that is called.
    pub(crate) to: String,
    /// `upsert`, `delete`, or `copy`: the record as the other side has it by then.
    pub(crate) op: &'static str,
    /// The record. Redacted values are `•••`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub(crate) record: Option<Record>,
}

impl Send {
    pub(crate) fn of(map: &Map, to: SideIx, image: Option<Image>) -> Self {
        let op = match &image {
            None => "copy",
            Some(Image::Present(_)) => "upsert",
            Some(Image::Absent) => "delete",
        };
        let record = image.and_then(|image| shown(&map.config, to, &image));
        Self { to: map.config.side(to).side.to_string(), op, record }
    }
}
