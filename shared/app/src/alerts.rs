//! Alerts: rules are judged, maps are paused, people are told.
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

pub use self::{
    act::act,
    counter::Counter,
    evaluate::{LATE_MS, RuleDecision, decide_rule, evaluate},
    notify::{CameBack, MailCounts, bounced, notify},
    tick::{Ticked, tick, tick_one},
};
use crate::ports::{AlertPorts, Alerts, CommitError, IncidentChange, PortError};
use domain::{IncidentId, rule::Incident};

/// How often an incident is read anew because somebody else changed it.
const MAX_ROUNDS: usize = 8;

/// Changes an incident; it is decided anew when somebody else was faster. `None` from `decide`: there is nothing to do.
pub(crate) async fn change<P: AlertPorts>(
    ports: &P,
    id: IncidentId,
    decide: impl Fn(&Incident) -> Option<IncidentChange> + Send,
) -> Result<Option<Incident>, PortError> {
    for _ in 0..MAX_ROUNDS {
        let Some(read) = ports.alerts().incident(id).await? else { return Ok(None) };
        let Some(change) = decide(&read) else { return Ok(None) };
        match ports.alerts().save_incident(&change).await {
            Ok(()) => return Ok(Some(change.incident)),
            Err(CommitError::Stale | CommitError::Duplicate) => {}
            Err(CommitError::Port(error)) => return Err(error),
        }
    }
    Err(PortError::Transient("the incident kept changing".to_owned()))
}

/// A change of an incident alone.
pub(crate) fn alone(incident: Incident) -> IncidentChange {
    IncidentChange { expected: incident.version - 1, incident, watch: None, line: None }
}
