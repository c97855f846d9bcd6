//! The switches that break the app on purpose.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// In what way the data API is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Fault {
    /// It works.
    #[default]
    Normal,
    /// It cuts every connection at once.
    Down,
    /// It answers late.
    Slow,
    /// It fails.
    #[serde(rename = "500")]
    InternalError,
    /// It says that it is not available.
    #[serde(rename = "503")]
    Unavailable,
    /// It says that it is called too often.
    #[serde(rename = "429")]
    Throttled,
    /// Its business rules refuse every change.
    Reject,
    /// It reads the request, does nothing, and cuts the connection.
    Reset,
    /// It stores the change and cuts the connection before the answer.
    ApplyThenDrop,
}

/// All faults, with the word of the API and the words of the page.
pub(super) const FAULTS: [(Fault, &str, &str); 9] = [
    (Fault::Normal, "normal", "Works normally"),
    (Fault::Down, "down", "Down: cuts every connection"),
    (Fault::Slow, "slow", "Slow: answers late"),
    (Fault::InternalError, "500", "Fails with 500"),
    (Fault::Unavailable, "503", "Unavailable, 503"),
    (Fault::Throttled, "429", "Too many requests, 429"),
    (Fault::Reject, "reject", "Refuses every change"),
    (Fault::Reset, "reset", "Reads, does nothing, cuts the connection"),
    (Fault::ApplyThenDrop, "apply_then_drop", "Stores the change, never answers"),
];

impl Fault {
    /// The word of the API.
    pub(super) fn word(self) -> &'static str {
        FAULTS.iter().find(|(fault, ..)| *fault == self).map_or("normal", |(_, word, _)| word)
    }

    /// Whether it strikes changes only.
    fn is_for_changes(self) -> bool {
        matches!(self, Self::Reject | Self::ApplyThenDrop)
    }
}

/// A switch as it is set and shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Switch {
    /// What is broken.
    pub(super) mode: Fault,
    /// How late a slow app answers.
    pub(super) delay_ms: u32,
    /// What a throttled app says in `Retry-After`.
    pub(super) retry_after_seconds: u32,
    /// How many more calls it strikes before all is well again; without it, all.
    pub(super) remaining: Option<u32>,
}

impl Default for Switch {
    fn default() -> Self {
        Self { mode: Fault::Normal, delay_ms: 3_000, retry_after_seconds: 2, remaining: None }
    }
}

impl Switch {
    /// How late a slow app answers.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.into())
    }
}

/// The switch of a running app. A restart repairs it.
#[derive(Debug, Default)]
pub(super) struct Switches {
    current: Mutex<Switch>,
}

impl Switches {
    /// What is set.
    pub(super) fn get(&self) -> Switch {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets it; to strike no call at all is to work.
    pub(super) fn set(&self, mut switch: Switch) {
        if switch.remaining == Some(0) {
            switch = Switch::default();
        }
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = switch;
    }

    /// What happens to this call; counts it when it is struck.
    pub(super) fn strike(&self, is_change: bool) -> Switch {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.mode.is_for_changes() && !is_change {
            return Switch::default();
        }
        let struck = current.clone();
        match &mut current.remaining {
            Some(remaining) if *remaining > 1 => *remaining -= 1,
            Some(_) => *current = Switch::default(),
            None => {}
        }
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounded_switch_strikes_that_many_calls() {
        let switches = Switches::default();
        switches.set(Switch { mode: Fault::ApplyThenDrop, remaining: Some(2), ..Switch::default() });
        assert_eq!(switches.strike(false).mode, Fault::Normal);
        assert_eq!(switches.strike(true).mode, Fault::ApplyThenDrop);
        assert_eq!(switches.strike(true).mode, Fault::ApplyThenDrop);
        assert_eq!(switches.strike(true).mode, Fault::Normal);
    }

    #[test]
    fn every_fault_has_one_word() {
        for (fault, word, _) in FAULTS {
            assert_eq!(serde_json::to_value(fault).unwrap(), word);
            assert_eq!(fault.word(), word);
        }
    }
}
