//! Alert settings: when so many errors of these classes occur within so many minutes, do this and tell these people.

mod address;
mod incident;
mod judge;
mod notice;
mod trend;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub use self::{
    address::{Address, Group},
    incident::{Acted, Incident, SAMPLE_KEYS, Top, Watch},
    judge::{Breach, CountedError, Exclusion, counts, judge},
    notice::{Delivery, Notice, NoticeKind, Sent},
    trend::{Ending, Recovery, recovery},
};
use crate::{
    failure::ErrorClass,
    id::{GroupId, MapId, RuleId, SideId},
    side::Mistake,
    time::Timestamp,
};

/// Longest window of a rule, in minutes: one day.
pub const MAX_WINDOW_MINUTES: u32 = 1_440;
/// Highest threshold: as many errors are read at most to judge a rule.
pub const MAX_THRESHOLD: u32 = 1_000;
/// Most recipients of a rule or group, and of both together.
pub const MAX_RECIPIENTS: usize = 50;
/// Most rules: all of them are read whenever errors arrive.
pub const MAX_RULES: usize = 200;
/// Longest title of a rule: it stands in the subject of mails.
pub const MAX_TITLE_CHARS: usize = 100;
/// Most times that a map is resumed by itself within one incident.
pub const MAX_AUTO_RESUMES: u32 = 20;

/// An alert setting as operators configure it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// What people call it; it stands in the subject of mails.
    pub title: String,
    /// Whether it is judged at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// The maps it watches, each for itself. Empty: all.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub maps: BTreeSet<MapId>,
    /// Only errors met when writing to these apps. Empty: to either.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub to_sides: BTreeSet<SideId>,
    /// Only errors of these classes. Empty: of any.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub classes: BTreeSet<ErrorClass>,
    /// So many errors, 1 to [`MAX_THRESHOLD`].
    pub threshold: u32,
    /// Within so many minutes, 1 to [`MAX_WINDOW_MINUTES`].
    pub window_minutes: u32,
    /// What is counted.
    #[serde(default)]
    pub count: Count,
    /// Whether records that a sync run could not copy count, too. The run itself lists them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub counts_copies: bool,
    /// What is done.
    #[serde(default)]
    pub action: Action,
    /// Who is told.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub recipients: BTreeSet<Address>,
    /// Groups who are told.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<GroupId>,
    /// Who is told when nobody else can be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Address>,
    /// After an incident is over, the next one is not opened for so many minutes, 0 to 1,440. Only with the action
    /// `none`: an action is never held back.
    #[serde(default = "default_cool_down")]
    pub cool_down_minutes: u32,
    /// People are reminded after so many minutes, 5 to 1,440, as long as nobody has acknowledged. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminder_minutes: Option<u32>,
    /// Resumes a map that this rule has paused by itself. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto_resume: Option<AutoResume>,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Count {
    /// Writes that met an error, each once however often it was tried.
    #[default]
    Writes,
    /// Attempts.
    Attempts,
}

/// What is done when the threshold is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// People are told.
    #[default]
    None,
    /// The map is paused: changes are kept, none is written.
    Pause,
    /// The map is stopped: changes are skipped.
    Stop,
}

impl Action {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }
}

/// How a map is resumed by itself: the app is asked with the oldest change that waits; when it takes it, the map is resumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AutoResume {
    /// The first try comes after so many minutes, 1 to 1,440, and so does each further one.
    pub after_minutes: u32,
    /// Resumed at most so often before an operator must do it, 1 to [`MAX_AUTO_RESUMES`].
    pub at_most: u32,
}

/// An alert setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// Its settings.
    pub config: RuleConfig,
    /// Counts changes; an update must name the version it read.
    pub version: u64,
    /// Who changed it last.
    pub actor: String,
    /// When.
    pub changed_at: Timestamp,
}

fn yes() -> bool {
    true
}

fn default_cool_down() -> u32 {
    15
}

impl RuleConfig {
    /// Whether it watches this map.
    #[must_use]
    pub fn watches(&self, map: &MapId) -> bool {
        self.enabled && (self.maps.is_empty() || self.maps.contains(map))
    }

    /// The window in milliseconds.
    #[must_use]
    pub fn window_ms(&self) -> u64 {
        u64::from(self.window_minutes) * 60_000
    }

    /// The classes it counts.
    #[must_use]
    pub fn counted_classes(&self) -> Vec<ErrorClass> {
        if self.classes.is_empty() { ErrorClass::ALL.to_vec() } else { self.classes.iter().copied().collect() }
    }

    /// Every mistake in it, each with the field it is in. That maps, sides and groups exist is asked elsewhere.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let mut within = |field: &str, value: u32, least: u32, most: u32| {
            if !(least..=most).contains(&value) {
                let message = format!("is {value}; it must be {least} to {most}");
                found.push(Mistake { field: field.to_owned(), message });
            }
        };
        within("threshold", self.threshold, 1, MAX_THRESHOLD);
        within("window_minutes", self.window_minutes, 1, MAX_WINDOW_MINUTES);
        within("cool_down_minutes", self.cool_down_minutes, 0, MAX_WINDOW_MINUTES);
        if let Some(minutes) = self.reminder_minutes {
            within("reminder_minutes", minutes, 5, MAX_WINDOW_MINUTES);
        }
        if let Some(auto) = self.auto_resume {
            within("auto_resume.after_minutes", auto.after_minutes, 1, MAX_WINDOW_MINUTES);
            within("auto_resume.at_most", auto.at_most, 1, MAX_AUTO_RESUMES);
        }
        let mut add = |field: &str, message: &str| {
            found.push(Mistake { field: field.to_owned(), message: message.to_owned() });
        };
        let title = self.title.trim();
        if title.is_empty() || title.chars().count() > MAX_TITLE_CHARS || self.title.contains(char::is_control) {
            add("title", &format!("must be 1 to {MAX_TITLE_CHARS} characters on one line"));
        }
        if self.recipients.len() > MAX_RECIPIENTS {
            add(
                "recipients",
                &format!("has {} addresses; at most {MAX_RECIPIENTS} may be told", self.recipients.len()),
            );
        }
        if self.auto_resume.is_some() && self.action != Action::Pause {
            add("auto_resume", "goes with the action `pause` alone");
        }
        if self.action == Action::None && self.recipients.is_empty() && self.groups.is_empty() {
            add("action", "is `none` and nobody is told: the rule would do nothing");
        }
        found
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn rule(threshold: u32, window_minutes: u32) -> RuleConfig {
        serde_json::from_value(serde_json::json!({
            "title": "crm refuses", "threshold": threshold, "window_minutes": window_minutes, "action": "pause",
        }))
        .unwrap()
    }

    fn fields(config: &RuleConfig) -> Vec<String> {
        config.mistakes().into_iter().map(|mistake| mistake.field).collect()
    }

    #[test]
    fn limits_are_kept_and_named() {
        assert_eq!(fields(&rule(10, 15)), [""; 0]);
        assert_eq!(fields(&rule(0, 0)), ["threshold", "window_minutes"]);
        assert_eq!(fields(&rule(1_001, 1_441)), ["threshold", "window_minutes"]);
        let wrong = RuleConfig {
            title: "a\r\nBcc: x@y".into(),
            auto_resume: Some(AutoResume { after_minutes: 0, at_most: 99 }),
            action: Action::None,
            reminder_minutes: Some(1),
            ..rule(1, 1)
        };
        let wanted =
            ["reminder_minutes", "auto_resume.after_minutes", "auto_resume.at_most", "title", "auto_resume", "action"];
        assert_eq!(fields(&wrong), wanted);
    }

    #[test]
    fn a_limit_itself_is_allowed() {
        let title = |chars: usize| RuleConfig { title: "ü".repeat(chars), ..rule(1, 1) };
        assert_eq!(fields(&title(MAX_TITLE_CHARS)), [""; 0]);
        assert_eq!(fields(&title(MAX_TITLE_CHARS + 1)), ["title"]);
        assert_eq!(fields(&title(0)), ["title"]);
        let recipients = (0..50).map(|n| format!("p{n}@example.com").parse().unwrap()).collect();
        assert_eq!(fields(&RuleConfig { recipients, ..rule(1_000, 1_440) }), [""; 0]);
        let auto_resume = Some(AutoResume { after_minutes: 1, at_most: 1 });
        assert_eq!(fields(&RuleConfig { auto_resume, ..rule(1, 1) }), [""; 0]);
        assert_eq!(fields(&RuleConfig { auto_resume, action: Action::Stop, ..rule(1, 1) }), ["auto_resume"]);
    }

    #[test]
    fn somebody_or_something_must_be_told() {
        let silent = RuleConfig { action: Action::None, ..rule(1, 1) };
        assert_eq!(fields(&silent), ["action"]);
        let recipients = ["kim@example.com".parse().unwrap()].into();
        assert_eq!(fields(&RuleConfig { recipients, ..silent.clone() }), [""; 0]);
        assert_eq!(fields(&RuleConfig { groups: ["on-call".parse().unwrap()].into(), ..silent }), [""; 0]);
    }

    #[test]
    fn what_a_rule_leaves_out_has_a_default() {
        let rule = rule(1, 1);
        assert!(rule.enabled);
        assert_eq!((rule.cool_down_minutes, rule.window_ms()), (15, 60_000));
        assert_eq!(rule.counted_classes(), ErrorClass::ALL, "no class means all of them");
        let classes = [ErrorClass::Timeout].into();
        assert_eq!(RuleConfig { classes, ..rule }.counted_classes(), [ErrorClass::Timeout]);
    }

    #[test]
    fn a_rule_watches_its_maps_or_all_while_it_is_enabled() {
        let (customers, orders): (MapId, MapId) = ("customers".parse().unwrap(), "orders".parse().unwrap());
        let all = rule(1, 1);
        let one = RuleConfig { maps: [customers.clone()].into(), ..all.clone() };
        assert!(all.watches(&customers) && one.watches(&customers) && !one.watches(&orders));
        for rule in [all, one] {
            assert!(!RuleConfig { enabled: false, ..rule }.watches(&customers));
        }
    }

    #[test]
    fn an_action_has_one_name() {
        for action in [Action::None, Action::Pause, Action::Stop] {
            assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
        }
    }

    #[test]
    fn fifty_one_recipients_are_too_many() {
        let recipients = (0..51).map(|n| format!("p{n}@example.com").parse().unwrap()).collect();
        let config = RuleConfig { recipients, ..rule(1, 1) };
        assert_eq!(fields(&config), ["recipients"]);
        assert!(config.mistakes()[0].message.contains("51"));
    }

    #[test]
    fn an_unknown_class_is_named() {
        let wrong = serde_json::json!({"title": "t", "threshold": 1, "window_minutes": 1, "classes": ["applicaton"]});
        let error = serde_json::from_value::<RuleConfig>(wrong).unwrap_err().to_string();
        assert!(error.contains("applicaton"), "{error}");
    }
}
