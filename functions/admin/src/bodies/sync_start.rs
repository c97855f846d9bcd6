//! What a request to start a sync run says.

use std::collections::BTreeMap;

use app::{
    admin::{
        syncs::{StartSync, record},
        view::by_hand,
    },
    error::AppError,
};
use domain::sync::{LegChoice, Selection, SyncKind};
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
    /// What is copied from each side. Default: `all`, of both.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    legs: BTreeMap<domain::SideId, LegChoice>,
    /// Which records. `all` (default): all that the sides list. `failed`: those that failed in `parent`. `cause`: those that failed there for
    /// `cause`. `differences`: those that differ, as `parent` found. `record`: the one with `key`.
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
    /// The run whose records are selected. It must be over, and have the same winners.
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
            "cause" => {
                let cause = cause.as_deref().ok_or_else(|| missing("cause", "cause"))?;
                Selection::Cause { cause: read_cause("cause", cause)? }
            }
            "record" => Selection::Record { key: record(key.as_deref().ok_or_else(|| missing("key", "record"))?)? },
            _ => return Err(AppError::mistake("selection", "must be all, failed, cause, differences or record")),
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
