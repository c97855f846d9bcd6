//! Responses about alert settings and groups of recipients.

use std::collections::BTreeSet;

use app::{
    admin::rules::{DryBreach, Explanation},
    alerts::RuleDecision,
    ports,
};
use domain::rule::{Address, Exclusion, RuleConfig};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{by_hand, logs::ErrorView};

/// All rules.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rules {
    /// The rules, sorted by name.
    pub(crate) rules: Vec<Rule>,
}

/// An alert setting.
#[derive(Serialize, ToSchema)]
pub(crate) struct Rule {
    /// Its name.
    id: String,
    /// Counts changes. The `If-Match` of the next change.
    version: u64,
    /// Who changed it last.
    actor: String,
    /// When, RFC 3339.
    changed_at: String,
    /// Its settings.
    #[schema(schema_with = by_hand::rule_config)]
    config: RuleConfig,
}

impl From<domain::rule::Rule> for Rule {
    fn from(rule: domain::rule::Rule) -> Self {
        let (actor, changed_at) = (rule.actor, rule.changed_at.to_string());
        Self { id: rule.id.to_string(), version: rule.version, actor, changed_at, config: rule.config }
    }
}

/// The results of test mails.
#[derive(Serialize, ToSchema)]
pub(crate) struct RuleTested {
    /// One for each recipient.
    pub(crate) mails: Vec<TestMail>,
}

/// A test mail.
#[derive(Serialize, ToSchema)]
pub(crate) struct TestMail {
    /// The recipient.
    pub(crate) to: String,
    /// Whether the mail service accepted it.
    pub(crate) taken: bool,
    /// The mail service's id of the mail, or its error.
    pub(crate) says: String,
}

/// A rule to evaluate against the stored log.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DryRun {
    /// The rule's settings.
    #[schema(schema_with = by_hand::rule_config)]
    pub(crate) config: RuleConfig,
    /// From this time on, RFC 3339.
    pub(crate) from: String,
    /// Until this time, RFC 3339, at most a week later. Absent: now.
    #[serde(default)]
    #[schema(nullable = false)]
    pub(crate) until: Option<String>,
}

/// The breaches that a rule would have found.
#[derive(Serialize, ToSchema)]
pub(crate) struct DryRunResult {
    /// The breaches, oldest first, at most 100.
    pub(crate) breaches: Vec<WouldBreach>,
    /// `false`: older errors or later breaches were left out.
    pub(crate) complete: bool,
}

/// A breach that a rule would have found.
#[derive(Serialize, ToSchema)]
pub(crate) struct WouldBreach {
    /// The map.
    map: String,
    /// When its first counted error happened, RFC 3339.
    first_at: String,
    /// When the threshold was reached, RFC 3339.
    at: String,
    /// How many errors were counted.
    count: u64,
}

impl From<DryBreach> for WouldBreach {
    fn from(breach: DryBreach) -> Self {
        let (first_at, at) = (breach.first_at.to_string(), breach.at.to_string());
        Self { map: breach.map.to_string(), first_at, at, count: breach.count }
    }
}

/// Why a rule did, or did not, open an incident.
#[derive(Serialize, ToSchema)]
pub(crate) struct Explained {
    /// `not_watched`, `below`, `open`, `cooling_down` or `breached`.
    verdict: &'static str,
    /// The verdict as a sentence.
    says: String,
    /// When the rule was evaluated, RFC 3339.
    at: String,
    /// How many errors count within the window that ends then.
    counted: u64,
    /// `false`: older errors were left out.
    complete: bool,
    /// The rule's threshold.
    threshold: u32,
    /// The open incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    incident: Option<String>,
    /// The map's errors, newest first, each with the reason why it counts or does not.
    errors: Vec<ExplainedError>,
}

/// An error, and why it counts or does not.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExplainedError {
    /// `counts`, `other_class`, `other_side`, `before_resume`, `before_recovery`, `other_map` or `copied`.
    #[schema(value_type = String)]
    why: Exclusion,
    /// The error.
    error: ErrorView,
}

impl Explained {
    pub(crate) fn of(config: &RuleConfig, explanation: Explanation) -> Self {
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
pub(crate) struct Groups {
    /// The groups, sorted by name.
    pub(crate) groups: Vec<Group>,
}

/// A group of recipients.
#[derive(Serialize, ToSchema)]
pub(crate) struct Group {
    /// Its name.
    id: String,
    /// Counts changes. The `If-Match` of the next change.
    version: u64,
    /// Who changed it last.
    actor: String,
    /// When, RFC 3339.
    changed_at: String,
    /// Their addresses.
    members: Vec<String>,
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

/// The members of a group.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Members {
    /// Their addresses, 1 to 50. Duplicates are removed.
    #[schema(value_type = Vec<String>, max_items = 50)]
    pub(crate) members: BTreeSet<Address>,
}

/// Addresses to which mail cannot be sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct FlaggedAddresses {
    /// The addresses, sorted.
    pub(crate) addresses: Vec<FlaggedAddress>,
}

/// An address to which mail cannot be sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct FlaggedAddress {
    /// The address.
    address: String,
    /// Since when, RFC 3339.
    at: String,
    /// Why.
    says: String,
}

impl From<ports::Flagged> for FlaggedAddress {
    fn from(flagged: ports::Flagged) -> Self {
        Self { address: flagged.address.to_string(), at: flagged.at.to_string(), says: flagged.says }
    }
}
