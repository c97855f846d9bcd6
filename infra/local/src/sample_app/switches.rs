//! The switches that break the app on purpose.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::habits::Habits;

/// The way in which the data API is broken.
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
    /// It answers every call with 500.
    #[serde(rename = "500")]
    InternalError,
    /// It answers every call with 503.
    #[serde(rename = "503")]
    Unavailable,
    /// It answers every call with 429.
    #[serde(rename = "429")]
    Throttled,
    /// Its business rules refuse every change.
    Reject,
    /// It reads the request, does nothing, and cuts the connection.
    Reset,
    /// It stores the change and cuts the connection before the answer.
    ApplyThenDrop,
}

/// All faults, each with its word in the API and its label on the page.
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
    /// Its word in the API.
    pub(super) fn word(self) -> &'static str {
        FAULTS.iter().find(|(fault, ..)| *fault == self).map_or("normal", |(_, word, _)| word)
    }

    /// Whether it affects changes only.
    fn is_for_changes(self) -> bool {
        matches!(self, Self::Reject | Self::ApplyThenDrop)
    }
}

/// The fault that is set.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Switch {
    /// The fault.
    pub(super) mode: Fault,
    /// Delay of the answers of a slow app.
    pub(super) delay_ms: u32,
    /// The `Retry-After` of a throttled app.
    pub(super) retry_after_seconds: u32,
    /// Number of further calls that the fault affects before the app works again. `None`: it affects all.
    pub(super) remaining: Option<u32>,
}

impl Default for Switch {
    fn default() -> Self {
        Self { mode: Fault::Normal, delay_ms: 3_000, retry_after_seconds: 2, remaining: None }
    }
}

impl Switch {
    /// Delay of the answers of a slow app.
    pub(super) fn delay(&self) -> Duration {
        Duration::from_millis(self.delay_ms.into())
    }
}

/// A change of the switches. If it has any setting of the fault, it replaces the whole fault. A habit that it does not
/// have stays as it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Change {
    mode: Option<Fault>,
    delay_ms: Option<u32>,
    retry_after_seconds: Option<u32>,
    remaining: Option<u32>,
    reports_own_writes: Option<bool>,
    tells_before: Option<bool>,
    tidies: Option<bool>,
    commits_late_ms: Option<u32>,
    idempotency_keys: Option<bool>,
}

impl Change {
    /// The fault that it sets, if any. A fault with no calls left (`remaining: 0`) is [`Fault::Normal`].
    fn fault(&self) -> Option<Switch> {
        let given = self.mode.is_some() || self.delay_ms.or(self.retry_after_seconds).or(self.remaining).is_some();
        let usual = Switch::default();
        given.then(|| match self.remaining {
            Some(0) => usual,
            remaining => Switch {
                mode: self.mode.unwrap_or_default(),
                delay_ms: self.delay_ms.unwrap_or(usual.delay_ms),
                retry_after_seconds: self.retry_after_seconds.unwrap_or(usual.retry_after_seconds),
                remaining,
            },
        })
    }

    fn apply(&self, habits: &mut Habits) {
        habits.reports_own_writes = self.reports_own_writes.unwrap_or(habits.reports_own_writes);
        habits.tells_before = self.tells_before.unwrap_or(habits.tells_before);
        habits.tidies = self.tidies.unwrap_or(habits.tidies);
        habits.commits_late_ms = self.commits_late_ms.unwrap_or(habits.commits_late_ms);
        habits.idempotency_keys = self.idempotency_keys.unwrap_or(habits.idempotency_keys);
    }
}

/// All switches, as the API and the page show them.
#[derive(Debug, Serialize)]
pub(super) struct All {
    /// The fault.
    #[serde(flatten)]
    pub(super) fault: Switch,
    /// The habits of the app.
    #[serde(flatten)]
    pub(super) habits: Habits,
}

/// The switches of a running app. A restart resets all of them.
#[derive(Debug, Default)]
pub(super) struct Switches {
    current: Mutex<Switch>,
    habits: Mutex<Habits>,
}

impl Switches {
    /// All switches.
    pub(super) fn get(&self) -> All {
        All { fault: self.current.lock().unwrap_or_else(PoisonError::into_inner).clone(), habits: self.habits() }
    }

    /// The habits of the app.
    pub(super) fn habits(&self) -> Habits {
        self.habits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Applies a change.
    pub(super) fn set(&self, change: &Change) {
        if let Some(fault) = change.fault() {
            *self.current.lock().unwrap_or_else(PoisonError::into_inner) = fault;
        }
        change.apply(&mut self.habits.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The fault that affects this call. Counts the call if one does.
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
        switches.set(&Change { mode: Some(Fault::ApplyThenDrop), remaining: Some(2), ..Change::default() });
        assert_eq!(switches.strike(false).mode, Fault::Normal);
        assert_eq!(switches.strike(true).mode, Fault::ApplyThenDrop);
        assert_eq!(switches.strike(true).mode, Fault::ApplyThenDrop);
        assert_eq!(switches.strike(true).mode, Fault::Normal);
    }

    #[test]
    fn a_fault_and_each_habit_are_set_by_themselves() {
        let switches = Switches::default();
        let set = |change: serde_json::Value| switches.set(&serde_json::from_value(change).unwrap());
        set(serde_json::json!({"tidies": true}));
        set(serde_json::json!({"mode": "down", "remaining": 3}));
        set(serde_json::json!({"reports_own_writes": false, "commits_late_ms": 7}));
        let all = switches.get();
        assert_eq!((all.fault.mode, all.fault.remaining), (Fault::Down, Some(3)));
        assert!(all.habits.tidies && !all.habits.reports_own_writes && all.habits.commits_late_ms == 7);
        set(serde_json::json!({"mode": "normal"}));
        assert!(switches.get().fault.mode == Fault::Normal && switches.habits().tidies);
        set(serde_json::json!({"mode": "down", "remaining": 0, "tidies": false}));
        assert!(switches.get().fault.mode == Fault::Normal && !switches.habits().tidies);
    }

    #[test]
    fn every_fault_has_one_word() {
        for (fault, word, _) in FAULTS {
            assert_eq!(serde_json::to_value(fault).unwrap(), word);
            assert_eq!(fault.word(), word);
        }
    }
}
