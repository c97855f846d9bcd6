//! What `threshold-evaluate` does each minute, and whenever an incident changes: everything that is due.

use std::collections::BTreeSet;

use domain::{
    IncidentId, Map, MapId, Timestamp,
    log::IncidentStep,
    rule::{Ending, Incident, NoticeKind, Recovery, Rule, Watch, recovery},
};

use super::{Counter, LATE_MS, act, alone, change_incident, evaluate, notify, probe::probe};
use crate::{
    ports::{AlertPorts, Alerts, Config, IncidentChange, Log, MailPorts, PortError},
    rotation::rotate_fairly,
};

/// What a run did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// Maps whose rules were judged: those that met an error of late.
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
    /// Maps that were not judged and incidents that were not worked on: something failed, or there was no time left.
    pub left: u64,
    /// Milliseconds from the last counted error to the pause, of each incident that paused a map.
    pub paused_after_ms: Vec<u64>,
}

/// Acts, judges what was not judged yet, tells people, and closes what is over. Nothing of it stops the rest: what fails is
/// logged and counted, and comes again with the next run.
///
/// # Errors
/// The rules cannot be read.
pub async fn tick<P: MailPorts>(ports: &P, until: Timestamp) -> Result<Ticked, PortError> {
    let rules = ports.alerts().rules().await?;
    let mut ticked = Ticked::default();
    let mut open = match ports.alerts().open_incidents().await {
        Ok(open) => open,
        Err(error) => {
            tracing::error!(%error, "open incidents could not be read; the next run will");
            ticked.left += 1;
            Vec::new()
        }
    };
    // What a crash left comes before anything that takes time.
    for incident in open.iter().filter(|incident| incident.action_due()) {
        act_on(ports, incident, &mut ticked).await;
    }
    let opened = judge_all(ports, &rules, until, &mut ticked).await;
    // The list of open incidents lags: it may not have these yet.
    let listed: BTreeSet<_> = open.iter().map(|incident| incident.id).collect();
    open.extend(opened.into_iter().filter(|incident| !listed.contains(&incident.id)));
    ticked.incidents = open.len() as u64;
    for incident in open {
        go_on(ports, &rules, incident, until, &mut ticked).await;
    }
    Ok(ticked)
}

/// Works on one incident, of which an event told.
///
/// # Errors
/// The rules or the incident cannot be read.
pub async fn tick_one<P: MailPorts>(ports: &P, id: IncidentId, until: Timestamp) -> Result<Ticked, PortError> {
    let rules = ports.alerts().rules().await?;
    let mut ticked = Ticked::default();
    if let Some(incident) = ports.alerts().incident(id).await?.filter(Incident::is_open) {
        go_on(ports, &rules, incident, until, &mut ticked).await;
    }
    Ok(ticked)
}

/// Judges the maps that met an error so lately that nobody may have judged it; incidents that were opened.
async fn judge_all<P: AlertPorts>(ports: &P, rules: &[Rule], until: Timestamp, ticked: &mut Ticked) -> Vec<Incident> {
    let mut opened = Vec::new();
    if rules.iter().all(|rule| !rule.config.enabled) {
        return opened;
    }
    let now = ports.now();
    let mut maps = match ports.log().noisy(now.minus_ms(LATE_MS)).await {
        Ok(maps) => maps,
        Err(error) => {
            tracing::error!(%error, "maps with errors could not be listed; the next run will");
            ticked.left += 1;
            return opened;
        }
    };
    maps.retain(|id| rules.iter().any(|rule| rule.config.watches(id)));
    // When there is no time for all of them, it is not always the same ones that are left.
    rotate_fairly(&mut maps, now, 1);
    for (n, id) in maps.iter().enumerate() {
        if ports.now() >= until {
            tracing::error!(left = maps.len() - n, "the time did not do for all maps; the next run begins with others");
            ticked.left += (maps.len() - n) as u64;
            break;
        }
        ticked.maps += 1;
        match judge_map(ports, rules, id, now.minus_ms(LATE_MS)).await {
            Ok(due) => {
                ticked.opened += due.len() as u64;
                for incident in due {
                    opened.push(act_on(ports, &incident, ticked).await);
                }
            }
            Err(error) => {
                tracing::error!(map.id = %id, %error, "the rules of a map could not be judged; the next run will");
                ticked.left += 1;
            }
        }
    }
    opened
}

async fn judge_map<P: AlertPorts>(
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

/// Does what an incident's rule wants; the incident as it is then. What fails is due again with the next run.
async fn act_on<P: AlertPorts>(ports: &P, incident: &Incident, ticked: &mut Ticked) -> Incident {
    match act(ports, incident).await {
        Ok(acted) => {
            ticked.paused_after_ms.extend(incident.paused_after_ms(&acted));
            acted
        }
        Err(error) => {
            tracing::error!(
                map.id = %incident.map, incident.id = %incident.id, %error,
                "the action of an incident could not be done; the next run will"
            );
            ticked.left += 1;
            incident.clone()
        }
    }
}

/// Works on an incident, unless there is no time left.
async fn go_on<P: MailPorts>(ports: &P, rules: &[Rule], incident: Incident, until: Timestamp, ticked: &mut Ticked) {
    let id = incident.id;
    if ports.now() >= until {
        ticked.left += 1;
    } else if let Err(error) = steps(ports, rules, incident, until, ticked).await {
        tracing::error!(incident.id = %id, %error, "an incident could not be worked on; the next run will");
        ticked.left += 1;
    }
}

async fn steps<P: MailPorts>(
    ports: &P,
    rules: &[Rule],
    incident: Incident,
    until: Timestamp,
    ticked: &mut Ticked,
) -> Result<(), PortError> {
    let mut incident = if incident.action_due() { act_on(ports, &incident, ticked).await } else { incident };
    if incident.recovered.is_none() {
        let map = ports.config().fresh_map(&incident.map).await?.map(|map| map.map);
        if let Some(ending) = over(ports, rules, &incident, map.as_ref()).await? {
            if let Some(closed) = close(ports, &incident, ending).await? {
                incident = closed;
                ticked.recovered += 1;
            }
        } else if let Some(map) = &map {
            incident = remind(ports, incident).await?;
            incident = probe(ports, incident, map).await?;
        }
    }
    let told = notify(ports, &incident, until).await?;
    ticked.mails += told.taken;
    ticked.mails_failed += told.failed;
    Ok(())
}

/// Whether an incident is over, and how.
async fn over<P: AlertPorts>(
    ports: &P,
    rules: &[Rule],
    incident: &Incident,
    map: Option<&Map>,
) -> Result<Option<Ending>, PortError> {
    Ok(match (recovery(incident, map), map) {
        (Recovery::Over(ending), _) => Some(ending),
        (Recovery::WhenQuiet, Some(map)) => {
            let listed = rules.iter().find(|rule| rule.id == incident.rule).cloned();
            // A rule that cannot be read is not in the list; it is not gone for that.
            let rule = match listed {
                None => ports.alerts().rule(&incident.rule).await?,
                listed => listed,
            };
            let Some(rule) = rule.filter(|rule| rule.config.enabled) else { return Ok(Some(Ending::RuleOff)) };
            let config = &rule.config;
            // Its own errors do not keep it open for longer than its window.
            let from = ports.now().minus_ms(config.window_ms());
            let before = Some(from.minus_ms(1));
            let quiet = Counter::new(ports, map, from).judge(config, from, before).await?.is_none();
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

/// Reminds people of what nobody has acknowledged.
async fn remind<P: AlertPorts>(ports: &P, incident: Incident) -> Result<Incident, PortError> {
    let now = ports.now();
    let reminded = change_incident(ports, incident.id, |read| {
        read.reminds(now).then(|| {
            let mut next = read.clone();
            next.version += 1;
            next.tell(NoticeKind::Reminder, now);
            alone(next)
        })
    });
    Ok(if incident.reminds(now) { reminded.await?.unwrap_or(incident) } else { incident })
}
