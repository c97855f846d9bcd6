//! Alerts: rules are evaluated, maps are paused, people are notified.
//!
//! **Invariant: every step is a compare-and-set of the incident or the map.** Both evaluators may run at the same time,
//! twice, or late: a breach becomes one incident, and its action is done once. Mail is sent at least once.

mod act;
mod counter;
mod evaluate;
pub mod mail;
mod notify;
mod probe;
mod tick;

pub(crate) use self::evaluate::evaluate_map;
pub use self::{
    act::act,
    counter::Counter,
    evaluate::{LATE_MS, RuleDecision, decide_rule, evaluate},
    notify::{CameBack, MailCounts, bounced, notify},
    tick::{TickCounts, tick, tick_one},
};
use crate::{
    cas::{self, RetryCause, Round},
    ports::{AlertPorts, Alerts, CommitError, IncidentChange, PortError},
};
use domain::{IncidentId, rule::Incident};

/// Changes an incident. When somebody else changed it first, `decide` is asked again about the incident as it is then.
/// `None` from `decide` leaves it as it is.
pub(crate) async fn change_incident<P: AlertPorts>(
    ports: &P,
    id: IncidentId,
    decide: impl Fn(&Incident) -> Option<IncidentChange> + Send + Sync,
) -> Result<Option<Incident>, PortError> {
    let decide = &decide;
    cas::retry(ports, cas::RECORD, (), |()| async move {
        let Some(read) = ports.alerts().incident(id).await? else { return Ok(Round::Done(None)) };
        let Some(change) = decide(&read) else { return Ok(Round::Done(None)) };
        match ports.alerts().save_incident(&change).await {
            Ok(()) => Ok(Round::Done(Some(change.incident))),
            Err(CommitError::Stale | CommitError::Duplicate) => Ok(Round::Again(RetryCause::Stale, ())),
            Err(CommitError::Port(error)) => Err(error),
        }
    })
    .await
}

/// A change of an incident alone.
pub(crate) fn alone(incident: Incident) -> IncidentChange {
    IncidentChange { expected: incident.version - 1, incident, watch: None, line: None }
}
