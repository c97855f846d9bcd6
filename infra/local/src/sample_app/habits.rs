//! What an app does on its own account, whether it is broken or not: habits of real apps that are hard on whoever keeps two of
//! them in step.

use std::time::Duration;

use serde::Serialize;

/// The habits of an app. The default is an app without any.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Habits {
    /// Whether changes over the data API are reported, too. Many triggers leave out what the integration's own user wrote.
    pub(super) reports_own_writes: bool,
    /// Whether a report says what the record was before. Many triggers have no image of it.
    pub(super) tells_before: bool,
    /// Whether values are tidied as they are stored: blanks at both ends and fractions of a second are cut off.
    pub(super) tidies: bool,
    /// How long after Tandem's answer a person's change is committed.
    pub(super) commits_late_ms: u32,
    /// Whether `Idempotency-Key` is honoured. Neither Finance & Operations nor Dataverse does.
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
    /// How long after Tandem's answer a person's change is committed.
    pub(super) fn commit_delay(&self) -> Duration {
        Duration::from_millis(self.commits_late_ms.into())
    }
}
