//! What goes over the wire, and its schemas. The configurations of sides and maps go as they are stored.

mod backlog;
mod commands;
mod document;
mod entries;
mod incidents;
mod logs;
mod maps;
mod rules;
mod sides;
mod syncs;
mod tokens;

use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::{
    backlog::{BacklogView, ManyMaps, MapQueue, MapResult, MapResults, Paused, Queues, Resume},
    commands::{
        CommandName, CommandResult, CommandResults, EntryCommand, EntryRef, Recover, RecoverAll, Recovered,
        RecoveredAll, RetryAll, RetryPreview, Send,
    },
    document::Plan,
    entries::{Archive, ArchivedView, ConflictView, Conflicts, Entries, EntryDetail, EntryView},
    incidents::{Incident, Incidents},
    logs::{
        Activities, ActivityView, ErrorGroup, ErrorGroups, ErrorView, ErrorsResolved, FailedEvent, FailedEvents,
        LoggedErrors,
    },
    maps::{LaneFailure, Map, Maps, OpenLanes, PreviewRequest, Previewed, Reason},
    rules::{
        DryRun, DryRunResult, Explained, FlaggedAddress, FlaggedAddresses, Group, Groups, Members, Rule, RuleTested,
        Rules, TestMail, WouldBreach,
    },
    sides::{Side, Sides, TestRequest, Tested},
    syncs::{StartSyncRun, SyncCheck, SyncRecord, SyncRecords, SyncRunView, SyncRuns},
    tokens::{NewToken, Token, TokenRequest, Tokens},
};

/// The function runs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    pub(crate) status: &'static str,
}

/// References to schemas that are written by hand, in `schemas.json`: those of types that are stored as they are.
pub(crate) mod by_hand {
    use utoipa::openapi::{Ref, RefOr, Schema};

    pub(crate) fn side_config() -> RefOr<Schema> {
        Ref::from_schema_name("SideConfig").into()
    }

    pub(crate) fn map_config() -> RefOr<Schema> {
        Ref::from_schema_name("MapConfig").into()
    }

    pub(crate) fn error_class() -> RefOr<Schema> {
        Ref::from_schema_name("ErrorClass").into()
    }

    pub(crate) fn sync_kind() -> RefOr<Schema> {
        Ref::from_schema_name("SyncKind").into()
    }

    pub(crate) fn problem() -> RefOr<Schema> {
        Ref::from_schema_name("Problem").into()
    }

    pub(crate) fn backlog() -> RefOr<Schema> {
        Ref::from_schema_name("Backlog").into()
    }

    pub(crate) fn rule_config() -> RefOr<Schema> {
        Ref::from_schema_name("RuleConfig").into()
    }

    pub(crate) fn role() -> RefOr<Schema> {
        Ref::from_schema_name("Role").into()
    }
}
