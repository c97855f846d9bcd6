//! Incidents: a breach from opening to recovery, and who was told of it.

use serde::{Deserialize, Serialize};

use super::{Action, Breach, Ending, Notice, NoticeKind, Rule, RuleConfig};
use crate::{
    failure::ErrorClass,
    id::{IncidentId, LogId, MapId, MapUid, RecordKey, RuleId, SideId},
    lane::Attribution,
    log::{Activity, ActivityKind, IncidentStep, LoggedError, Order},
    map::{Cause, Map, MapState},
    record::ContentHash,
    time::Timestamp,
};

/// Kinds of messages that an incident names.
const TOP_MESSAGES: usize = 5;
/// Records that are named for each kind.
pub const SAMPLE_KEYS: usize = 5;
/// Ids of counted errors that an incident keeps.
const KEPT_ERRORS: usize = 100;
/// After so long without an incident, a map may be resumed by itself as often as the rule says once more.
const AUTO_RESUMES_FORGOTTEN_MS: u64 = 24 * 60 * 60 * 1_000;

/// What is known of a rule on a map besides its open incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The rule.
    pub rule: RuleId,
    /// The map.
    pub map: MapId,
    /// Tells it from an earlier map of the same name.
    pub uid: MapUid,
    /// The incident that is not over.
    pub open: Option<IncidentId>,
    /// When the last one was over, and the epoch whose errors it had counted.
    pub closed: Option<(Timestamp, u64)>,
    /// How often its last incident had resumed the map by itself. An app that breaks again and again is not resumed for ever
    /// by one incident after the other.
    #[serde(default)]
    pub auto_resumed: u32,
    /// Counts changes.
    pub version: u64,
}

/// A breach from opening to recovery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its id: time first.
    pub id: IncidentId,
    /// The rule.
    pub rule: RuleId,
    /// The rule's settings when it was breached.
    pub config: RuleConfig,
    /// The map.
    pub map: MapId,
    /// Tells it from an earlier map of the same name.
    pub uid: MapUid,
    /// The epoch whose errors were counted: the action holds for this one alone.
    pub live_epoch: u64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When the first of the counted errors happened.
    pub first_at: Timestamp,
    /// When the last of them happened.
    pub last_at: Timestamp,
    /// How many were counted.
    pub count: u32,
    /// The counted errors, newest first, as many as fit.
    pub errors: Vec<LogId>,
    /// What they said.
    pub top: Vec<Top>,
    /// What was done.
    pub acted: Option<Acted>,
    /// Who has seen it.
    pub acknowledged: Option<Attribution>,
    /// How often the map was resumed by itself.
    pub auto_resumed: u32,
    /// When it was tried last.
    pub probed_at: Option<Timestamp>,
    /// When, and how, it was over, in words.
    pub recovered: Option<(Timestamp, String)>,
    /// How it was over. Absent on one that was over before this was noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// Who was told what.
    pub notices: Vec<Notice>,
    /// Somebody is sending its mails until then.
    pub sending_until: Timestamp,
    /// Counts changes.
    pub version: u64,
}

/// Errors that say the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Top {
    /// Equal errors have the same.
    pub fingerprint: ContentHash,
    /// Their class.
    pub class: ErrorClass,
    /// The app that was called.
    pub to: SideId,
    /// The app's own code.
    pub code: Option<String>,
    /// The app's own words, of the newest of them.
    pub message: String,
    /// How many.
    pub count: u32,
    /// Some of the records.
    pub keys: Vec<RecordKey>,
}

/// What a rule's action did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// When.
    pub at: Timestamp,
    /// The state that the map has by it; `None`: nothing was to be done.
    pub state: Option<MapState>,
    /// Why the map was left as it is.
    pub left: Option<String>,
}

impl Watch {
    /// Errors until then were counted by the last incident, or came before it was over: they count no more. When changes
    /// have begun to flow anew since, the new epoch says so already.
    #[must_use]
    pub fn counted_until(&self, map: &Map) -> Option<Timestamp> {
        self.closed.filter(|(_, live_epoch)| *live_epoch >= map.live_epoch).map(|(at, _)| at)
    }

    /// How often the map was resumed by itself of late.
    #[must_use]
    pub fn lately_auto_resumed(&self, now: Timestamp) -> u32 {
        let lately = self.closed.is_some_and(|(at, _)| now.ms_since(at) < AUTO_RESUMES_FORGOTTEN_MS);
        if lately { self.auto_resumed } else { 0 }
    }
}

impl Incident {
    /// A breach becomes an incident. `errors` are those that were counted, as far as they were read.
    #[must_use]
    pub fn open(
        id: IncidentId,
        rule: &Rule,
        map: &Map,
        breach: &Breach,
        errors: &[&LoggedError],
        now: Timestamp,
    ) -> Self {
        let mut incident = Self {
            id,
            rule: rule.id.clone(),
            config: rule.config.clone(),
            map: map.id.clone(),
            uid: map.uid,
            live_epoch: map.live_epoch,
            opened_at: now,
            first_at: breach.first_at,
            last_at: breach.last_at,
            count: 0,
            errors: Vec::new(),
            top: Vec::new(),
            acted: None,
            acknowledged: None,
            auto_resumed: 0,
            probed_at: None,
            recovered: None,
            ending: None,
            notices: Vec::new(),
            sending_until: Timestamp(0),
            version: 1,
        };
        incident.count(breach, errors);
        incident.tell(NoticeKind::Opened, now);
        incident
    }

    /// Whether a breach of its rule on this map is this incident, and nothing more is to be done than it says. Not if the map
    /// was resumed since, nor if the rule was given another action in mid-flood.
    #[must_use]
    pub fn covers(&self, rule: &RuleConfig, map: &Map) -> bool {
        let acts_as_before = rule.action == self.config.action || rule.action == Action::None;
        let flows = matches!(map.state, MapState::Running | MapState::CatchingUp);
        self.live_epoch >= map.live_epoch && (acts_as_before || !flows)
    }

    /// The threshold was reached again after the map had been resumed or the rule been changed: the incident is not over, and
    /// its action is due once more.
    #[must_use]
    pub fn again(&self, rule: &Rule, map: &Map, breach: &Breach, errors: &[&LoggedError], now: Timestamp) -> Self {
        let mut incident = Self {
            config: rule.config.clone(),
            live_epoch: map.live_epoch,
            acted: None,
            acknowledged: None,
            version: self.version + 1,
            ..self.clone()
        };
        incident.count(breach, errors);
        incident.tell(NoticeKind::Again, now);
        incident
    }

    fn count(&mut self, breach: &Breach, errors: &[&LoggedError]) {
        (self.first_at, self.last_at) = (breach.first_at, breach.last_at);
        self.count = u32::try_from(breach.errors.len()).unwrap_or(u32::MAX);
        self.errors = breach.errors.iter().take(KEPT_ERRORS).copied().collect();
        self.top = top(errors);
    }

    /// Its action was done.
    #[must_use]
    pub fn acted(&self, acted: Acted) -> Self {
        Self { acted: Some(acted), version: self.version + 1, ..self.clone() }
    }

    /// Milliseconds from the last counted error to the change of the map, if the action was due here and has been done there.
    #[must_use]
    pub fn paused_after_ms(&self, acted: &Self) -> Option<u64> {
        let done = acted.acted.as_ref().filter(|done| self.action_due() && done.state.is_some())?;
        Some(done.at.ms_since(self.last_at))
    }

    /// It is over.
    #[must_use]
    pub fn recovered(&self, ending: Ending, now: Timestamp) -> Self {
        let recovered = Some((now, ending.to_string()));
        let mut over = Self { recovered, ending: Some(ending), version: self.version + 1, ..self.clone() };
        over.tell(NoticeKind::Recovered, now);
        over
    }

    /// Somebody has seen it.
    #[must_use]
    pub fn acknowledged(&self, by: Attribution) -> Self {
        Self { acknowledged: Some(by), version: self.version + 1, ..self.clone() }
    }

    /// Whether its action is still to be done.
    #[must_use]
    pub fn action_due(&self) -> bool {
        self.acted.is_none() && self.recovered.is_none()
    }

    /// Whether it keeps its place in the list of those that need something.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.recovered.is_none() || self.mail_pending()
    }

    /// The state it wants the map to have.
    #[must_use]
    pub fn wants(&self) -> Option<MapState> {
        match self.config.action {
            Action::None => None,
            Action::Pause => Some(MapState::Paused),
            Action::Stop => Some(MapState::Stopped),
        }
    }

    /// A line of its own in the activity log: its rule is the cause.
    #[must_use]
    pub fn line(&self, step: IncidentStep, actor: &str, reason: &str, at: Timestamp) -> Activity {
        let cause = Cause::Rule { rule: self.rule.clone(), incident: self.id };
        self.line_because(step, cause, actor, reason, at)
    }

    /// Its line in the activity log, with another cause.
    #[must_use]
    pub fn line_because(&self, step: IncidentStep, cause: Cause, actor: &str, reason: &str, at: Timestamp) -> Activity {
        let what = ActivityKind::Incident { incident: self.id, rule: self.rule.clone(), step, errors: self.count };
        let order = match step {
            IncidentStep::Opened => Order::Cause(self.version),
            _ => Order::Effect(self.version),
        };
        Activity {
            id: LogId::of(at, order, &[b"incident", &self.id.0.to_be_bytes(), &self.version.to_be_bytes()]),
            at,
            map: Some(self.map.clone()),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            cause,
            what,
        }
    }
}

/// What errors said, the most frequent first.
fn top(errors: &[&LoggedError]) -> Vec<Top> {
    let mut found: Vec<Top> = Vec::new();
    for error in errors {
        let event = &error.event;
        let at = found.iter().position(|top| top.fingerprint == error.fingerprint).unwrap_or_else(|| {
            found.push(Top {
                fingerprint: error.fingerprint,
                class: event.class,
                to: event.to.clone(),
                code: event.code.clone(),
                message: event.message.clone(),
                count: 0,
                keys: Vec::new(),
            });
            found.len() - 1
        });
        let top = &mut found[at];
        top.count += 1;
        if let Some(key) = event.key.as_ref().filter(|key| top.keys.len() < SAMPLE_KEYS && !top.keys.contains(key)) {
            top.keys.push(key.clone());
        }
    }
    found.sort_by_key(|top| std::cmp::Reverse(top.count));
    found.truncate(TOP_MESSAGES);
    found
}

#[cfg(test)]
mod tests;
