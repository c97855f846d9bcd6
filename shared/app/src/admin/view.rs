//! What an operator may see: the answers of the API and the content of the console's pages. Values that a map hides are
//! hidden here, once for both. The configurations of sides and maps are shown as they are stored.
//!
//! The comments of types and fields are the descriptions in the `OpenAPI` document.
#![expect(missing_docs, reason = "a field whose name says all has no description in the OpenAPI document either")]

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

pub use self::{
    backlog::{BacklogView, Busy, MapQueue, MapResult, MapResults, Paused, Progress, Queues},
    commands::{CommandResult, CommandResults, Recovered, RecoveredAll, RetryPreview, Send},
    document::{Change, Item, Plan},
    entries::{Archive, ArchivedView, Attribution, ConflictView, Conflicts, Entries, EntryDetail, EntryView, Value},
    incidents::{ActedView, DeliveryView, Incident, Incidents, NoticeView, TopView},
    logs::{
        Activities, ActivityView, ErrorGroup, ErrorGroups, ErrorView, ErrorsResolved, FailedEvent, FailedEvents,
        LoggedErrors,
    },
    maps::{Lane, LaneFailure, Map, Maps, OpenLanes, Previewed},
    rules::{
        DryRunResult, Explained, ExplainedError, FlaggedAddress, FlaggedAddresses, Group, Groups, Rule, RuleTested,
        Rules, TestMail, WouldBreach,
    },
    sides::{Side, SideHealth, SideTrouble, Sides, TestFailure, TestFinding, TestSuggestion, Tested},
    syncs::{
        SyncCalls, SyncCause, SyncCheck, SyncCheckProblem, SyncCost, SyncExpected, SyncField, SyncLeg, SyncNote,
        SyncPredecessor, SyncRecord, SyncRecords, SyncRerun, SyncRunView, SyncRuns, SyncStall, SyncSteered,
    },
    tokens::{NewToken, Token, Tokens},
};

/// References to schemas that are written by hand, in `schemas.json`: those of types that are stored as they are.
pub mod by_hand {
    use utoipa::openapi::{Ref, RefOr, Schema};

    pub fn side_config() -> RefOr<Schema> {
        Ref::from_schema_name("SideConfig").into()
    }

    pub fn map_config() -> RefOr<Schema> {
        Ref::from_schema_name("MapConfig").into()
    }

    pub fn error_class() -> RefOr<Schema> {
        Ref::from_schema_name("ErrorClass").into()
    }

    pub fn sync_kind() -> RefOr<Schema> {
        Ref::from_schema_name("SyncKind").into()
    }

    pub fn problem() -> RefOr<Schema> {
        Ref::from_schema_name("Problem").into()
    }

    pub fn backlog() -> RefOr<Schema> {
        Ref::from_schema_name("Backlog").into()
    }

    pub fn rule_config() -> RefOr<Schema> {
        Ref::from_schema_name("RuleConfig").into()
    }

    pub fn role() -> RefOr<Schema> {
        Ref::from_schema_name("Role").into()
    }
}
