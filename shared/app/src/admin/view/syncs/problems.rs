//! What stands against a run, as operators see it.

use crate::admin::{sides::Level, syncs::SyncProblem};
use serde::Serialize;
use utoipa::ToSchema;

/// What stands against a sync run.
#[derive(Serialize, ToSchema)]
pub struct SyncCheck {
    /// Nothing holds up the run that was asked about.
    pub ok: bool,
    /// All problems, those that hold up a run first.
    pub problems: Vec<SyncCheckProblem>,
}

/// A problem of a sync run.
#[derive(Serialize, ToSchema)]
pub struct SyncCheckProblem {
    /// `error`: records will fail, or harm is done: an `initial_sync` does not start, unless its `despite` has the code. `warning`:
    /// some records may fail, or it could not be found out.
    pub severity: &'static str,
    /// The kind of problem. Of the apps: `connection`, `side_missing`, `company`, `page_size`, `key_twice`, `row_unusable`, and the
    /// checks of the connection test (`TestFinding`). Of the map: `field_type`, `field_read_only`, `field_required`,
    /// `field_length`, `field_unmapped`, `value_unmapped`, `value_too_long`, `lookup_not_synced`, `lookup_without_map`,
    /// `lookup_of_itself`.
    pub code: &'static str,
    /// The side that it is about.
    pub side: String,
    /// The setting or the field that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
    /// What was found.
    pub message: String,
    /// What to do.
    pub fix: String,
}

impl SyncCheck {
    /// `despite`: the codes that hold up nothing.
    pub fn of(problems: Vec<SyncProblem>, despite: &[String]) -> Self {
        let blocks = |problem: &SyncProblem| {
            problem.severity == Level::Error && !despite.iter().any(|accepted| accepted == problem.code)
        };
        Self { ok: !problems.iter().any(blocks), problems: problems.into_iter().map(SyncCheckProblem::from).collect() }
    }
}

impl From<SyncProblem> for SyncCheckProblem {
    fn from(problem: SyncProblem) -> Self {
        let SyncProblem { severity, code, side, field, message, fix } = problem;
        Self { severity: severity.as_str(), code, side: side.to_string(), field, message, fix }
    }
}
