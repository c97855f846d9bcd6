//! The action of an incident: once, and never on a map that was resumed in the meantime.

use domain::{
    MapState, Timestamp,
    log::{Activity, IncidentStep},
    map::{Cause, MapAnswer, MapCommand},
    rule::{Acted, Action, Incident},
};

use super::{MAX_ROUNDS, change, evaluate::sentence};
use crate::ports::{AlertPorts, Alerts, CommitError, Config, IncidentChange, PortError};

/// Does what an incident's rule wants to be done, if that is still due; the incident as it is then.
///
/// The map is changed by compare-and-set of its version, and only in the epoch whose errors were counted: whoever
/// resumes it in the meantime has the last word. A crash before the incident says so is mended by the next run, which
/// finds the map in that state for this very incident.
///
/// # Errors
/// The store cannot be reached. The next run goes on.
pub async fn act<P: AlertPorts>(ports: &P, incident: &Incident) -> Result<Incident, PortError> {
    if !incident.action_due() {
        return Ok(incident.clone());
    }
    let acted = do_it(ports, incident).await?;
    let saved = change(ports, incident.id, |read| {
        if !read.action_due() || read.live_epoch != incident.live_epoch {
            return None;
        }
        let next = read.acted(acted.clone());
        let said = acted.left.clone().unwrap_or_else(|| sentence(&read.config, read.count));
        let line = next.line(IncidentStep::Acted, "tandem", &said, acted.at);
        Some(IncidentChange { expected: read.version, incident: next, watch: None, line: Some(line) })
    });
    match saved.await? {
        Some(saved) => Ok(saved),
        None => Ok(ports.alerts().incident(incident.id).await?.unwrap_or_else(|| incident.clone())),
    }
}

async fn do_it<P: AlertPorts>(ports: &P, incident: &Incident) -> Result<Acted, PortError> {
    let now = ports.now();
    let command = match incident.config.action {
        Action::None => return Ok(Acted { at: now, state: None, left: None }),
        Action::Pause => MapCommand::Pause,
        Action::Stop => MapCommand::Stop,
    };
    for _ in 0..MAX_ROUNDS {
        let Some(map) = ports.config().fresh_map(&incident.map).await? else {
            return Ok(left(now, "the map is gone".to_owned()));
        };
        let map = map.map;
        if map.uid != incident.uid {
            return Ok(left(now, "the map is gone".to_owned()));
        }
        if map.live_epoch != incident.live_epoch {
            return Ok(left(now, format!("the map was resumed by {} in the meantime", map.actor)));
        }
        let cause = Cause::Rule { rule: incident.rule.clone(), incident: incident.id };
        let reason = sentence(&incident.config, incident.count);
        match map.decide_because(command, "tandem", &reason, cause, now) {
            MapAnswer::Changed(next) => {
                let line = Activity::of_state(map.state, &next);
                match ports.config().save_map(&next, map.version, &line).await {
                    Ok(()) => {
                        tracing::warn!(map.id = %map.id, incident.id = %incident.id, state = %next.state, "a rule acted");
                        return Ok(done(now, next.state));
                    }
                    Err(CommitError::Stale | CommitError::Duplicate) => {}
                    Err(CommitError::Port(error)) => return Err(error),
                }
            }
            MapAnswer::Already if map.cause.incident() == Some(incident.id) => return Ok(done(map.since, map.state)),
            MapAnswer::Already | MapAnswer::Illegal => {
                return Ok(left(now, format!("the map was {} already, by {}: {}", map.state, map.actor, map.reason)));
            }
        }
    }
    Err(PortError::Transient("the map kept changing".to_owned()))
}

fn done(at: Timestamp, state: MapState) -> Acted {
    Acted { at, state: Some(state), left: None }
}

fn left(at: Timestamp, why: String) -> Acted {
    Acted { at, state: None, left: Some(why) }
}
