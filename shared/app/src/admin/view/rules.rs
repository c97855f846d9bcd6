//! Responses about alert settings and groups of recipients.

use crate::{
    admin::rules::{DryBreach, Explanation},
    alerts::RuleDecision,
    ports,
};
use domain::rule::{Exclusion, RuleConfig};
use serde::Serialize;
use utoipa::ToSchema;

use super::{by_hand, logs::ErrorView};

/// All rules.
#[derive(Serialize, ToSchema)]
pub struct Rules {
    /// The rules, sorted by name.
    pub rules: Vec<Rule>,
}

/// An alert setting.
#[derive(Serialize, ToSchema)]
pub struct Rule {
    /// Its name.
    pub id: String,
    /// Counts changes. The `If-Match` of the next change.
    pub version: u64,
    /// Who changed it last.
    pub actor: String,
    /// When, RFC 3339.
    pub changed_at: String,
    /// Its settings.
    #[schema(schema_with = by_hand::rule_config)]
    pub config: RuleConfig,
}

impl From<domain::rule::Rule> for Rule {
    fn from(rule: domain::rule::Rule) -> Self {
        let (actor, changed_at) = (rule.actor, rule.changed_at.to_string());
        Self { id: rule.id.to_string(), version: rule.version, actor, changed_at, config: rule.config }
    }
}

/// The results of test mails.
#[derive(Serialize, ToSchema)]
pub struct RuleTested {
    /// One for each recipient.
    pub mails: Vec<TestMail>,
}

/// A test mail.
#[derive(Serialize, ToSchema)]
pub struct TestMail {
    /// The recipient.
    pub to: String,
    /// Whether the mail service accepted it.
    pub taken: bool,
    /// The mail service's id of the mail, or its error.
    pub says: String,
}

/// The breaches that a rule would have found.
#[derive(Serialize, ToSchema)]
pub struct DryRunResult {
    /// The breaches, oldest first, at most 100.
    pub breaches: Vec<WouldBreach>,
    /// `false`: older errors or later breaches were left out.
    pub complete: bool,
}

/// A breach that a rule would have found.
#[derive(Serialize, ToSchema)]
pub struct WouldBreach {
    /// The map.
    pub map: String,
    /// When its first counted error happened, RFC 3339.
    pub first_at: String,
    /// When the threshold was reached, RFC 3339.
    pub at: String,
    /// How many errors were counted.
    pub count: u64,
}

impl From<DryBreach> for WouldBreach {
    fn from(breach: DryBreach) -> Self {
        let (first_at, at) = (breach.first_at.to_string(), breach.at.to_string());
        Self { map: breach.map.to_string(), first_at, at, count: breach.count }
    }
}

/// Why a rule did, or did not, open an incident.
#[derive(Serialize, ToSchema)]
pub struct Explained {
    /// `not_watched`, `below`, `open`, `cooling_down` or `breached`.
    pub verdict: &'static str,
    /// The verdict as a sentence.
    pub says: String,
    /// When the rule was evaluated, RFC 3339.
    pub at: String,
    /// How many errors count within the window that ends then.
    pub counted: u64,
    /// `false`: older errors were left out.
    pub complete: bool,
    /// The rule's threshold.
    pub threshold: u32,
    /// The open incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub incident: Option<String>,
    /// The map's errors, newest first, each with the reason why it counts or does not.
    pub errors: Vec<ExplainedError>,
}

/// An error, and why it counts or does not.
#[derive(Serialize, ToSchema)]
pub struct ExplainedError {
    /// `counts`, `other_class`, `other_side`, `before_resume`, `before_recovery`, `other_map` or `copied`.
    #[schema(value_type = String)]
    pub why: Exclusion,
    /// The error.
    pub error: ErrorView,
}

impl Explained {
    pub fn of(config: &RuleConfig, explanation: Explanation) -> Self {
        let (counted, complete) = (explanation.counted, explanation.complete);
        let need = format!("{counted} of {} errors within {} minutes", config.threshold, config.window_minutes);
        let mut incident = None;
        let (verdict, says) = match explanation.decision {
            RuleDecision::NotWatched => ("not_watched", "The rule is switched off, or watches other maps.".to_owned()),
            RuleDecision::Below => ("below", format!("Not reached: {need}.")),
            RuleDecision::Open(id) => {
                incident = Some(id.to_string());
                ("open", format!("Reached: incident {id} is open."))
            }
            RuleDecision::CoolingDown(until) => (
                "cooling_down",
                format!(
                    "Reached, but the rule cools down after its last incident: Tandem opens no new incident before {until}."
                ),
            ),
            RuleDecision::Breached(_) => {
                ("breached", format!("Reached: {need}. Tandem opens the incident within a minute."))
            }
        };
        let errors = explanation.errors.into_iter().map(|(error, why)| ExplainedError { why, error: error.into() });
        Self {
            verdict,
            says,
            at: explanation.at.to_string(),
            counted,
            complete,
            threshold: config.threshold,
            incident,
            errors: errors.collect(),
        }
    }
}

/// All groups of recipients.
#[derive(Serialize, ToSchema)]
pub struct Groups {
    /// The groups, sorted by name.
    pub groups: Vec<Group>,
}

/// A group of recipients.
#[derive(Serialize, ToSchema)]
pub struct Group {
    /// Its name.
    pub id: String,
    /// Counts changes. The `If-Match` of the next change.
    pub version: u64,
    /// Who changed it last.
    pub actor: String,
    /// When, RFC 3339.
    pub changed_at: String,
    /// Their addresses.
    pub members: Vec<String>,
}

impl From<domain::rule::Group> for Group {
    fn from(group: domain::rule::Group) -> Self {
        Self {
            id: group.id.to_string(),
            version: group.version,
            actor: group.actor,
            changed_at: group.changed_at.to_string(),
            members: group.members.into_iter().map(String::from).collect(),
        }
    }
}

/// Addresses to which mail cannot be sent.
#[derive(Serialize, ToSchema)]
pub struct FlaggedAddresses {
    /// The addresses, sorted.
    pub addresses: Vec<FlaggedAddress>,
}

/// An address to which mail cannot be sent.
#[derive(Serialize, ToSchema)]
pub struct FlaggedAddress {
    /// The address.
    pub address: String,
    /// Since when, RFC 3339.
    pub at: String,
    /// Why.
    pub says: String,
}

impl From<ports::Flagged> for FlaggedAddress {
    fn from(flagged: ports::Flagged) -> Self {
        Self { address: flagged.address.to_string(), at: flagged.at.to_string(), says: flagged.says }
    }
}
