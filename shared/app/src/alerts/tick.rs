//! What `threshold-evaluate` does each minute, and whenever an incident changes: everything that is due.

use std::collections::BTreeSet;

use domain::{
    IncidentId, Map, Timestamp,
    log::IncidentStep,
    rule::{Ending, Incident, NoticeKind, Recovery, Rule, Watch, recovery},
};

use super::{Counter, LATE_MS, act, alone, change_incident, evaluate_map, notify, probe::probe};
use crate::{
    ports::{AlertPorts, Alerts, Config, IncidentChange, Log, MailPorts, PortError},
    rotation::rotate_fairly,
};

/// Figures of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TickCounts {
    /// Maps whose rules were evaluated: those with a recent error.
    pub maps: u64,
    /// Incidents that were opened.
    pub opened: u64,
    /// Incidents that are open.
    pub incidents: u64,
    /// Mails that were taken.
    pub mails: u64,
    /// Mails that the mail service did not take: most of them are tried again.
    pub mails_failed: u64,
    /// Incidents that are over.
    pub recovered: u64,
    /// Maps that were not evaluated and incidents that were not worked on: something failed, or there was no time left.
    pub left: u64,
    /// Milliseconds from the last counted error to the pause, of each incident that paused a map.
    pub paused_after_ms: Vec<u64>,
}

/// Acts, evaluates rules, notifies people, and closes incidents that are over. No failure stops the rest: it is logged and
/// counted, and the next run tries again.
///
/// # Errors
/// The rules cannot be read.
pub async fn tick<P: MailPorts>(ports: &P, until: Timestamp) -> Result<TickCounts, PortError> {
    let rules = ports.alerts().rules().await?;
    let mut counts = TickCounts::default();
    let mut open = match ports.alerts().open_incidents().await {
        Ok(open) => open,
        Err(error) => {
            tracing::error!(%error, "could not read the open incidents; the next run tries again");
            counts.left += 1;
            Vec::new()
        }
    };
    // Actions that a crash left undone come before anything that takes time.
    for incident in open.iter().filter(|incident| incident.action_due()) {
        act_on(ports, incident, &mut counts).await;
    }
    let opened = evaluate_maps(ports, &rules, until, &mut counts).await;
    // The list of open incidents lags: it may not have these yet.
    let listed: BTreeSet<_> = open.iter().map(|incident| incident.id).collect();
    open.extend(opened.into_iter().filter(|incident| !listed.contains(&incident.id)));
    counts.incidents = open.len() as u64;
    for incident in open {
        run_incident(ports, &rules, incident, until, &mut counts).await;
    }
    Ok(counts)
}

/// Works on one incident that an event named.
///
/// # Errors
/// The rules or the incident cannot be read.
pub async fn tick_one<P: MailPorts>(ports: &P, id: IncidentId, until: Timestamp) -> Result<TickCounts, PortError> {
    let rules = ports.alerts().rules().await?;
    let mut counts = TickCounts::default();
    if let Some(incident) = ports.alerts().incident(id).await?.filter(Incident::is_open) {
        run_incident(ports, &rules, incident, until, &mut counts).await;
    }
    Ok(counts)
}

/// Evaluates the maps with an error so recent that nobody may have evaluated it. Returns the incidents that were opened.
async fn evaluate_maps<P: AlertPorts>(
    ports: &P,
    rules: &[Rule],
    until: Timestamp,
    counts: &mut TickCounts,
) -> Vec<Incident> {
    let mut opened = Vec::new();
    if rules.iter().all(|rule| !rule.config.enabled) {
        return opened;
    }
    let now = ports.now();
    let mut maps = match ports.log().noisy(now.minus_ms(LATE_MS)).await {
        Ok(maps) => maps,
        Err(error) => {
            tracing::error!(%error, "could not list the maps with errors; the next run tries again");
            counts.left += 1;
            return opened;
        }
    };
    maps.retain(|id| rules.iter().any(|rule| rule.config.watches(id)));
    // When there is no time for all of them, it is not always the same ones that are left.
    rotate_fairly(&mut maps, now, 1);
    for (n, id) in maps.iter().enumerate() {
        if ports.now() >= until {
            tracing::error!(
                left = maps.len() - n,
                "could not evaluate all maps in time; the next run starts with other maps"
            );
            counts.left += (maps.len() - n) as u64;
            break;
        }
        counts.maps += 1;
        match evaluate_map(ports, rules, id, now.minus_ms(LATE_MS)).await {
            Ok(due) => {
                counts.opened += due.len() as u64;
                for incident in due {
                    opened.push(act_on(ports, &incident, counts).await);
                }
            }
            Err(error) => {
                tracing::error!(map.id = %id, %error, "could not evaluate the rules of a map; the next run tries again");
                counts.left += 1;
            }
        }
    }
    opened
}

/// Does the action of an incident; returns the incident as it is then. After a failure the action is still due, and the
/// next run does it.
async fn act_on<P: AlertPorts>(ports: &P, incident: &Incident, counts: &mut TickCounts) -> Incident {
    match act(ports, incident).await {
        Ok(acted) => {
            counts.paused_after_ms.extend(incident.paused_after_ms(&acted));
            acted
        }
        Err(error) => {
            tracing::error!(
                map.id = %incident.map, incident.id = %incident.id, %error,
                "could not do the action of an incident; the next run tries again"
            );
            counts.left += 1;
            incident.clone()
        }
    }
}

/// Works on an incident, unless there is no time left.
async fn run_incident<P: MailPorts>(
    ports: &P,
    rules: &[Rule],
    incident: Incident,
    until: Timestamp,
    counts: &mut TickCounts,
) {
    let id = incident.id;
    if ports.now() >= until {
        counts.left += 1;
    } else if let Err(error) = run_steps(ports, rules, incident, until, counts).await {
        tracing::error!(incident.id = %id, %error, "could not work on an incident; the next run tries again");
        counts.left += 1;
    }
}

async fn run_steps<P: MailPorts>(
    ports: &P,
    rules: &[Rule],
    incident: Incident,
    until: Timestamp,
    counts: &mut TickCounts,
) -> Result<(), PortError> {
    let mut incident = if incident.action_due() { act_on(ports, &incident, counts).await } else { incident };
    if incident.recovered.is_none() {
        let map = ports.config().fresh_map(&incident.map).await?.map(|map| map.map);
        if let Some(ending) = find_ending(ports, rules, &incident, map.as_ref()).await? {
            if let Some(closed) = close(ports, &incident, ending).await? {
                incident = closed;
                counts.recovered += 1;
            }
        } else if let Some(map) = &map {
            incident = remind(ports, incident).await?;
            incident = probe(ports, incident, map).await?;
        }
    }
    let mails = notify(ports, &incident, until).await?;
    counts.mails += mails.taken;
    counts.mails_failed += mails.failed;
    Ok(())
}

/// Whether an incident is over, and how.
async fn find_ending<P: AlertPorts>(
    ports: &P,
    rules: &[Rule],
    incident: &Incident,
    map: Option<&Map>,
) -> Result<Option<Ending>, PortError> {
    Ok(match (recovery(incident, map), map) {
        (Recovery::Over(ending), _) => Some(ending),
        (Recovery::WhenQuiet, Some(map)) => {
            let listed = rules.iter().find(|rule| rule.id == incident.rule).cloned();
            // A rule that cannot be read is missing from the list, but it exists.
            let rule = match listed {
                None => ports.alerts().rule(&incident.rule).await?,
                listed => listed,
            };
            let Some(rule) = rule.filter(|rule| rule.config.enabled) else { return Ok(Some(Ending::RuleOff)) };
            let config = &rule.config;
            // Its own errors do not keep it open for longer than its window.
            let from = ports.now().minus_ms(config.window_ms());
            let before = Some(from.minus_ms(1));
            let quiet = Counter::new(ports, map, from).find_breach(config, from, before).await?.is_none();
            quiet.then_some(Ending::Quiet)
        }
        (Recovery::WhenQuiet | Recovery::NotYet, _) => None,
    })
}

/// Closes an incident and its watch. `None`: somebody else did.
async fn close<P: AlertPorts>(ports: &P, incident: &Incident, ending: Ending) -> Result<Option<Incident>, PortError> {
    let now = ports.now();
    let watch = ports.alerts().watch(&incident.rule, &incident.map).await?;
    let watch = watch.filter(|watch| watch.open == Some(incident.id));
    change_incident(ports, incident.id, |read| {
        if read.recovered.is_some() || read.live_epoch != incident.live_epoch {
            return None; // it was breached again in the meantime
        }
        let next = read.recovered(ending.clone(), now);
        let line = next.line(IncidentStep::Recovered, "tandem", &ending.to_string(), now);
        let closed = watch.as_ref().map(|watch| {
            let closed = Watch {
                open: None,
                closed: Some((now, read.live_epoch)),
                auto_resumed: read.auto_resumed,
                version: watch.version + 1,
                ..watch.clone()
            };
            (closed, watch.version)
        });
        Some(IncidentChange { expected: read.version, incident: next, watch: closed, line: Some(line) })
    })
    .await
}

/// Reminds people of an incident that nobody has acknowledged.
async fn remind<P: AlertPorts>(ports: &P, incident: Incident) -> Result<Incident, PortError> {
    let now = ports.now();
    if !incident.reminds(now) {
        return Ok(incident);
    }
    let reminded = change_incident(ports, incident.id, |read| {
        read.reminds(now).then(|| {
            let mut next = read.clone();
            next.version += 1;
            next.tell(NoticeKind::Reminder, now);
            alone(next)
        })
    });
    Ok(reminded.await?.unwrap_or(incident))
}
