//! Alert settings, incidents, and how people and programs are told.

use std::future::Future;

use domain::{
    GroupId, IncidentId, MapId, RuleId, Timestamp,
    log::Activity,
    rule::{Address, Group, Incident, Rule, Watch},
};

use super::{CommitError, Log, PortError, Ports};

/// What alerting works with.
pub trait AlertPorts: Ports {
    /// The error log and the activity log.
    type Log: Log;
    /// Rules, groups and incidents.
    type Alerts: Alerts;

    /// The logs.
    fn log(&self) -> &Self::Log;
    /// Rules, groups and incidents.
    fn alerts(&self) -> &Self::Alerts;
}

/// What telling people works with.
pub trait MailPorts: AlertPorts {
    /// How mail is sent.
    type Mailer: Mailer;

    /// How mail is sent.
    fn mailer(&self) -> &Self::Mailer;
    /// Where operators find the console; mails link to it. Empty: there is none, and mails name calls of the API.
    fn console_url(&self) -> &str;
    /// Where the admin API is. Empty: that is not known, and mails name its paths.
    fn api_url(&self) -> &str;
}

/// What telling other programs works with.
pub trait EventPorts: AlertPorts {
    /// How events are published.
    type Events: Events;

    /// How events are published.
    fn events(&self) -> &Self::Events;
}

/// Rules, groups and incidents. Reads are strongly consistent but for the list of open incidents.
pub trait Alerts: Sync {
    /// All rules that can be read, by name.
    fn rules(&self) -> impl Future<Output = Result<Vec<Rule>, PortError>> + Send;
    /// One rule.
    fn rule(&self, id: &RuleId) -> impl Future<Output = Result<Option<Rule>, PortError>> + Send;
    /// Saves a rule if its stored version is `expected` (0: there is none), with its line in the activity log.
    fn save_rule(
        &self,
        rule: &Rule,
        expected: u64,
        line: &Activity,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Deletes a rule if its stored version is `expected`, with its line in the activity log.
    fn delete_rule(
        &self,
        id: &RuleId,
        expected: u64,
        line: &Activity,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// All groups that can be read, by name.
    fn groups(&self) -> impl Future<Output = Result<Vec<Group>, PortError>> + Send;
    /// Saves a group if its stored version is `expected` (0: there is none).
    fn save_group(&self, group: &Group, expected: u64) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Deletes a group if its stored version is `expected`.
    fn delete_group(&self, id: &GroupId, expected: u64) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// What is known of a rule on a map.
    fn watch(&self, rule: &RuleId, map: &MapId) -> impl Future<Output = Result<Option<Watch>, PortError>> + Send;
    /// Saves an incident, and what changes with it, together or not at all.
    fn save_incident(&self, change: &IncidentChange) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// One incident.
    fn incident(&self, id: IncidentId) -> impl Future<Output = Result<Option<Incident>, PortError>> + Send;
    /// Incidents that are not over or have mail to be sent. Eventually consistent: it is asked again every minute.
    fn open_incidents(&self) -> impl Future<Output = Result<Vec<Incident>, PortError>> + Send;
    /// Incidents, newest first, older than `before`, at most `limit`.
    fn incidents(
        &self,
        before: Option<IncidentId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Incident>, PortError>> + Send;
    /// Addresses to which mail cannot be sent.
    fn flagged(&self) -> impl Future<Output = Result<Vec<Flagged>, PortError>> + Send;
    /// Flags an address.
    fn flag(&self, flagged: &Flagged) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Forgets that an address was flagged; whether it was.
    fn unflag(&self, address: &Address) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// A change of an incident.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentChange {
    /// The incident as it shall be.
    pub incident: Incident,
    /// The version that was read; 0: it is new.
    pub expected: u64,
    /// The rule on its map as it shall be, with the version that was read (0: it is new).
    pub watch: Option<(Watch, u64)>,
    /// Its line in the activity log.
    pub line: Option<Activity>,
}

/// An address to which mail cannot be sent.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Flagged {
    /// The address.
    pub address: Address,
    /// Since when.
    pub at: Timestamp,
    /// Why: what the mail service said.
    pub says: String,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: Address,
    /// The subject.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: String,
    /// Further headers, e.g. those that keep an incident's mails in one thread.
    pub headers: Vec<(&'static str, String)>,
    /// The incident it belongs to; its bounces name it.
    pub incident: Option<IncidentId>,
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It may be taken later.
    #[error("{0}")]
    Later(Refusal),
    /// It will not be taken.
    #[error("{0}")]
    Never(Refusal),
}

impl MailError {
    /// What the mail service said.
    #[must_use]
    pub fn refusal(self) -> Refusal {
        match self {
            Self::Later(refusal) | Self::Never(refusal) => refusal,
        }
    }
}

/// What the mail service said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{says}")]
pub struct Refusal {
    /// Its code, which names nobody: it may stand in a log.
    pub code: String,
    /// Its words, for operators: they may name an address.
    pub says: String,
}

impl Refusal {
    /// A code, and what it means for operators.
    #[must_use]
    pub fn new(code: &str, says: impl Into<String>) -> Self {
        Self { code: code.to_owned(), says: says.into() }
    }
}

/// How mail is sent.
pub trait Mailer: Sync {
    /// Sends a mail; the mail service's id of it.
    fn send(&self, mail: &Mail) -> impl Future<Output = Result<String, MailError>> + Send;
}

/// Something that other programs may listen for.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// `tandem.map`, `tandem.incident` or `tandem.write`.
    pub source: &'static str,
    /// What happened, e.g. `Map State Changed`.
    pub kind: &'static str,
    /// About what.
    pub detail: serde_json::Value,
}

/// How events are published. They may come twice.
pub trait Events: Sync {
    /// Publishes events.
    fn publish(&self, events: &[Event]) -> impl Future<Output = Result<(), PortError>> + Send;
}
