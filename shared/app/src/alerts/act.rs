//! The action of an incident: once, and never on a map that was resumed in the meantime.

use domain::{
    Map, MapState, Timestamp,
    log::IncidentStep,
    map::{Cause, MapAnswer, MapCommand},
    rule::{Acted, Action, Incident},
};

use super::{change_incident, evaluate::sentence};
use crate::{
    map_state::{Decision, OnStale, StateChange, change_state},
    ports::{AlertPorts, Alerts, Config, IncidentChange, PortError},
};

/// Does the action of an incident's rule, if it is still due; returns the incident as it is then.
///
/// The map is changed by compare-and-set of its version, and only in the epoch whose errors were counted: an operator who
/// resumes it in the meantime has the last word. After a crash between the map and the incident, the next run finds the
/// map in that state because of this incident, and records the action.
///
/// # Errors
/// The store cannot be reached. The next run goes on.
pub async fn act<P: AlertPorts>(ports: &P, incident: &Incident) -> Result<Incident, PortError> {
    if !incident.action_due() {
        return Ok(incident.clone());
    }
    let acted = apply_action(ports, incident).await?;
    let saved = change_incident(ports, incident.id, |read| {
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

async fn apply_action<P: AlertPorts>(ports: &P, incident: &Incident) -> Result<Acted, PortError> {
    let now = ports.now();
    let command = match incident.config.action {
        Action::None => return Ok(Acted { at: now, state: None, left: None }),
        Action::Pause => MapCommand::Pause,
        Action::Stop => MapCommand::Stop,
    };
    let decide = || async move {
        let map = ports.config().fresh_map(&incident.map).await?.map(|map| map.map);
        let Some(map) = map.filter(|map| map.uid == incident.uid) else {
            return Ok::<_, PortError>(Decision::Stay(left(now, "the map is gone".to_owned())));
        };
        if map.live_epoch != incident.live_epoch {
            return Ok(Decision::Stay(left(now, format!("the map was resumed by {} in the meantime", map.actor))));
        }
        let cause = Cause::Rule { rule: incident.rule.clone(), incident: incident.id };
        let reason = sentence(&incident.config, incident.count);
        Ok(match map.decide_because(command, "tandem", &reason, cause, now) {
            MapAnswer::Changed(next) => Decision::change(map, next),
            MapAnswer::Already if is_ours(&map, incident) => Decision::Stay(done(map.since, map.state)),
            MapAnswer::Already | MapAnswer::Illegal => {
                let why = format!("the map was {} already, by {}: {}", map.state, map.actor, map.reason);
                Decision::Stay(left(now, why))
            }
        })
    };
    match change_state(ports, OnStale::ReadAgain, decide).await? {
        StateChange::Saved(map) => {
            tracing::warn!(map.id = %map.id, incident.id = %incident.id, state = %map.state, "a rule changed the state of the map");
            Ok(done(now, map.state))
        }
        StateChange::Stayed(acted) => Ok(acted),
        StateChange::GaveWay => Err(PortError::Transient("the map changed".to_owned())),
    }
}

/// Whether the map is in its state because of this incident: an earlier run changed the map and crashed before it recorded
/// that.
fn is_ours(map: &Map, incident: &Incident) -> bool {
    map.cause.incident() == Some(incident.id)
}

fn done(at: Timestamp, state: MapState) -> Acted {
    Acted { at, state: Some(state), left: None }
}

fn left(at: Timestamp, why: String) -> Acted {
    Acted { at, state: None, left: Some(why) }
}
