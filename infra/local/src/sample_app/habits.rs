//! The habits of an app: things that real apps do although nothing is broken, and that make it hard to keep two of them
//! in step.

use std::time::Duration;

use serde::Serialize;

/// The habits of an app. The default is an app without any.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Habits {
    /// Whether the app also reports changes that came over the data API. Many triggers leave out what the integration's
    /// own user wrote.
    pub(super) reports_own_writes: bool,
    /// Whether a report has the record as it was before. Many triggers have no image of it.
    pub(super) tells_before: bool,
    /// Whether the app tidies values when it stores them: it cuts off blanks at both ends, and fractions of a second.
    pub(super) tidies: bool,
    /// Time between Tandem's answer to a person's change and the commit.
    pub(super) commits_late_ms: u32,
    /// Whether the app honours `Idempotency-Key`. Neither Finance & Operations nor Dataverse does.
    pub(super) idempotency_keys: bool,
}

impl Default for Habits {
    fn default() -> Self {
        Self {
            reports_own_writes: true,
            tells_before: true,
            tidies: false,
            commits_late_ms: 0,
            idempotency_keys: false,
        }
    }
}

impl Habits {
    /// Time between Tandem's answer to a person's change and the commit.
    pub(super) fn commit_delay(&self) -> Duration {
        Duration::from_millis(self.commits_late_ms.into())
    }
}
