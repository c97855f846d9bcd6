//! What `threshold-evaluate` does each minute, and whenever an incident changes: everything that is due.

use domain::{
    Map, Timestamp,
    log::IncidentStep,
    rule::{Ending, Incident, MAX_WINDOW_MINUTES, NoticeKind, Recovery, Rule, Watch, recovery},
};

use super::{Counter, LATE_MS, act, alone, change, evaluate, notify, probe::probe};
use crate::ports::{AlertPorts, Alerts, Config, IncidentChange, Log, MailPorts, PortError};

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
}

/// Judges what was not judged yet, acts, tells people, and closes what is over. Nothing of it stops the rest: what fails
/// is logged, and comes again with the next run.
///
/// # Errors
/// Rules or incidents cannot be read.
pub async fn tick<P: MailPorts>(ports: &P, until: Timestamp) -> Result<Ticked, PortError> {
    let rules = ports.alerts().rules().await?;
    let mut ticked = Ticked::default();
    judge_all(ports, &rules, &mut ticked).await?;
    let open = ports.alerts().open_incidents().await?;
    ticked.incidents = open.len() as u64;
    for incident in open {
        if ports.now() >= until {
            break;
        }
        if let Err(error) = go_on(ports, &rules, incident.clone(), until, &mut ticked).await {
            tracing::error!(incident.id = %incident.id, %error, "an incident could not be worked on; the next run will");
        }
    }
    Ok(ticked)
}

async fn judge_all<P: AlertPorts>(ports: &P, rules: &[Rule], ticked: &mut Ticked) -> Result<(), PortError> {
    if rules.iter().all(|rule| !rule.config.enabled) {
        return Ok(());
    }
    let now = ports.now();
    let since = now.minus_ms(u64::from(MAX_WINDOW_MINUTES) * 60_000 + LATE_MS);
    for id in ports.log().noisy(since).await? {
        if !rules.iter().any(|rule| rule.config.watches(&id)) {
            continue;
        }
        let Some(map) = ports.config().fresh_map(&id).await? else { continue };
        ticked.maps += 1;
        match evaluate(ports, &map.map, rules, now.minus_ms(LATE_MS)).await {
            Ok(opened) => ticked.opened += opened.len() as u64,
            Err(error) => tracing::error!(map.id = %id, %error, "the rules of a map could not be judged"),
        }
    }
    Ok(())
}

async fn go_on<P: MailPorts>(
    ports: &P,
    rules: &[Rule],
    incident: Incident,
    until: Timestamp,
    ticked: &mut Ticked,
) -> Result<(), PortError> {
    let mut incident = act(ports, &incident).await?;
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
            let rule = rules.iter().find(|rule| rule.id == incident.rule);
            let config = rule.map_or(&incident.config, |rule| &rule.config);
            if !rule.is_some_and(|rule| rule.config.enabled) {
                return Ok(Some(Ending::RuleOff));
            }
            // Its own errors do not keep it open for longer than its window.
            let mut counter = Counter::new(ports, map, ports.now().minus_ms(config.window_ms()));
            let quiet = counter.judge(config, None).await?.is_none();
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
    change(ports, incident.id, |read| {
        if read.recovered.is_some() || read.live_epoch != incident.live_epoch {
            return None; // it was breached again in the meantime
        }
        let next = read.recovered(ending.clone(), now);
        let line = next.line(IncidentStep::Recovered, "tandem", &ending.to_string(), now);
        let closed = watch.as_ref().map(|watch| {
            let closed =
                Watch { open: None, closed: Some((now, read.live_epoch)), version: watch.version + 1, ..watch.clone() };
            (closed, watch.version)
        });
        Some(IncidentChange { expected: read.version, incident: next, watch: closed, line: Some(line) })
    })
    .await
}

/// Reminds people of what nobody has acknowledged.
async fn remind<P: AlertPorts>(ports: &P, incident: Incident) -> Result<Incident, PortError> {
    let now = ports.now();
    let reminded = change(ports, incident.id, |read| {
        read.reminds(now).then(|| {
            let mut next = read.clone();
            next.version += 1;
            next.tell(NoticeKind::Reminder, now);
            alone(next)
        })
    });
    Ok(if incident.reminds(now) { reminded.await?.unwrap_or(incident) } else { incident })
}
