//! Errors that the apps report themselves. Each line has its own answer: a bad one does not stop the others.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ErrorClass, LogId, Map, MapId, RecordKey, SideId, Timestamp,
    failure::shorten,
    limits::{MAX_ID_SKEW_MS, MAX_MESSAGE_CHARS},
    log::{ErrorDisposition, ErrorEvent, LoggedError, Order},
    side::Mistake,
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{AT_ONCE, IngestResult, evaluate_rules, touched};
use crate::ports::{AlertPorts, Config, Log, PortError};

/// Most lines of one request.
pub const MAX_LINES: usize = 1_000;
/// Longest id that an app may give an event.
const MAX_ID_CHARS: usize = 128;

/// An error as an app reports it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The app's own id of it: the same id is logged once.
    pub id: String,
    /// The map it concerns.
    pub map: MapId,
    /// The app that reports it.
    pub side: SideId,
    /// The record it concerns, if it does.
    #[serde(default)]
    pub key: Option<RecordKey>,
    /// What kind of error.
    #[serde(default = "application")]
    pub class: ErrorClass,
    /// The app's own code.
    #[serde(default)]
    pub code: Option<String>,
    /// What happened, in the app's own words.
    pub message: String,
    /// When it happened, RFC 3339. Rules count by the time at which it was reported.
    #[serde(default)]
    pub at: Option<String>,
}

fn application() -> ErrorClass {
    ErrorClass::Application
}

/// The result of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineResult {
    /// It is in the log.
    Logged(LogId),
    /// It was in the log already.
    Duplicate,
    /// It has a mistake.
    Refused(Mistake),
    /// It could not be stored: send it again.
    NotStored,
}

/// Logs the errors that apps report; returns one result for each line, in their order.
///
/// # Errors
/// The maps cannot be read: nothing was logged. A failure to evaluate rules is not such an error: the schedule evaluates
/// them, and [`IngestResult::not_judged`] says so.
pub async fn reported<P: AlertPorts>(
    ports: &P,
    lines: Vec<Result<Report, Mistake>>,
) -> Result<(Vec<LineResult>, IngestResult), PortError> {
    let now = ports.now();
    let mut maps: BTreeMap<MapId, Option<Map>> = BTreeMap::new();
    for report in lines.iter().flatten() {
        if !maps.contains_key(&report.map) {
            let found = ports.config().map(&report.map).await?.map(|map| map.map);
            maps.insert(report.map.clone(), found);
        }
    }
    let read: Vec<_> = lines.into_iter().map(|line| line.and_then(|report| error(report, &maps, now))).collect();
    let results = store_all(ports, &read).await;
    let new = |(line, result): (&Line, &LineResult)| match (line, result) {
        (Ok((error, _)), LineResult::Logged(_)) => Some(error.clone()),
        _ => None,
    };
    let logged: Vec<_> = read.iter().zip(&results).filter_map(new).collect();
    let mut done = IngestResult::default();
    for LoggedError { event, .. } in &logged {
        *done.errors.entry(event.class.as_str()).or_default() += 1;
    }
    let maps = touched(&logged);
    evaluate_rules(ports, &maps, &mut done).await;
    Ok((results, done))
}

/// A line that was read: the error, and the hash of the app's own id of it.
type Line = Result<(LoggedError, u128), Mistake>;

/// Stores lines, some at the same time; the results are in their order. A line waits for an earlier line with the same id,
/// so that always the later one is the duplicate.
async fn store_all<P: AlertPorts>(ports: &P, lines: &[Line]) -> Vec<LineResult> {
    let mut seen: BTreeSet<(&MapId, u128)> = BTreeSet::new();
    let again: Vec<bool> = lines
        .iter()
        .map(|line| line.as_ref().is_ok_and(|(error, hash)| !seen.insert((&error.event.map, *hash))))
        .collect();
    let mut firsts: Vec<BoxFuture<'_, Option<LineResult>>> = Vec::with_capacity(lines.len());
    for (line, again) in lines.iter().zip(again) {
        let first = async move {
            match line {
                Err(mistake) => Some(LineResult::Refused(mistake.clone())),
                Ok(_) if again => None,
                Ok((error, hash)) => Some(store(ports, error, *hash).await),
            }
        };
        firsts.push(first.boxed());
    }
    let firsts: Vec<_> = stream::iter(firsts).buffered(AT_ONCE).collect().await;
    let mut results = Vec::with_capacity(lines.len());
    for (line, first) in lines.iter().zip(firsts) {
        results.push(match (first, line) {
            (Some(result), _) => result,
            (None, Ok((error, hash))) => store(ports, error, *hash).await,
            (None, Err(mistake)) => LineResult::Refused(mistake.clone()),
        });
    }
    results
}

async fn store<P: AlertPorts>(ports: &P, error: &LoggedError, hash: u128) -> LineResult {
    let event = &error.event;
    let stored = match ports.log().note_noisy(&event.map, event.at).await {
        Ok(()) => ports.log().add_reported(error, hash).await,
        Err(error) => Err(error),
    };
    match stored {
        Ok(true) => LineResult::Logged(event.id),
        Ok(false) => LineResult::Duplicate,
        Err(why) => {
            tracing::error!(map.id = %event.map, error = %why, "could not log a reported error; its app is asked to send it again");
            LineResult::NotStored
        }
    }
}

fn error(report: Report, maps: &BTreeMap<MapId, Option<Map>>, now: Timestamp) -> Result<(LoggedError, u128), Mistake> {
    let mistake = |field: &str, message: &str| Mistake { field: field.to_owned(), message: message.to_owned() };
    let one_line = |text: &str, most: usize| {
        !text.trim().is_empty() && text.chars().count() <= most && !text.contains(char::is_control)
    };
    if !one_line(&report.id, MAX_ID_CHARS) {
        return Err(mistake("id", &format!("must be 1 to {MAX_ID_CHARS} characters on one line")));
    }
    let Some(map) = maps.get(&report.map).and_then(Option::as_ref) else {
        return Err(mistake("map", &format!("there is no map {}", report.map)));
    };
    if map.config.side_ix(&report.side).is_none() {
        return Err(mistake("side", &format!("map {} has no side {}", report.map, report.side)));
    }
    if report.message.trim().is_empty() {
        return Err(mistake("message", "must say what happened"));
    }
    let happened_at = match report.at.as_deref().map(Timestamp::parse) {
        None => None,
        Some(Err(says)) => return Err(mistake("at", &says)),
        Some(Ok(at)) if at > now.plus_ms(MAX_ID_SKEW_MS) => {
            return Err(mistake("at", &format!("{at} is in the future: check the app's clock")));
        }
        Some(Ok(at)) => Some(at),
    };
    let mut hash = [0; 16];
    let said = Sha256::new().chain_update(report.side.as_str()).chain_update(b"#").chain_update(&report.id);
    hash.copy_from_slice(&said.finalize()[..16]);
    let code = report.code.map(|code| shorten(&code, 100));
    let event = ErrorEvent {
        id: LogId::of(now, Order::Change(0), &[b"reported", report.map.as_str().as_bytes(), &hash]),
        at: now,
        happened_at,
        map: report.map,
        uid: map.uid,
        epoch: map.epoch,
        from: None,
        to: report.side,
        // As the record's lane has it, so that its next write resolves the error.
        key: report.key.map(|key| map.config.canonical_key(&key).unwrap_or(key)),
        entry: None,
        seq: None,
        write: Some(report.id),
        attempt: 1,
        class: report.class,
        code,
        message: shorten(&report.message, MAX_MESSAGE_CHARS),
        fate: ErrorDisposition::Reported,
        payload: None,
    };
    Ok((LoggedError::new(event), u128::from_be_bytes(hash)))
}

/// Reads a body: a JSON array, or one JSON object on each line. A line that cannot be read is a mistake of its own.
///
/// # Errors
/// Says what is wrong with the body as a whole.
pub fn lines(body: &[u8]) -> Result<Vec<Result<Report, Mistake>>, Mistake> {
    let whole = |message: String| Mistake { field: "body".to_owned(), message };
    let trimmed = body.trim_ascii();
    let values: Vec<Result<Value, Mistake>> = if trimmed.starts_with(b"[") {
        let all: Vec<Value> =
            serde_json::from_slice(trimmed).map_err(|error| whole(format!("is no JSON array: {error}")))?;
        all.into_iter().map(Ok).collect()
    } else {
        let lines = trimmed.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        lines.map(|line| serde_json::from_slice(line).map_err(|error| whole(format!("is no JSON: {error}")))).collect()
    };
    if values.is_empty() {
        return Err(whole("has no lines".to_owned()));
    }
    if values.len() > MAX_LINES {
        return Err(whole(format!("has {} lines; one request takes at most {MAX_LINES}", values.len())));
    }
    Ok(values.into_iter().map(|value| value.and_then(report)).collect())
}

fn report(value: Value) -> Result<Report, Mistake> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        let message = error.inner().to_string();
        Mistake { field: if field == "." { "line".to_owned() } else { field }, message }
    })
}
