//! Sides as they are told.

use app::admin::sides;
use domain::{ErrorClass, Failure, side::SideConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::by_hand;

/// All sides.
#[derive(Serialize, ToSchema)]
pub(crate) struct Sides {
    /// By name.
    pub(crate) sides: Vec<Side>,
}

/// A side.
#[derive(Serialize, ToSchema)]
pub(crate) struct Side {
    /// Its name.
    id: String,
    /// Counts changes. Goes as `If-Match` with the next change.
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

/// What a connection test reads.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestRequest {
    /// At most one record of this entity. Without it: what the app answers at its base address.
    #[serde(default)]
    pub(crate) entity: Option<String>,
}

/// What a connection test found.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tested {
    /// The app was reached and accepts the credentials.
    ok: bool,
    /// How long it took, in milliseconds.
    took_ms: u64,
    /// What stood in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<TestFailure>,
}

/// What stood in the way of a connection test.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestFailure {
    /// The error's class.
    #[schema(schema_with = by_hand::error_class)]
    class: ErrorClass,
    /// The app's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    code: Option<String>,
    /// The app's own words, or what happened on the way to it.
    message: String,
    /// Where to look.
    hint: String,
}

impl From<sides::Tested> for Tested {
    fn from(tested: sides::Tested) -> Self {
        let failure = tested.failure.map(|(failure, hint)| {
            let Failure { class, code, message, .. } = failure;
            TestFailure { class, code, message, hint }
        });
        Self { ok: failure.is_none(), took_ms: tested.took_ms, failure }
    }
}
