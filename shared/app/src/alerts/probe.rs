//! The automatic resume: the app is probed with the oldest waiting change. When it accepts the change, the map is resumed.

use domain::{
    Map, MapState,
    log::IncidentStep,
    map::{Backlog, Cause, MapAnswer, MapCommand},
    rule::Incident,
};

use super::{alone, change_incident};
use crate::{
    drain::{AppHealth, probe_map},
    map_state::{Decision, OnStale, StateChange, change_state},
    ports::{AlertPorts, IncidentChange, PortError},
};

/// Probes the app if it is time to, and resumes the map if the app is well; returns the incident as it is then.
pub(super) async fn probe<P: AlertPorts>(ports: &P, incident: Incident, map: &Map) -> Result<Incident, PortError> {
    let Some(auto) = incident.config.auto_resume else { return Ok(incident) };
    let now = ports.now();
    let ours = map.state == MapState::Paused && map.cause.incident() == Some(incident.id);
    let since = incident.probed_at.unwrap_or(map.since).max(map.since);
    let waited = now.ms_since(since) >= u64::from(auto.after_minutes) * 60_000;
    if !ours || !waited || incident.auto_resumed >= auto.at_most {
        return Ok(incident);
    }
    // Saved before the probe: of two runs, only one probes.
    let noted = change_incident(ports, incident.id, |read| {
        (read.version == incident.version)
            .then(|| alone(Incident { probed_at: Some(now), version: read.version + 1, ..read.clone() }))
    });
    let Some(incident) = noted.await? else { return Ok(incident) };
    let health = probe_map(ports, &map.id).await?;
    tracing::info!(map.id = %map.id, incident.id = %incident.id, ?health, "probed the app with the oldest change");
    if health == AppHealth::StillBroken {
        return Ok(incident);
    }
    resume(ports, incident, map).await
}

async fn resume<P: AlertPorts>(ports: &P, incident: Incident, map: &Map) -> Result<Incident, PortError> {
    let now = ports.now();
    let (cause, reason) = (Cause::AutoResume { incident: incident.id }, "the app takes changes again");
    let command = MapCommand::Resume(Backlog::CatchUp);
    let decide = || async {
        Ok::<_, PortError>(match map.decide_because(command, "tandem", reason, cause.clone(), now) {
            MapAnswer::Changed(next) => Decision::change(map.clone(), next),
            MapAnswer::Already | MapAnswer::Illegal => Decision::Stay(()),
        })
    };
    // An operator who changes the map in the meantime has the last word.
    let StateChange::Saved(_) = change_state(ports, OnStale::GiveWay, decide).await? else {
        return Ok(incident);
    };
    let resumed = change_incident(ports, incident.id, |read| {
        let mut next = read.clone();
        next.auto_resumed += 1;
        next.version += 1;
        let line = next.line_because(IncidentStep::Reopened, cause.clone(), "tandem", reason, now);
        Some(IncidentChange { expected: read.version, incident: next, watch: None, line: Some(line) })
    });
    Ok(resumed.await?.unwrap_or(incident))
}
