//! What is done to entries, and what became of it.

use domain::{ErrorClass, Map, Record, SideIx, lane::ArchiveCause, record::Image};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{by_hand, entries::shown};

/// What is done to entries that wait.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryCommand {
    /// `retry`, `hold`, `cancel`, `restore`, `skip`, `revert`, `supersede`, `acknowledge`, `assign`, `note` or `edit`.
    pub(crate) command: CommandName,
    /// The entries, at most 200. Each gets an answer of its own.
    #[schema(max_items = 200)]
    pub(crate) entries: Vec<EntryRef>,
    /// Why, in 1 to 500 characters: it stands with the entry. For `note` it is the note.
    pub(crate) reason: String,
    /// For `assign`: who takes care of it, in 1 to 100 characters. Absent: nobody.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) to: Option<String>,
    /// For `edit`: the fields to change, by the names of the entry's `shape`.
    #[serde(default)]
    #[schema(value_type = Object, nullable = false)]
    pub(crate) record: Option<Record>,
    /// For `retry`: does nothing; each result says what would be sent. Default: false.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What is done to entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CommandName {
    /// Try it again, now.
    Retry,
    /// Do not try it until somebody says so.
    Hold,
    /// Do not write it when its turn comes.
    Cancel,
    /// Write a cancelled entry after all.
    Restore,
    /// Give it up: the apps may differ in this record until its next change.
    Skip,
    /// Give it up, and give its own app what the other one has.
    Revert,
    /// Let the last change of the record take the place of all before it.
    Supersede,
    /// Somebody has seen it.
    Acknowledge,
    /// Somebody takes care of it.
    Assign,
    /// Remember this.
    Note,
    /// Change fields, then try it again: both apps get the new record.
    Edit,
}

/// Names an entry as it was seen: when its lane has moved on, nothing is done.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EntryRef {
    /// The record.
    pub(crate) key: String,
    /// Its place in the record's lane.
    pub(crate) seq: u64,
}

/// What became of a command.
#[derive(Serialize, ToSchema)]
pub(crate) struct CommandResults {
    /// One for each entry, in the order of the request.
    pub(crate) results: Vec<CommandResult>,
    /// For `retry-all` and `hold-all`: goes as `after` with the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
    /// When entries are tried again, if that is not now: a map that is paused or stopped sends nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) note: Option<String>,
}

/// What became of one entry.
#[derive(Serialize, ToSchema)]
pub(crate) struct CommandResult {
    /// The record.
    pub(crate) key: String,
    /// The entry's place.
    pub(crate) seq: u64,
    /// It was done.
    pub(crate) done: bool,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
    /// With `dry_run`: what trying it again would send, in the order of the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) sends: Option<Vec<Send>>,
}

/// Which catch-up errors are tried again; for `hold-all`: which of those that were to be tried again, and are not being
/// written, wait for an operator as before.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryAll {
    /// Why, in 1 to 500 characters.
    pub(crate) reason: String,
    /// Only this class.
    #[serde(default)]
    #[schema(schema_with = by_hand::error_class)]
    pub(crate) class: Option<ErrorClass>,
    /// Only those that were met when writing to this app.
    #[serde(default)]
    #[schema(value_type = String, nullable = false)]
    pub(crate) to: Option<domain::SideId>,
    /// Only records whose key begins so.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) key_prefix: Option<String>,
    /// `true`: only those that somebody has seen; `false`: only the others.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) acknowledged: Option<bool>,
    /// Only those that this person takes care of.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) assigned_to: Option<String>,
    /// Does nothing; each result says what trying the entry again would send. Default: false.
    #[serde(default)]
    pub(crate) dry_run: bool,
    /// Where the page before ended. What comes to wait after the first page was asked for is left out.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) after: Option<String>,
}

/// Why an archived change is brought back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recover {
    /// In 1 to 500 characters.
    pub(crate) reason: String,
    /// For a change that neither app has: it is written even if later changes of the record were accepted, on top of
    /// them. Default: false.
    #[serde(default)]
    pub(crate) force: bool,
}

/// Which archived changes are brought back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecoverAll {
    /// Those that were archived for this cause, e.g. `discarded`.
    #[schema(value_type = String)]
    pub(crate) cause: ArchiveCause,
    /// Why, in 1 to 500 characters.
    pub(crate) reason: String,
    /// Where the page before ended.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) after: Option<String>,
}

/// What became of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveredAll {
    /// One for each, in the order in which they came back.
    pub(crate) results: Vec<Recovered>,
    /// Goes as `after` with the next request. Absent: there are no more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(crate) next: Option<String>,
}

/// What became of one of them.
#[derive(Serialize, ToSchema)]
pub(crate) struct Recovered {
    /// Its id in the archive.
    pub(crate) archive_id: String,
    /// It came back.
    pub(crate) done: bool,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = by_hand::problem)]
    pub(crate) problem: Option<app::problem::Problem>,
}

/// What trying an entry again would send.
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
    /// `upsert`, `delete`, or `copy`: what the other side has by then.
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
