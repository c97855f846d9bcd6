//! The table's stream. A record that cannot be read or logged is put aside and does not block the others.

use app::{
    ingest::{IngestResult, ingest},
    ports::{EventPorts, FailedEvent, Log, PortError},
};
use aws::{
    metrics::{Metrics, Unit},
    outbox,
};
use domain::{
    LogId, Timestamp,
    log::{LogEvent, Order},
};
use serde::Deserialize;
use serde_json::{Value, json};

/// How long the stream redelivers logged events that could not be judged or published. An unreadable map or a failing
/// bus must not keep later events out of the log. A store that does not answer keeps them out anyway: the function
/// waits for it.
const AGAIN_FOR_MS: u64 = 60_000;

/// A record of the stream, as far as it is read.
#[derive(Deserialize)]
struct Record {
    dynamodb: Change,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Change {
    sequence_number: String,
    /// Seconds since 1970.
    #[serde(default)]
    approximate_creation_date_time: Option<f64>,
    #[serde(default)]
    keys: Value,
    #[serde(default)]
    new_image: Value,
}

/// What a record carries.
struct Carried {
    sequence: String,
    /// The key of the item.
    source: String,
    /// When the item was changed.
    at: Option<Timestamp>,
    events: Result<Vec<LogEvent>, String>,
}

/// Logs a batch. The answer names the first record that the stream must redeliver, with all after it.
pub(crate) async fn handle<P: EventPorts>(ports: &P, event: &Value) -> Value {
    let records = event["Records"].as_array().map(Vec::as_slice).unwrap_or_default();
    let carried: Vec<_> = records.iter().map(carried).collect();
    let mut all = Vec::new();
    for one in &carried {
        all.extend(one.events.iter().flatten().cloned());
    }
    let mut done = IngestResult::default();
    let again = match ingest(ports, &all).await {
        Ok(ingested) => {
            done = ingested;
            let aside = put_aside_unreadable(ports, &carried).await;
            let first = carried.first().filter(|first| comes_again(first, &done, ports.now()));
            first.map(|first| first.sequence.clone()).or(aside)
        }
        Err(error) => {
            tracing::warn!(records = records.len(), %error, "could not log a batch as a whole; each record is logged alone");
            one_by_one(ports, &carried, &mut done).await
        }
    };
    tell(&done, records.len());
    let failures: Vec<_> = again.into_iter().map(|sequence| json!({ "itemIdentifier": sequence })).collect();
    json!({ "batchItemFailures": failures })
}

fn comes_again(first: &Carried, done: &IngestResult, now: Timestamp) -> bool {
    let young = first.at.is_some_and(|at| now.ms_since(at) < AGAIN_FOR_MS);
    let passes = done.not_judged.iter().any(|error| matches!(error, PortError::Transient(_)));
    passes || (young && (!done.not_judged.is_empty() || done.unpublished > 0))
}

fn carried(record: &Value) -> Carried {
    let read = Record::deserialize(record);
    let sequence = record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default().to_owned();
    let Ok(Record { dynamodb }) = read else {
        let says = "is no record of a stream".to_owned();
        return Carried { sequence, source: "unknown".to_owned(), at: None, events: Err(says) };
    };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds since 1970")]
    let at = dynamodb.approximate_creation_date_time.map(|seconds| Timestamp((seconds * 1_000.0) as u64));
    let key = |name: &str| dynamodb.keys[name]["S"].as_str().unwrap_or("?").to_owned();
    let events = match dynamodb.new_image["outbox"]["S"].as_str() {
        Some(text) => outbox::read(text),
        None => Ok(Vec::new()), // the filter lets none through; should it be taken away, nothing is to be logged
    };
    Carried { sequence: dynamodb.sequence_number, source: format!("{} / {}", key("pk"), key("sk")), at, events }
}

/// Logs the records one by one, in order, until one must be delivered again.
async fn one_by_one<P: EventPorts>(ports: &P, carried: &[Carried], done: &mut IngestResult) -> Option<String> {
    for one in carried {
        let result = match &one.events {
            Ok(events) => ingest(ports, events).await.map(|ingested| done.add(ingested)),
            Err(says) => put_aside(ports, one, says).await,
        };
        let result = match result {
            Err(PortError::Permanent(says)) => put_aside(ports, one, &says).await,
            result => result,
        };
        if let Err(error) = result {
            tracing::error!(%error, "could not log a record; the stream delivers it again");
            return Some(one.sequence.clone());
        }
    }
    None
}

async fn put_aside_unreadable<P: EventPorts>(ports: &P, carried: &[Carried]) -> Option<String> {
    for one in carried {
        if let Err(says) = &one.events
            && let Err(error) = put_aside(ports, one, says).await
        {
            tracing::error!(%error, "could not move an unreadable record to the failed events; the stream delivers it again");
            return Some(one.sequence.clone());
        }
    }
    None
}

async fn put_aside<P: EventPorts>(ports: &P, one: &Carried, says: &str) -> Result<(), PortError> {
    let at = ports.now();
    tracing::error!(source = one.source, says, "could not log a record; it was moved to the failed events");
    let id = LogId::of(at, Order::Change(0), &[b"failed", one.sequence.as_bytes()]);
    let says = domain::failure::shorten(says, domain::limits::MAX_MESSAGE_CHARS);
    ports.log().add_failed(&FailedEvent { id, at, source: one.source.clone(), says }).await?;
    Metrics::of(&[]).add("PutAside", 1, Unit::Count).emit();
    Ok(())
}

/// What is counted of a run.
pub(crate) fn tell(done: &IngestResult, records: usize) {
    let errors: u64 = done.errors.values().sum();
    tracing::info!(
        records,
        errors,
        activities = done.activities,
        resolved = done.resolved,
        incidents = done.incidents,
        "logged"
    );
    for (class, count) in &done.errors {
        Metrics::of(&[("Class", class)]).add("Errors", *count, Unit::Count).emit();
    }
    for ms in &done.paused_after_ms {
        Metrics::of(&[]).add("ErrorToPause", *ms, Unit::Milliseconds).emit();
    }
    if !done.not_judged.is_empty() {
        Metrics::of(&[]).add("NotEvaluated", done.not_judged.len() as u64, Unit::Count).emit();
    }
    if done.unpublished > 0 {
        Metrics::of(&[]).add("Unpublished", done.unpublished, Unit::Count).emit();
    }
    if done.incidents > 0 {
        Metrics::of(&[]).add("Incidents", done.incidents, Unit::Count).emit();
    }
}
