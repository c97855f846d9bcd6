//! What other programs are told. No message and no payload is in it: those stay in the log.

use domain::{
    log::{Activity, ActivityKind, ErrorDisposition, ErrorEvent, IncidentStep, LogEvent},
    map::Cause,
    sync::SyncStep,
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
        ActivityKind::SyncRun { run, sync, step, outcome, legs, causes, despite } => {
            let kind = match step {
                SyncStep::Started => "Sync Run Started",
                SyncStep::Paused => "Sync Run Paused",
                SyncStep::Resumed => "Sync Run Resumed",
                SyncStep::Cancelled => "Sync Run Cancelled",
                SyncStep::Finished => "Sync Run Finished",
                SyncStep::Skipped => "Sync Run Skipped",
            };
            let more = json!({ "run": run, "sync": sync, "outcome": outcome, "legs": legs, "causes": causes });
            let mut detail = told(more);
            if !despite.is_empty() {
                detail["despite"] = json!(despite);
            }
            if (*step, &line.cause) == (SyncStep::Paused, &Cause::SyncRun) {
                // Its reason quotes the app.
                detail["reason"] = json!("the run has paused itself and asks an operator: its stall says why");
            }
            Some(Event { source: "tandem.sync", kind, detail })
        }
        _ => None,
    }
}
