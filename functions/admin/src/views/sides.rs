//! Responses about sides.

use app::admin::sides;
use domain::{
    ErrorClass, Failure,
    side::{Health, SideConfig},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::by_hand;

/// All sides.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sides {
    /// The sides, sorted by name.
    pub(crate) sides: Vec<Side>,
}

/// A side.
#[derive(Serialize, ToSchema)]
pub(crate) struct Side {
    /// Its name.
    id: String,
    /// Counts changes. The `If-Match` of the next change.
    version: u64,
    /// Its settings.
    #[schema(schema_with = by_hand::side_config)]
    config: SideConfig,
    /// How its app answers. Absent until a write to the app was noted, and in the response to a change of the side.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    health: Option<SideHealth>,
}

/// How the app of a side answers. Functions note it at most every 20 s, and when it changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct SideHealth {
    /// When the app took a record last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    taken_at: Option<String>,
    /// Calls fail for a reason of the whole side, and no answer has come since.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trouble: Option<SideTrouble>,
    /// What the app reports contradicts `reports_own_writes`. For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    warning: Option<String>,
}

/// What is wrong with the app of a side.
#[derive(Serialize, ToSchema)]
pub(crate) struct SideTrouble {
    /// When the first of these calls failed.
    since: String,
    /// The class of the failure.
    #[schema(schema_with = by_hand::error_class)]
    class: ErrorClass,
    /// For people, e.g. `crm has not answered since 2026-11-27T10:31:05.000Z (network)`.
    message: String,
}

impl Side {
    /// A side, and how its app answers.
    pub(crate) fn with_health((side, health): (domain::side::Side, Health)) -> Self {
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

/// A connection test.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestRequest {
    /// The entity that the test looks at. Absent: the test requests the base URL, and looks at the entities of the maps that use
    /// the side, at most three.
    #[serde(default)]
    pub(crate) entity: Option<String>,
}

/// The result of a connection test.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tested {
    /// Whether the app was reached and accepted the credentials.
    ok: bool,
    /// The duration of the test, in milliseconds.
    took_ms: u64,
    /// Why the test failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<TestFailure>,
    /// What the app answered to harmless questions, and what it means for the settings. Empty if the app was not reached, or if
    /// neither the request nor a map names an entity.
    findings: Vec<TestFinding>,
}

/// The answer to one question of a connection test.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestFinding {
    /// What the question was about: `record` (can one be read?), `key` (is it found by its key?), `etag` (does it fit the
    /// `capability`?), `absence` (is a key that no record has answered as such?), `list` (can its records be listed?), and, by
    /// `$metadata` or one record, whether the app knows the `entity`, the `key_field` and the mapped `fields`. `reports`: what the
    /// app has reported contradicts `reports_own_writes`.
    check: &'static str,
    /// `ok`; `warning`: it could not be found out, or may be wrong; `error`: writes will fail or do harm.
    level: &'static str,
    /// The entity; `*`: all of the side.
    entity: String,
    /// The map whose setting it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    map: Option<String>,
    /// What was asked for.
    asked: String,
    /// What was found.
    found: String,
    /// The setting that would help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    suggestion: Option<TestSuggestion>,
}

/// A setting that would help.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestSuggestion {
    /// The path of the setting in the side, or, if the finding names a map, in that map: `connector.key_style`.
    setting: String,
    /// Its value: `named`.
    value: String,
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
pub(crate) struct TestFailure {
    /// The error's class.
    #[schema(schema_with = by_hand::error_class)]
    class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// The app's own message, or the network error.
    message: String,
    /// Where to look.
    hint: String,
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
