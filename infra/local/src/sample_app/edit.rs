//! A person's change. The app asks Tandem before it commits, and rolls back when Tandem refuses.

use axum::http::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::app::{App, SharedApp};
use super::field::Refusal;
use super::outbox;
use super::record::{self, Fields, Row};
use super::report::{self, Delivery};
use super::settings::{Link, Settings};
use super::store;
use super::tandem::{Answer, Mode, Verdict, Write};
use super::wording;

/// Most times that the app sends an edit to Tandem when it gets no answer.
const TRIES_MAX: u32 = 3;

/// A change that a person asks for.
#[derive(Debug)]
pub(super) struct Edit {
    /// The key of the record.
    pub(super) key: String,
    /// The new values. `None` deletes the record.
    pub(super) change: Option<Fields>,
}

/// The answer to a change that was committed.
#[derive(Debug)]
pub(super) struct Saved {
    /// The write id; none when the app is not connected to Tandem.
    pub(super) id: Option<String>,
    /// Tandem's answer, or null.
    pub(super) tandem: Value,
    /// The message for the person.
    pub(super) message: String,
}

/// The answer to a change that was rolled back.
#[derive(Debug)]
pub(super) struct NotSaved {
    /// 422 when it was refused, 409 when the person may try again later, 500 when the database failed.
    pub(super) status: StatusCode,
    /// The message for the person.
    pub(super) error: String,
    /// The problem document of Tandem or of the app itself, or null.
    pub(super) problem: Value,
}

impl NotSaved {
    fn later(error: String, problem: Value) -> Self {
        Self { status: StatusCode::CONFLICT, error, problem }
    }
}

impl From<rusqlite::Error> for NotSaved {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "could not use the database; the edit was not saved");
        let error = "Not saved: the database failed".to_owned();
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, error, problem: Value::Null }
    }
}

impl From<Refusal> for NotSaved {
    fn from(refusal: Refusal) -> Self {
        let problem = json!({"code": refusal.code, "target": refusal.target, "detail": refusal.message});
        let error = format!("Not saved: {}", refusal.message);
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, error, problem }
    }
}

/// Makes the change in a task of its own, so that a person who closes the page does not stop it half-way.
pub(super) async fn save(app: SharedApp, edit: Edit) -> Result<Saved, NotSaved> {
    let ended = tokio::spawn(async move { save_here(&app, edit).await }).await;
    ended.unwrap_or_else(|_| Err(NotSaved::later("Not saved: the app is stopping".to_owned(), Value::Null)))
}

async fn save_here(app: &App, edit: Edit) -> Result<Saved, NotSaved> {
    let key = edit.key.as_str();
    record::check_key(app.flavor, key)?;
    let Some(_lock) = app.lock(key).await else {
        return Err(NotSaved::later(format!("Not saved: {key} is being changed by someone else"), Value::Null));
    };
    // Tandem must get the changes of one record in the order in which they were made.
    if let Delivery::Left { why, .. } = report::deliver(app, key, app.patience.answer).await? {
        app.reports_wait.notify_one();
        return Err(NotSaved::later(wording::earlier_change_waits(&why), Value::Null));
    }
    let before = app.store.run(|db| store::load(db, key))?;
    let after = next_row(app, key, &before, edit.change.as_ref())?;
    match app.store.run(Settings::load)?.link() {
        Some(link) => save_with_tandem(app, &link, key, &before, &after).await,
        None => {
            app.store.run(|db| store::save(db, key, &app.stored(&after)))?;
            let message = wording::saved_here_only(after.fields.is_none());
            Ok(Saved { id: None, tandem: Value::Null, message })
        }
    }
}

fn next_row(app: &App, key: &str, before: &Row, change: Option<&Fields>) -> Result<Row, Refusal> {
    let fields = match change {
        Some(change) => Some(record::merge(app.flavor, key, before.fields.as_ref(), change)?),
        None if before.fields.is_none() => {
            let message = format!("there is no {} {key}", app.flavor.noun);
            return Err(Refusal { code: "NotFound", target: None, message });
        }
        None => None,
    };
    Ok(Row { fields, version: before.version + 1 })
}

async fn save_with_tandem(app: &App, link: &Link, key: &str, before: &Row, after: &Row) -> Result<Saved, NotSaved> {
    // If Tandem does not answer, the record keeps its fields, under a version later than the one that was tried.
    let restored = Row { fields: before.fields.clone(), version: after.version + 1 };
    let restore = app.write(key, after, &restored, Mode::Committed);
    let note = app.store.run(|db| outbox::begin_doubt(db, &restore))?;
    // The values as the person entered them: an app that tidies does so only when it stores them.
    let write = app.write(key, before, after, Mode::Sync);
    let (id, answer, may_be_written) = ask(app, link, &write).await;
    if answer.verdict == Verdict::Taken {
        // Stands for other work in the same transaction. Until it commits, others read the record as it was.
        sleep(app.switches.habits().commit_delay()).await;
        app.store.transaction(|tx| {
            store::save(tx, key, &app.stored(after))?;
            outbox::remove(tx, note)
        })?;
        let message = wording::saved(&app.other_name, &answer.body, after.fields.is_none());
        return Ok(Saved { id: Some(id), tandem: answer.body, message });
    }
    if may_be_written {
        app.store.transaction(|tx| outbox::doubt(tx, note, &app.tandem.new_id()))?;
        app.reports_wait.notify_one();
    } else {
        app.store.run(|db| outbox::remove(db, note))?;
    }
    let error = wording::not_saved(&app.other_name, &answer, may_be_written);
    let refused = answer.verdict == Verdict::Refused;
    let status = if refused { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CONFLICT };
    Err(NotSaved { status, error, problem: answer.body })
}

/// Sends the write until there is a final answer, as long as `patience.edit` lasts, and at most [`TRIES_MAX`] times
/// without an answer. Returns the write's id, the last answer, and whether Tandem may have written the change.
async fn ask(app: &App, link: &Link, write: &Write) -> (String, Answer, bool) {
    let deadline = Instant::now() + app.patience.edit;
    let mut id = app.tandem.new_id();
    let mut renewed = false;
    let mut tries = 0;
    let mut may_be_written = false;
    loop {
        let time_left = deadline.saturating_duration_since(Instant::now());
        let answer = app.tandem.send(link, &id, write, app.patience.answer.min(time_left)).await;
        match answer.verdict {
            Verdict::Taken => return (id, answer, true),
            // A final answer for this id, whatever became of earlier calls.
            Verdict::Refused | Verdict::NotKept => return (id, answer, false),
            Verdict::IdTooOld if renewed || may_be_written => return (id, answer, may_be_written),
            Verdict::IdTooOld => {
                id = app.tandem.new_id();
                renewed = true;
                continue;
            }
            Verdict::InProgress => may_be_written = true,
            Verdict::NotNow => tries += 1,
            Verdict::Unknown => {
                tries += 1;
                may_be_written = true;
            }
        }
        let pause = answer.retry_after.unwrap_or_default().max(app.patience.pause);
        if tries >= TRIES_MAX || Instant::now() + pause >= deadline {
            return (id, answer, may_be_written);
        }
        sleep(pause).await;
    }
}
