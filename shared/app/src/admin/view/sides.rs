//! Responses about sides.

use crate::admin::sides;
use domain::{
    ErrorClass, Failure,
    side::{Health, SideConfig},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::by_hand;

/// All sides.
#[derive(Serialize, ToSchema)]
pub struct Sides {
    /// The sides, sorted by name.
    pub sides: Vec<Side>,
}

/// A side.
#[derive(Serialize, ToSchema)]
pub struct Side {
    /// Its name.
    pub id: String,
    /// Counts changes. The `If-Match` of the next change.
    pub version: u64,
    /// Its settings.
    #[schema(schema_with = by_hand::side_config)]
    pub config: SideConfig,
    /// How its app answers. Absent until a write to the app was noted, and in the response to a change of the side.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub health: Option<SideHealth>,
}

/// How the app of a side answers. Functions note it at most every 20 s, and when it changes.
#[derive(Serialize, ToSchema)]
pub struct SideHealth {
    /// When the app took a record last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub taken_at: Option<String>,
    /// Calls fail for a reason of the whole side, and no answer has come since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub trouble: Option<SideTrouble>,
    /// What the app reports contradicts `reports_own_writes`. For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub warning: Option<String>,
}

/// What is wrong with the app of a side.
#[derive(Serialize, ToSchema)]
pub struct SideTrouble {
    /// When the first of these calls failed.
    pub since: String,
    /// The class of the failure.
    #[schema(schema_with = by_hand::error_class)]
    pub class: ErrorClass,
    /// For people, e.g. `crm has not answered since 2026-11-27T10:31:05.000Z (network)`.
    pub message: String,
}

impl Side {
    /// A side, and how its app answers.
    pub fn with_health((side, health): (domain::side::Side, Health)) -> Self {
        let trouble = health.current_trouble().map(|trouble| SideTrouble {
            since: trouble.since.to_string(),
            class: trouble.class,
            message: trouble.describe(&side.id),
        });
        let known = health != Health::default();
        let taken_at = health.taken_at().map(|at| at.to_string());
        let warning = sides::doubt_reports(&side, &health).map(|found| {
            let not = if side.config.reports_own_writes { "" } else { "not " };
            format!("{} is set {not}to report what Tandem writes (`reports_own_writes`), but {found}", side.id)
        });
        Self { health: known.then_some(SideHealth { taken_at, trouble, warning }), ..Self::from(side) }
    }
}

impl From<domain::side::Side> for Side {
    fn from(side: domain::side::Side) -> Self {
        Self { id: side.id.to_string(), version: side.version, config: side.config, health: None }
    }
}

/// The result of a connection test.
#[derive(Serialize, ToSchema)]
pub struct Tested {
    /// Whether the app was reached and accepted the credentials.
    pub ok: bool,
    /// The duration of the test, in milliseconds.
    pub took_ms: u64,
    /// Why the test failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub failure: Option<TestFailure>,
    /// What the app answered to harmless questions, and what it means for the settings. Empty if the app was not reached, or if
    /// neither the request nor a map names an entity.
    pub findings: Vec<TestFinding>,
}

/// The answer to one question of a connection test.
#[derive(Serialize, ToSchema)]
pub struct TestFinding {
    /// What the question was about: `record` (can one be read?), `key` (is it found by its key?), `etag` (does it fit the
    /// `capability`?), `absence` (is a key that no record has answered as such?), `list` (can its records be listed?), and, by
    /// `$metadata` or one record, whether the app knows the `entity`, the `key_field` and the mapped `fields`. `reports`: what the
    /// app has reported contradicts `reports_own_writes`.
    pub check: &'static str,
    /// `ok`; `warning`: it could not be found out, or may be wrong; `error`: writes will fail or do harm.
    pub level: &'static str,
    /// The entity; `*`: all of the side.
    pub entity: String,
    /// The map whose setting it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub map: Option<String>,
    /// What was asked for.
    pub asked: String,
    /// What was found.
    pub found: String,
    /// The setting that would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub suggestion: Option<TestSuggestion>,
}

/// A setting that would help.
#[derive(Serialize, ToSchema)]
pub struct TestSuggestion {
    /// The path of the setting in the side, or, if the finding names a map, in that map: `connector.key_style`.
    pub setting: String,
    /// Its value: `named`.
    pub value: String,
}

impl From<sides::Finding> for TestFinding {
    fn from(finding: sides::Finding) -> Self {
        let sides::Finding { check, level, entity, map, asked, found, suggestion } = finding;
        let suggestion = suggestion.map(|sides::Suggestion { setting, value }| TestSuggestion { setting, value });
        let map = map.map(|map| map.to_string());
        Self { check: check.as_str(), level: level.as_str(), entity, map, asked, found, suggestion }
    }
}

/// Why a connection test failed.
#[derive(Serialize, ToSchema)]
pub struct TestFailure {
    /// The error's class.
    #[schema(schema_with = by_hand::error_class)]
    pub class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// The app's own message, or the network error.
    pub message: String,
    /// Where to look.
    pub hint: String,
}

impl From<sides::ConnectionTest> for Tested {
    fn from(tested: sides::ConnectionTest) -> Self {
        let failure = tested.failure.map(|(failure, hint)| {
            let Failure { class, code, message, .. } = failure;
            TestFailure { class, code, message, hint }
        });
        let findings = tested.findings.into_iter().map(TestFinding::from).collect();
        Self { ok: failure.is_none(), took_ms: tested.took_ms, failure, findings }
    }
}
