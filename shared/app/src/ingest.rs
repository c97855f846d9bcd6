//! `log-ingest`'s use case: it logs the events of the table's stream, evaluates the rules of the maps concerned, and
//! notifies other programs.

mod publish;
mod reported;

use std::collections::BTreeMap;

use domain::{
    MapId, Timestamp,
    log::{LogEvent, LoggedError, Resolution},
    rule::Rule,
};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};

pub use self::reported::{LineResult, MAX_LINES, Report, lines, reported};
use crate::{
    alerts::{act, evaluate_map},
    ports::{AlertPorts, Alerts, EventPorts, Events, Log, PortError},
};

/// Events logged at the same time.
const AT_ONCE: usize = 16;

/// Figures of one batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IngestResult {
    /// Errors that are new in the log, by class.
    pub errors: BTreeMap<&'static str, u64>,
    /// Lines that are new in the activity log.
    pub activities: u64,
    /// Errors that were resolved.
    pub resolved: u64,
    /// Incidents that were opened.
    pub incidents: u64,
    /// Milliseconds from the last counted error to the pause, of each incident that paused a map.
    pub paused_after_ms: Vec<u64>,
    /// Why something that was logged was not evaluated, or not acted upon.
    pub not_judged: Vec<PortError>,
    /// Events that were not published.
    pub unpublished: u64,
}

/// Logs events, then evaluates rules and publishes. The same events may come again, in part or as a whole.
///
/// # Errors
/// Something could not be stored: the whole batch must come again. A failure to evaluate or to publish is not such an
/// error, because a rule or a map that cannot be read must not keep anything out of the log; [`IngestResult`] counts it.
pub async fn ingest<P: EventPorts>(ports: &P, events: &[LogEvent]) -> Result<IngestResult, PortError> {
    let mut done = IngestResult::default();
    let errors: Vec<_> = events.iter().filter_map(error).collect();
    log_errors(ports, &errors, &mut done).await?;
    // After the errors of the batch: they may be among those that are resolved.
    let mut resolved: Vec<BoxFuture<'_, _>> = Vec::new();
    let mut lines: Vec<BoxFuture<'_, _>> = Vec::new();
    for event in events {
        match event {
            LogEvent::Error(_) => {}
            LogEvent::Resolved(resolution) => {
                let resolution = with_those_of(&errors, resolution);
                resolved.push(async move { ports.log().resolve(&resolution).await }.boxed());
            }
            LogEvent::Activity(line) => lines.push(ports.log().add_activity(line).boxed()),
        }
    }
    done.resolved += run_all(resolved).await?.into_iter().sum::<u64>();
    done.activities += run_all(lines).await?.into_iter().map(u64::from).sum::<u64>();
    evaluate_rules(ports, &touched(&errors), &mut done).await;
    let published = publish::events(events);
    if !published.is_empty()
        && let Err(error) = ports.events().publish(&published).await
    {
        tracing::error!(events = published.len(), %error, "could not publish events; other programs do not get them");
        done.unpublished += published.len() as u64;
    }
    Ok(done)
}

fn error(event: &LogEvent) -> Option<LoggedError> {
    match event {
        LogEvent::Error(error) => Some(LoggedError::new((**error).clone())),
        LogEvent::Resolved(_) | LogEvent::Activity(_) => None,
    }
}

/// Adds the batch's own errors of the record. They were logged a moment ago: the index may not have them yet, and the
/// head names only the last few.
fn with_those_of(errors: &[LoggedError], resolution: &Resolution) -> Resolution {
    let mut resolution = resolution.clone();
    for LoggedError { event, .. } in errors {
        let of_record = event.map == resolution.map && event.key.as_ref() == Some(&resolution.key);
        let named = (event.id, event.class);
        if of_record && event.at <= resolution.at && !resolution.last.contains(&named) {
            resolution.last.push(named);
        }
    }
    resolution
}

/// The maps of some errors, each with the time of its first one and of its last.
fn touched(errors: &[LoggedError]) -> BTreeMap<MapId, (Timestamp, Timestamp)> {
    let mut maps: BTreeMap<MapId, (Timestamp, Timestamp)> = BTreeMap::new();
    for LoggedError { event, .. } in errors {
        let (first, last) = maps.entry(event.map.clone()).or_insert((event.at, event.at));
        (*first, *last) = ((*first).min(event.at), (*last).max(event.at));
    }
    maps
}

async fn log_errors<P: AlertPorts>(
    ports: &P,
    errors: &[LoggedError],
    done: &mut IngestResult,
) -> Result<(), PortError> {
    for (map, (_, last)) in touched(errors) {
        ports.log().note_noisy(&map, last).await?;
    }
    let mut adds: Vec<BoxFuture<'_, _>> = Vec::new();
    for error in errors {
        adds.push(ports.log().add_error(error).boxed());
    }
    let new = run_all(adds).await?;
    for (error, _) in errors.iter().zip(new).filter(|(_, new)| *new) {
        *done.errors.entry(error.event.class.as_str()).or_default() += 1;
    }
    Ok(())
}

/// Runs many futures, some at the same time; the results are in order.
async fn run_all<T>(things: Vec<BoxFuture<'_, Result<T, PortError>>>) -> Result<Vec<T>, PortError> {
    let done: Vec<_> = stream::iter(things).buffered(AT_ONCE).collect().await;
    done.into_iter().collect()
}

/// Evaluates the rules of these maps, and acts at once; mail comes later. A failure in one map stops no other map, and is
/// left to the schedule.
async fn evaluate_rules<P: AlertPorts>(
    ports: &P,
    maps: &BTreeMap<MapId, (Timestamp, Timestamp)>,
    done: &mut IngestResult,
) {
    if maps.is_empty() {
        return;
    }
    let rules = match ports.alerts().rules().await {
        Ok(rules) => rules,
        Err(error) => {
            tracing::error!(%error, "could not read the rules; the schedule evaluates them");
            done.not_judged.push(error);
            return;
        }
    };
    for (id, (first, _)) in maps.iter().filter(|(id, _)| rules.iter().any(|rule| rule.config.watches(id))) {
        if let Err(error) = act_on_breaches(ports, &rules, id, *first, done).await {
            tracing::error!(map.id = %id, %error, "could not evaluate the rules of a map; the schedule evaluates them");
            done.not_judged.push(error);
        }
    }
}

/// Evaluates the rules of one map, and does the actions that are due.
async fn act_on_breaches<P: AlertPorts>(
    ports: &P,
    rules: &[Rule],
    id: &MapId,
    from: Timestamp,
    done: &mut IngestResult,
) -> Result<(), PortError> {
    for incident in evaluate_map(ports, rules, id, from).await? {
        done.incidents += 1;
        let acted = act(ports, &incident).await?;
        done.paused_after_ms.extend(incident.paused_after_ms(&acted));
    }
    Ok(())
}

impl IngestResult {
    /// Adds the figures of another batch.
    pub fn add(&mut self, other: Self) {
        for (class, count) in other.errors {
            *self.errors.entry(class).or_default() += count;
        }
        self.activities += other.activities;
        self.resolved += other.resolved;
        self.incidents += other.incidents;
        self.paused_after_ms.extend(other.paused_after_ms);
        self.not_judged.extend(other.not_judged);
        self.unpublished += other.unpublished;
    }
}
