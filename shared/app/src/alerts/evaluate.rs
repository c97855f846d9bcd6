//! Evaluating rules by the errors themselves.

use domain::{
    IncidentId, Map, MapId, Timestamp,
    log::{IncidentStep, LoggedError},
    rule::{Action, Breach, Incident, Rule, RuleConfig, Watch},
};

use super::Counter;
use crate::ports::{AlertPorts, Alerts, CommitError, Config, IncidentChange, PortError};

/// The schedule still evaluates windows that ended at most so long ago, in case `log-ingest` was late.
pub const LATE_MS: u64 = 5 * 60 * 1_000;
/// Why a rule did, or did not, open an incident.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleDecision {
    /// The rule does not watch this map, or is switched off.
    NotWatched,
    /// Fewer errors than the threshold within every window.
    Below,
    /// Reached, and there is an incident for it already.
    Open(IncidentId),
    /// Reached, and the last incident was over so short a time ago that no new one is opened before this time.
    CoolingDown(Timestamp),
    /// Reached.
    Breached(Breach),
}

/// Decides a rule on a map by windows that end at `from` or later; nothing is changed.
///
/// # Errors
/// The log cannot be read.
pub async fn decide_rule<P: AlertPorts>(
    ports: &P,
    counter: &mut Counter<'_, P>,
    rule: &Rule,
    map: &Map,
    from: Timestamp,
) -> Result<(RuleDecision, Option<Watch>), PortError> {
    if !rule.config.watches(&map.id) {
        return Ok((RuleDecision::NotWatched, None));
    }
    // Most rules are quiet most of the time: their incidents are read only when they are not.
    if counter.find_breach(&rule.config, from, None).await?.is_none() {
        return Ok((RuleDecision::Below, None));
    }
    let watch = ports.alerts().watch(&rule.id, &map.id).await?;
    let current = watch.as_ref().filter(|watch| watch.uid == map.uid);
    let closed = current.and_then(|watch| watch.counted_until(map));
    let Some(breach) = counter.find_breach(&rule.config, from, closed).await? else {
        return Ok((RuleDecision::Below, watch));
    };
    if let Some(open) = current.and_then(|watch| watch.open) {
        let incident = ports.alerts().incident(open).await?;
        if incident.is_some_and(|incident| incident.covers(&rule.config, map)) {
            return Ok((RuleDecision::Open(open), watch));
        }
    } else if let Some((closed, _)) =
        current.and_then(|watch| watch.closed).filter(|_| rule.config.action == Action::None)
    {
        let until = closed.plus_ms(u64::from(rule.config.cool_down_minutes) * 60_000);
        if ports.now() < until {
            return Ok((RuleDecision::CoolingDown(until), watch));
        }
    }
    Ok((RuleDecision::Breached(breach), watch))
}

/// Evaluates all rules on a map, as it is stored now, and opens an incident for each breach. Returns the incidents whose
/// action is due. A map that is gone has none. `from`: windows that end before it have been evaluated.
///
/// # Errors
/// The map, the log or the store cannot be reached. Incidents that were opened stay open.
pub(crate) async fn evaluate_map<P: AlertPorts>(
    ports: &P,
    rules: &[Rule],
    id: &MapId,
    from: Timestamp,
) -> Result<Vec<Incident>, PortError> {
    match ports.config().fresh_map(id).await? {
        Some(map) => evaluate(ports, &map.map, rules, from).await,
        None => Ok(Vec::new()),
    }
}

/// Evaluates all rules on a map, and opens an incident for each breach. Returns the incidents whose action is due. `from`:
/// windows that end before it have been evaluated.
///
/// # Errors
/// The log or the store cannot be reached. Incidents that were opened stay open.
pub async fn evaluate<P: AlertPorts>(
    ports: &P,
    map: &Map,
    rules: &[Rule],
    from: Timestamp,
) -> Result<Vec<Incident>, PortError> {
    let watching: Vec<_> = rules.iter().filter(|rule| rule.config.watches(&map.id)).collect();
    let longest = watching.iter().map(|rule| rule.config.window_ms()).max().unwrap_or(0);
    let mut counter = Counter::new(ports, map, from.minus_ms(longest));
    let mut due = Vec::new();
    for rule in watching {
        let (decision, watch) = decide_rule(ports, &mut counter, rule, map, from).await?;
        match decision {
            RuleDecision::Breached(breach) => {
                let errors = counter.of(&rule.config, &breach);
                due.extend(open(ports, rule, map, &breach, watch, &errors).await?);
            }
            // The evaluator that opened it may have crashed before it acted.
            RuleDecision::Open(id) => {
                let incident = ports.alerts().incident(id).await?;
                due.extend(incident.filter(Incident::action_due));
            }
            RuleDecision::NotWatched | RuleDecision::Below | RuleDecision::CoolingDown(_) => {}
        }
    }
    Ok(due)
}

/// Opens an incident, or the open one again. `None`: the other evaluator was faster.
async fn open<P: AlertPorts>(
    ports: &P,
    rule: &Rule,
    map: &Map,
    breach: &Breach,
    watch: Option<Watch>,
    errors: &[&LoggedError],
) -> Result<Option<Incident>, PortError> {
    let now = ports.now();
    let current = watch.as_ref().filter(|watch| watch.uid == map.uid);
    let before = match current.and_then(|watch| watch.open) {
        Some(open) => ports.alerts().incident(open).await?.filter(|incident| incident.recovered.is_none()),
        None => None,
    };
    let change = match before {
        Some(incident) => {
            let again = incident.again(rule, map, breach, errors, now);
            let line = again.line(IncidentStep::Opened, "tandem", &reason(rule, again.count), now);
            IncidentChange { expected: incident.version, incident: again, watch: None, line: Some(line) }
        }
        None => {
            let id = IncidentId(ports.fresh_id());
            let mut incident = Incident::open(id, rule, map, breach, errors, now);
            incident.auto_resumed = current.map_or(0, |watch| watch.lately_auto_resumed(now));
            let expected = watch.as_ref().map_or(0, |watch| watch.version);
            let next = Watch {
                rule: rule.id.clone(),
                map: map.id.clone(),
                uid: map.uid,
                open: Some(id),
                closed: current.and_then(|watch| watch.closed),
                auto_resumed: incident.auto_resumed,
                version: expected + 1,
            };
            let line = incident.line(IncidentStep::Opened, "tandem", &reason(rule, incident.count), now);
            IncidentChange { incident, expected: 0, watch: Some((next, expected)), line: Some(line) }
        }
    };
    match ports.alerts().save_incident(&change).await {
        Ok(()) => {
            let incident = change.incident;
            tracing::warn!(
                map.id = %map.id, rule.id = %rule.id, incident.id = %incident.id, errors = incident.count,
                "the threshold of a rule was reached; its incident is open"
            );
            Ok(Some(incident))
        }
        Err(CommitError::Stale | CommitError::Duplicate) => Ok(None),
        Err(CommitError::Port(error)) => Err(error),
    }
}

/// Why a rule's action is done, in one sentence.
pub(super) fn reason(rule: &Rule, count: u32) -> String {
    sentence(&rule.config, count)
}

pub(super) fn sentence(config: &RuleConfig, count: u32) -> String {
    let classes: Vec<_> = config.classes.iter().map(|class| class.as_str()).collect();
    let classes = if classes.is_empty() { String::new() } else { format!(" of the type {}", classes.join(", ")) };
    let minutes = config.window_minutes;
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    let errors = if count == 1 { "error" } else { "errors" };
    format!("{}: {count} {errors}{classes} within {minutes} {unit}", config.title)
}
