//! What other programs are told. No message and no payload is in it: those stay in the log.

use domain::{
    log::{Activity, ActivityKind, ErrorDisposition, ErrorEvent, IncidentStep, LogEvent},
    map::Cause,
};
use serde_json::{Value, json};

use crate::ports::Event;

/// Events for what was logged.
pub(super) fn events(logged: &[LogEvent]) -> Vec<Event> {
    logged.iter().filter_map(event).collect()
}

fn event(logged: &LogEvent) -> Option<Event> {
    match logged {
        LogEvent::Error(error) if error.fate == ErrorDisposition::Parked => Some(parked(error)),
        LogEvent::Activity(line) => activity(line),
        LogEvent::Error(_) | LogEvent::Resolved(_) => None,
    }
}

fn parked(error: &ErrorEvent) -> Event {
    let detail = json!({
        "id": error.id, "at": error.at.to_string(), "map": error.map, "key": error.key, "seq": error.seq,
        "to": error.to, "class": error.class, "code": error.code, "attempt": error.attempt,
    });
    Event { source: "tandem.write", kind: "Write Parked", detail }
}

fn activity(line: &Activity) -> Option<Event> {
    let told = |more: Value| {
        let mut detail = json!({
            "id": line.id, "at": line.at.to_string(), "map": line.map, "actor": line.actor, "reason": line.reason,
        });
        if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
            detail.extend(more);
        }
        detail
    };
    match &line.what {
        ActivityKind::StateChanged { from, to, epoch } => {
            let incident = line.cause.incident();
            let more = json!({
                "from": from, "to": to, "epoch": epoch, "cause": line.cause.as_str(), "incident": incident,
            });
            Some(Event { source: "tandem.map", kind: "Map State Changed", detail: told(more) })
        }
        ActivityKind::Incident { incident, rule, step, errors } => {
            let kind = match step {
                IncidentStep::Opened => "Incident Opened",
                IncidentStep::Acted => "Incident Acted",
                IncidentStep::Acknowledged => "Incident Acknowledged",
                IncidentStep::Reopened => "Incident Reopened",
                IncidentStep::Recovered => "Incident Recovered",
            };
            let cause = match &line.cause {
                Cause::Rule { .. } => "rule",
                other => other.as_str(),
            };
            let more = json!({ "incident": incident, "rule": rule, "errors": errors, "cause": cause });
            Some(Event { source: "tandem.incident", kind, detail: told(more) })
        }
        _ => None,
    }
}
