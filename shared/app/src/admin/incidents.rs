//! Incidents, as operators see them.

use domain::{
    IncidentId,
    lane::Attribution,
    log::IncidentStep,
    map::Cause,
    rule::{Address, Incident},
};

use super::{AdminPorts, Caller, map_commands::checked};
use crate::{
    alerts,
    error::{AppError, ResourceKind, StateConflict},
    ports::{Alerts, IncidentChange},
};

/// One incident.
///
/// # Errors
/// There is none, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, id: IncidentId) -> Result<Incident, AppError> {
    ports.alerts().incident(id).await?.ok_or(AppError::NotFound(ResourceKind::Incident))
}

/// Says that somebody has seen it: nobody is reminded any more.
///
/// # Errors
/// There is none, it is over, the reason is missing, or the store does not answer.
pub async fn acknowledge<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: IncidentId,
    reason: &str,
) -> Result<Incident, AppError> {
    let reason = checked(reason)?;
    let found = get(ports, id).await?;
    if found.recovered.is_some() {
        return Err(AppError::Conflict(StateConflict::IncidentOver));
    }
    if found.acknowledged.is_some() {
        return Ok(found);
    }
    let by = Attribution { actor: caller.name.clone(), at: ports.now(), reason: reason.to_owned() };
    let changed = alerts::change_incident(ports, id, |read| {
        (read.acknowledged.is_none() && read.recovered.is_none()).then(|| {
            let incident = read.acknowledged(by.clone());
            let line = incident.line_because(IncidentStep::Acknowledged, Cause::Operator, &by.actor, &by.reason, by.at);
            IncidentChange { expected: read.version, incident, watch: None, line: Some(line) }
        })
    });
    match changed.await? {
        Some(incident) => Ok(incident),
        None => get(ports, id).await,
    }
}

/// Forgets that mail to an address came back: it is sent there again.
///
/// # Errors
/// It was not flagged, or the store does not answer.
pub async fn unflag<P: AdminPorts>(ports: &P, address: &Address) -> Result<(), AppError> {
    if ports.alerts().unflag(address).await? { Ok(()) } else { Err(AppError::NotFound(ResourceKind::FlaggedAddress)) }
}
