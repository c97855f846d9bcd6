//! Parse, one call, answer.

use app::{
    Ports,
    backlog_age::oldest,
    drain::{Drained, LaneRun, drain_map, named_lane, run_lane, sweep},
    ports::{Config, PortError, Queues, SyncMap},
};
use aws::metrics::{Metrics, Unit};
use domain::Timestamp;
use lambda_runtime::Error;
use serde_json::{Value, json};

/// No new entry is begun in the last part of an invocation: its calls and their settlement must fit in.
const RESERVE_MS: u64 = 60_000;

/// The time until which the run may start entries. `deadline` is Lambda's, in milliseconds since 1970.
pub(crate) fn time_limit(deadline: u64) -> Timestamp {
    Timestamp(deadline).minus_ms(RESERVE_MS)
}

/// Continues the lane or the map that the event names, or every waiting lane.
pub(crate) async fn handle<P: Ports>(ports: &P, event: &Value, until: Timestamp) -> Result<Value, Error> {
    match wanted(event)? {
        Wanted::Lane { map, key } => {
            let lane = named_lane(&map, &key)?;
            let LaneRun { end, attempts, archived, .. } = retried(run_lane(ports, &lane, until).await)?;
            tracing::info!(map.id = %lane.map, attempts, archived, end = ?end, "a lane was worked on");
            Ok(json!({ "attempts": attempts }))
        }
        Wanted::Sweep => {
            let swept = retried(sweep(ports, until).await)?;
            measure(ports).await;
            Ok(told("swept", None, &swept))
        }
        Wanted::Map(map) => {
            let id = map.parse().map_err(|says| format!("map {says}"))?;
            Ok(told("a backlog was worked on", Some(&map), &retried(drain_map(ports, &id, until).await)?))
        }
    }
}

/// Emits the depth and age of the backlog of each map that queues or replays changes. Omits figures that
/// it cannot read.
async fn measure<P: Ports>(ports: &P) {
    let Ok(maps) = ports.config().maps().await else { return };
    let mut oldest_ms = 0; // of all maps: what an alarm looks at
    for SyncMap { map, .. } in maps.into_iter().filter(|map| map.state.queues()) {
        let mut metrics = Metrics::of(&[("Map", map.id.as_str())]);
        if let Ok(Some(depth)) = ports.queues().depth(&map).await {
            metrics = metrics.add("QueueDepth", depth, Unit::Count);
        }
        if let Ok(Some(oldest)) = oldest(ports, &map).await {
            let age_ms = ports.now().ms_since(oldest.accepted_at);
            oldest_ms = age_ms.max(oldest_ms);
            metrics = metrics.add("QueueAge", age_ms, Unit::Milliseconds);
        }
        metrics.emit();
    }
    Metrics::of(&[]).add("QueueAge", oldest_ms, Unit::Milliseconds).emit();
}

fn told(what: &str, map: Option<&str>, drained: &Drained) -> Value {
    let Drained { lanes, attempts, archived, idle, failing, parked, cut_short, .. } = *drained;
    tracing::info!(map.id = map, lanes, attempts, archived, idle, failing, parked, cut_short, "{what}");
    json!({ "lanes": lanes, "attempts": attempts, "archived": archived })
}

enum Wanted {
    Map(String),
    Lane { map: String, key: String },
    Sweep,
}

fn wanted(event: &Value) -> Result<Wanted, Error> {
    let text = |at: &str| event.pointer(at).and_then(Value::as_str).map(str::to_owned);
    match text("/detail-type").as_deref() {
        Some(aws::LANE_WAITING) => {
            let (Some(map), Some(key)) = (text("/detail/map"), text("/detail/key")) else {
                return Err("the event names no map and key".into());
            };
            Ok(Wanted::Lane { map, key })
        }
        Some(aws::MAP_WAITING) => match text("/detail/map") {
            Some(map) => Ok(Wanted::Map(map)),
            None => Err("the event names no map".into()),
        },
        Some("Scheduled Event") => Ok(Wanted::Sweep),
        _ => Err("the event is neither `Lane Waiting` nor `Map Waiting` nor a schedule's".into()),
    }
}

/// A failure loses nothing: the next sweep finds the rest. The error is returned so that Lambda counts it.
fn retried<T>(result: Result<T, PortError>) -> Result<T, Error> {
    result.map_err(|error| {
        tracing::error!(%error, "could not work on some lanes; the next sweep comes back to them");
        error.into()
    })
}
