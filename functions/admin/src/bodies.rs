//! What only the API reads or writes: the bodies of its requests, and its own health.

mod sync_start;

use std::collections::BTreeSet;

use app::{admin::view::by_hand, ports::Role};
use domain::{
    ErrorClass, Record, RecordKey, SideId,
    lane::ArchiveCause,
    rule::{Address, RuleConfig},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use self::sync_start::{DecideDeletionsRequest, StartSyncRun, StartSyncRuns};

/// The function runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    pub(crate) status: &'static str,
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
    #[schema(schema_with = by_hand::backlog)]
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
    #[schema(schema_with = by_hand::backlog)]
    pub(crate) backlog: Option<domain::map::Backlog>,
}

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

/// The reason for a command.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Why, in 1 to 500 characters. Shown with the map's state.
    pub(crate) reason: String,
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

/// A rule to evaluate against the stored log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRun {
    /// The rule's settings.
    #[schema(schema_with = by_hand::rule_config)]
    pub(crate) config: RuleConfig,
    /// From this time on, RFC 3339.
    pub(crate) from: String,
    /// Until this time, RFC 3339, at most a week later. Absent: now.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) until: Option<String>,
}

/// The members of a group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Members {
    /// Their addresses, 1 to 50. Duplicates are removed.
    #[schema(value_type = Vec<String>, max_items = 50)]
    pub(crate) members: BTreeSet<Address>,
}

/// A connection test.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestRequest {
    /// The entity that the test looks at. Absent: the test requests the base URL, and looks at the entities of the maps that use
    /// the side, at most three.
    #[serde(default)]
    pub(crate) entity: Option<String>,
}

/// A token to create.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRequest {
    /// Its owner, in 1 to 100 characters. No two tokens have the same name.
    pub(crate) name: String,
    /// Its role.
    #[schema(schema_with = by_hand::role)]
    pub(crate) role: Role,
}
