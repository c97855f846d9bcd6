//! Parse, one call, answer.

use app::{
    ports::{ActiveRun, PortError, SyncPorts},
    sync::{Swept, WorkEnd, sweep, work},
};
use aws::metrics::{Metrics, Unit};
use domain::Timestamp;
use lambda_runtime::Error;
use serde_json::{Value, json};

/// No step is begun in the last part of an invocation: its calls and their settlement must fit in.
const RESERVE_MS: u64 = 90_000;

/// The time until which the worker may begin steps. `deadline` is Lambda's, in milliseconds since 1970.
pub(crate) fn time_limit(deadline: u64) -> Timestamp {
    Timestamp(deadline).minus_ms(RESERVE_MS)
}

/// Works on the run that a work item names, or finds runs that nobody works on. A work item is not given back to the queue: the
/// schedule finds its run within a minute.
pub(crate) async fn handle<P: SyncPorts>(ports: &P, event: &Value, until: Timestamp) -> Result<Value, Error> {
    if event["detail-type"] == "Scheduled Event" {
        let Swept { woken, scheduled, stalled } = retried(sweep(ports).await)?;
        tracing::info!(woken, scheduled, stalled, "swept the sync runs");
        Metrics::of(&[]).add("SyncRunsStalled", stalled, Unit::Count).emit();
        return Ok(json!({ "woken": woken, "scheduled": scheduled, "stalled": stalled }));
    }
    let Some(records) = event["Records"].as_array() else {
        return Err("the event is neither a work item nor a schedule's".into());
    };
    for record in records {
        let active = match read_work_item(record) {
            Ok(active) => active,
            Err(says) => {
                tracing::error!(%says, "could not read a work item; the schedule finds its run");
                continue;
            }
        };
        let end = match work(ports, &active, until).await {
            Ok(end) => end,
            Err(error) => {
                tracing::error!(map.id = %active.map, run.id = %active.run, %error, "could not work on a sync run; the schedule comes back to it");
                continue;
            }
        };
        let next = if let WorkEnd::GoesOn(due) = end { Some(due.to_string()) } else { None };
        tracing::info!(map.id = %active.map, run.id = %active.run, ?end, next, "worked on a sync run");
    }
    Ok(json!({}))
}

fn read_work_item(record: &Value) -> Result<ActiveRun, String> {
    let body = record["body"].as_str().ok_or("the message has no body")?;
    let body: Value = serde_json::from_str(body).map_err(|error| format!("the body is no JSON: {error}"))?;
    let text = |name: &str| body[name].as_str().ok_or(format!("the body has no text `{name}`"));
    Ok(ActiveRun { map: text("map")?.parse()?, run: text("run")?.parse()? })
}

/// A failure loses nothing: the schedule has another worker go on. The error is returned so that Lambda counts it.
fn retried<T>(result: Result<T, PortError>) -> Result<T, Error> {
    result.map_err(|error| {
        tracing::error!(%error, "could not work on a sync run; the schedule comes back to it");
        error.into()
    })
}
