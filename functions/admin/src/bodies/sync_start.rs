//! What a request to start a sync run says.

use std::collections::BTreeMap;

use app::{
    admin::{
        syncs::{DecideDeletions, StartInOrder, StartSync, record},
        view::by_hand,
    },
    error::AppError,
};
use domain::sync::{DeletionSet, LegChoice, OnFailure, Selection, SyncKind};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::syncs::read_cause;

/// A request to start a sync run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartSyncRun {
    /// `dry_run`: what an initial sync would do; writes nothing. `initial_sync`: copies what one app has and the other lacks or
    /// has otherwise; starts a map that does not run. `reconcile`: where the apps differ for sure; writes nothing.
    #[schema(schema_with = by_hand::sync_kind)]
    kind: SyncKind,
    /// The side whose record is taken where both have one and they differ. Default: as in `parent`, or the map's primary side, or its
    /// first.
    #[serde(default)]
    #[schema(value_type = String, nullable = false)]
    winner: Option<domain::SideId>,
    /// Fields whose values are taken from a side of their own, whoever wins the record: the name that a field has on either side, and the
    /// side that wins it. A record in which each side wins something is written to both. Default: as in `parent`, or none.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>, nullable = false)]
    winner_of_field: Option<BTreeMap<String, domain::SideId>>,
    /// What is copied from each side: `all` (default), `create_only`, `off`, or, of the side that does not win, `propose_deletion`:
    /// nothing is copied, and the deletion of each record that the winner lacks is proposed (not with `new_only`). No run deletes by
    /// itself.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    legs: BTreeMap<domain::SideId, LegChoice>,
    /// Which records. `all` (default): all that the sides list; with `parent`, as a rerun of it. `failed`: those that failed in
    /// `parent`. `cause`: those that failed there for `cause`. `edited`: those that failed there and whose mapped fields have been
    /// changed in their app since `parent` read them; the others count as `filtered`. A row that `parent` could not read counts as
    /// edited. `differences`: those that differ, as `parent` found. `new_only`: those that only one side lists and that did not fail
    /// in `parent`; what failed there, and what both sides have otherwise, counts as `filtered`. `record`: the one with `key`.
    /// The set is that of the lists of `parent`, which is over. In `edited` and `new_only`, a record that its app has changed
    /// since the run began counts as `later`: live changes carry it.
    #[serde(default)]
    #[schema(value_type = String, nullable = false)]
    selection: Option<String>,
    /// With `selection` `cause`: the cause, as the run shows it.
    #[serde(default)]
    #[schema(nullable = false)]
    cause: Option<String>,
    /// With `selection` `record`: the record's key.
    #[serde(default)]
    #[schema(nullable = false)]
    key: Option<String>,
    /// The run whose records are selected. It must be over, and have the same winners unless all records are selected.
    #[serde(default)]
    #[schema(nullable = false)]
    parent: Option<String>,
    /// Codes of problems that do not hold up a run that writes: see `SyncCheck`.
    #[serde(default)]
    despite: Vec<String>,
    /// Why, in 1 to 500 characters on one line.
    reason: String,
}

impl TryFrom<StartSyncRun> for StartSync {
    type Error = AppError;

    fn try_from(request: StartSyncRun) -> Result<Self, AppError> {
        let StartSyncRun { kind, winner, winner_of_field, legs, selection, cause, key, parent, despite, reason } =
            request;
        let needs = |field: &str, of: &str| AppError::mistake(field, &format!("goes with the selection `{of}`"));
        let missing = |field: &str, of: &str| AppError::mistake(field, &format!("is needed with the selection `{of}`"));
        let selection = match selection.as_deref().unwrap_or("all") {
            "all" => Selection::All,
            "failed" => Selection::Failed,
            "differences" => Selection::Differences,
            "new_only" => Selection::NewOnly,
            "edited" => Selection::Edited,
            "cause" => {
                let cause = cause.as_deref().ok_or_else(|| missing("cause", "cause"))?;
                Selection::Cause { cause: read_cause("cause", cause)? }
            }
            "record" => Selection::Record { key: record(key.as_deref().ok_or_else(|| missing("key", "record"))?)? },
            _ => {
                let says = "must be all, failed, cause, edited, differences, new_only or record";
                return Err(AppError::mistake("selection", says));
            }
        };
        if cause.is_some() && !matches!(selection, Selection::Cause { .. }) {
            return Err(needs("cause", "cause"));
        }
        if key.is_some() && !matches!(selection, Selection::Record { .. }) {
            return Err(needs("key", "record"));
        }
        let parent = parent.map(|text| text.parse().map_err(|says: String| AppError::mistake("parent", &says)));
        let legs = legs.into_iter().collect();
        Ok(Self { kind, winner, winner_of_field, legs, selection, parent: parent.transpose()?, despite, reason })
    }
}

/// A decision about deletions that a sync run has proposed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecideDeletionsRequest {
    /// Which: `all`; `through`: those up to and with `key`, in the order of their list; `listed`: those of `keys`; `once_in_step`: those
    /// of records that both apps are known to have had.
    of: String,
    /// With `through`: the last record that was shown.
    #[serde(default)]
    #[schema(nullable = false)]
    key: Option<String>,
    /// With `listed`: 1 to 100 keys.
    #[serde(default)]
    keys: Vec<String>,
    /// Why, in 1 to 500 characters on one line.
    reason: String,
}

impl DecideDeletionsRequest {
    /// The decision, if it is `approve` or `reject`.
    pub(crate) fn read(self, decision: &str) -> Result<DecideDeletions, AppError> {
        let Self { of, key, keys, reason } = self;
        let approve = match decision {
            "approve" => true,
            "reject" => false,
            _ => return Err(AppError::mistake("decision", "must be approve or reject")),
        };
        let parse = |field: &str, text: &str| text.parse().map_err(|says: String| AppError::mistake(field, &says));
        let set = match &*of {
            "all" => DeletionSet::All,
            "once_in_step" => DeletionSet::OnceInStep,
            "through" => {
                let missing = || AppError::mistake("key", "is needed with `through`");
                DeletionSet::Through { key: parse("key", key.as_deref().ok_or_else(missing)?)? }
            }
            "listed" => {
                let keys = keys.iter().map(|key| parse("keys", key)).collect::<Result<_, _>>()?;
                DeletionSet::Listed { keys }
            }
            _ => return Err(AppError::mistake("of", "must be all, through, listed or once_in_step")),
        };
        if key.is_some() && of != "through" {
            return Err(AppError::mistake("key", "goes with `through`"));
        }
        if !keys.is_empty() && of != "listed" {
            return Err(AppError::mistake("keys", "goes with `listed`"));
        }
        Ok(DecideDeletions { approve, set, reason })
    }
}

/// A request to start sync runs of several maps, each of all records.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartSyncRuns {
    /// The maps, 1 to 50, in any order. A map whose initial sync goes on with the same choice keeps it.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 50)]
    maps: Vec<domain::MapId>,
    /// As in `StartSyncRun`. Each initial sync waits for those of the maps to which its lookups refer, and starts its map when its turn
    /// has come. Runs that do not write wait for nothing.
    #[schema(schema_with = by_hand::sync_kind)]
    kind: SyncKind,
    /// As in `StartSyncRun`: a side of all the maps.
    #[serde(default)]
    #[schema(value_type = String, nullable = false)]
    winner: Option<domain::SideId>,
    /// As in `StartSyncRun`: sides of all the maps.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    legs: BTreeMap<domain::SideId, LegChoice>,
    /// What a run does when one before it was cancelled, is gone, or ended with failed records. `stop` (default): it pauses, and goes on
    /// when somebody resumes it. `continue`: it begins all the same.
    #[serde(default)]
    #[schema(value_type = String)]
    on_failure: OnFailure,
    /// Codes of problems that do not hold up runs that write: see `SyncCheck`.
    #[serde(default)]
    despite: Vec<String>,
    /// Why, in 1 to 500 characters on one line.
    reason: String,
}

impl From<StartSyncRuns> for StartInOrder {
    fn from(request: StartSyncRuns) -> Self {
        let StartSyncRuns { maps, kind, winner, legs, on_failure, despite, reason } = request;
        let (legs, selection) = (legs.into_iter().collect(), Selection::All);
        let wanted = StartSync { kind, winner, winner_of_field: None, legs, selection, parent: None, despite, reason };
        Self { maps, on_failure, wanted }
    }
}
