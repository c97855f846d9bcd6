//! Responses about sides.

use app::admin::sides;
use domain::{ErrorClass, Failure, side::SideConfig};
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
}

impl From<domain::side::Side> for Side {
    fn from(side: domain::side::Side) -> Self {
        Self { id: side.id.to_string(), version: side.version, config: side.config }
    }
}

/// A connection test.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestRequest {
    /// The entity of which the test reads at most one record. Absent: the test requests the base URL.
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
        Self { ok: failure.is_none(), took_ms: tested.took_ms, failure }
    }
}
