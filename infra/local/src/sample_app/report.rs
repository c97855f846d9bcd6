//! Delivers the outbox: the app's trigger, which reports committed changes to Tandem.

use std::time::Duration;

use super::app::{App, SharedApp};
use super::outbox::{self, Report};
use super::settings::Settings;
use super::tandem::{Answer, Verdict};

/// Most records in one round.
const KEYS_PER_ROUND: u32 = 200;
/// Longest time between two rounds, in case a wake-up is lost.
const IDLE: Duration = Duration::from_secs(30);
/// Longest `Retry-After` that the app obeys.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(30);

/// Whether a record has reports left to deliver.
#[derive(Debug)]
pub(super) enum Delivery {
    /// It has none.
    Done,
    /// It has some.
    Left {
        /// Why they could not be delivered.
        why: String,
        /// Whether Tandem gave no answer at all. Then the round need not try other records.
        silent: bool,
        /// Wait before the next try.
        pause: Duration,
    },
}

/// Delivers a record's reports in order, up to the first one without a final answer. The caller must hold the record's
/// lock.
pub(super) async fn deliver(app: &App, key: &str, timeout: Duration) -> rusqlite::Result<Delivery> {
    while let Some(report) = app.store.run(|db| outbox::next(db, key))? {
        let Some(link) = app.store.run(Settings::load)?.link() else {
            let why = "not connected to Tandem".to_owned();
            return Ok(Delivery::Left { why, silent: true, pause: app.patience.pause });
        };
        let answer = app.tandem.send(&link, &report.id, &report.write, timeout).await;
        match answer.verdict {
            Verdict::Taken => app.store.run(|db| outbox::remove(db, report.seq))?,
            // Tandem refuses this id only for its age. It has never seen the write, or executed it long ago: the
            // write's version makes a second delivery harmless.
            Verdict::IdTooOld if !report.renewed => {
                app.store.run(|db| outbox::renew(db, report.seq, &app.tandem.new_id()))?;
            }
            Verdict::Refused | Verdict::IdTooOld => {
                tracing::warn!(
                    app.name = app.flavor.name,
                    write.id = report.id,
                    "Tandem refused a report; it stays in the outbox for people to see"
                );
                app.store.run(|db| outbox::failed(db, report.seq, &answer.why))?;
            }
            Verdict::NotKept | Verdict::InProgress | Verdict::NotNow | Verdict::Unknown => {
                return left(app, &report, answer);
            }
        }
    }
    Ok(Delivery::Done)
}

fn left(app: &App, report: &Report, answer: Answer) -> rusqlite::Result<Delivery> {
    app.store.run(|db| outbox::attempted(db, report.seq, &answer.why))?;
    let pause = answer.retry_after.unwrap_or_default().clamp(app.patience.pause, RETRY_AFTER_MAX);
    Ok(Delivery::Left { silent: answer.verdict == Verdict::Unknown && answer.body.is_null(), why: answer.why, pause })
}

/// Delivers the reports that are still waiting, until the app stops.
pub(super) async fn run_in_background(app: SharedApp) {
    loop {
        let wait = match round(&app).await {
            Ok(wait) => wait,
            Err(error) => {
                tracing::error!(app.name = app.flavor.name, %error, "could not read the outbox; the app tries again");
                Some(IDLE)
            }
        };
        match wait {
            Some(pause) => tokio::time::sleep(pause).await,
            None => drop(tokio::time::timeout(IDLE, app.reports_wait.notified()).await),
        }
    }
}

/// Tries once to deliver the reports of each record. Returns the wait before the next round if any are left.
async fn round(app: &App) -> rusqlite::Result<Option<Duration>> {
    let mut wait = None;
    for key in app.store.run(|db| outbox::waiting_keys(db, KEYS_PER_ROUND))? {
        let Some(_lock) = app.lock(&key).await else { continue };
        if let Delivery::Left { silent, pause, .. } = deliver(app, &key, app.patience.answer).await? {
            wait = wait.max(Some(pause));
            if silent {
                break;
            }
        }
    }
    Ok(wait)
}
