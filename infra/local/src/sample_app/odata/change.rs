//! POST, PATCH and DELETE: the app applies the change, reports it, and answers.

use axum::http::{Method, StatusCode};
use rusqlite::Transaction;
use serde_json::Value;

use super::super::app::App;
use super::super::calls;
use super::super::flavor::Dialect;
use super::super::record::{self, Fields, Row};
use super::super::report::{self, Delivery};
use super::super::store;
use super::address::entity_id;
use super::answer::{Answer, entity};
use super::conditions;
use super::error::ODataError;
use super::remembered;
use super::{Incoming, bind, read, text};

/// A change that a caller asks for.
struct Change<'a> {
    key: &'a str,
    /// The new values. `None` deletes the record.
    fields: Option<Fields>,
}

/// Creates the record that the body describes. Its key is in the body.
pub(super) async fn create(app: &App, incoming: &mut Incoming) -> Result<Answer, ODataError> {
    let fields = parse_body(app, incoming)?;
    let key = fields.get(app.flavor.key).and_then(Value::as_str).unwrap_or_default().to_owned();
    incoming.call.key = Some(key.clone());
    record::check_key(app.flavor, &key)?;
    run(app, incoming, Change { key: &key, fields: Some(fields) }).await
}

/// Changes or deletes a record. Dataverse creates a missing one.
pub(super) async fn change(app: &App, incoming: &Incoming, key: &str) -> Result<Answer, ODataError> {
    record::check_key(app.flavor, key)?;
    let fields = match incoming.method {
        Method::PATCH => Some(parse_body(app, incoming)?),
        _ => None,
    };
    run(app, incoming, Change { key, fields }).await
}

/// Changes a record under its lock, and reports the change before it answers, as a trigger would.
///
/// The app reports changes by Tandem to Tandem, too, unless `reports_own_writes` is off.
async fn run(app: &App, incoming: &Incoming, change: Change<'_>) -> Result<Answer, ODataError> {
    let Some(_lock) = app.lock(change.key).await else {
        let error = ODataError::new(StatusCode::SERVICE_UNAVAILABLE, "RecordLocked", "The record is locked");
        return Err(error.with_header("retry-after", "1"));
    };
    let answer = app.store.transaction(|tx| apply(tx, app, incoming, &change))?;
    // The change is committed. A report that is not delivered now stays in the outbox.
    match report::deliver(app, change.key, app.patience.inline).await {
        Ok(Delivery::Done) => {}
        Ok(Delivery::Left { .. }) => app.reports_wait.notify_one(),
        Err(error) => tracing::error!(%error, "could not deliver the outbox; its reports stay there"),
    }
    Ok(answer)
}

/// Applies a change in one transaction: the record, its report, the answer for a repeat, and the line of the call log.
fn apply(tx: &Transaction<'_>, app: &App, incoming: &Incoming, change: &Change<'_>) -> Result<Answer, ODataError> {
    let (key, habits) = (change.key, app.switches.habits());
    let request = fingerprint(&incoming.method, change);
    let idempotency_key = incoming.call.idempotency_key.as_deref().filter(|_| habits.idempotency_keys);
    if let Some(idempotency_key) = idempotency_key
        && let Some(answer) = remembered::find(tx, idempotency_key, &request)?
    {
        return Ok(answer);
    }
    let before = store::load(tx, key)?;
    let upserts = app.flavor.dialect == Dialect::Dataverse && incoming.method == Method::PATCH;
    match before.fields.is_some() {
        true if incoming.method == Method::POST => return Err(ODataError::exists(app.flavor, key)),
        false if incoming.method != Method::POST && !upserts => return Err(ODataError::missing_for_change(app.flavor)),
        _ => conditions::check(app.flavor, &incoming.headers, key, &before)?,
    }
    let merged = change.fields.as_ref().map(|fields| record::merge(app.flavor, key, before.fields.as_ref(), fields));
    let after = app.stored(&Row { fields: merged.transpose()?, version: before.version + 1 });
    store::save(tx, key, &after)?;
    if habits.reports_own_writes {
        app.note_report(tx, key, &before, &after)?;
    }
    let mut answer = answer_to(app, incoming, key, &before, &after);
    if let Some(idempotency_key) = idempotency_key {
        remembered::keep(tx, idempotency_key, &request, &answer)?;
    }
    let status = (!incoming.drops_answer).then_some(answer.status);
    calls::add(tx, &calls::Call { status, applied: true, ..incoming.call.clone() })?;
    answer.applied = true;
    Ok(answer)
}

/// The answer to a change. Dataverse sends the entity tag only together with the record, and the record only if the
/// caller asks for it. Finance & Operations always returns a record that it has created.
fn answer_to(app: &App, incoming: &Incoming, key: &str, before: &Row, after: &Row) -> Answer {
    let Some(fields) = &after.fields else {
        return Answer::new(StatusCode::NO_CONTENT, None);
    };
    let preference = read::preference(&incoming.headers, "return");
    let prefers_entity = preference.as_deref() == Some("representation");
    let always = app.flavor.dialect == Dialect::FinanceOperations && incoming.method == Method::POST;
    let id = entity_id(&incoming.base, app.flavor, key);
    if !prefers_entity && !always {
        return Answer::new(StatusCode::NO_CONTENT, None).with("odata-entityid", id);
    }
    let status = if before.fields.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    let mut body = entity(app.flavor, key, after, fields);
    body["@odata.context"] = read::context(app, incoming);
    let answer = Answer::new(status, Some(body)).with("etag", after.etag()).with("odata-entityid", id);
    match prefers_entity {
        true => answer.with("preference-applied", "return=representation".to_owned()),
        false => answer,
    }
}

/// A text that is the same for equal requests.
fn fingerprint(method: &Method, change: &Change<'_>) -> String {
    let body = change.fields.clone().map_or(Value::Null, Value::Object);
    format!("{method} {} {body}", change.key)
}

fn parse_body(app: &App, incoming: &Incoming) -> Result<Fields, ODataError> {
    let content_type = text(&incoming.headers, "content-type").unwrap_or_default();
    if !content_type.to_ascii_lowercase().starts_with("application/json") {
        let message = "The body must be application/json";
        return Err(ODataError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message));
    }
    let malformed = |why: String| ODataError::new(StatusCode::BAD_REQUEST, "MalformedBody", &why);
    match serde_json::from_slice(&incoming.body) {
        Ok(Value::Object(fields)) if app.flavor.dialect == Dialect::Dataverse => bind::resolved(app.flavor, fields),
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(malformed("The body must be a JSON object".to_owned())),
        Err(error) => Err(malformed(format!("The body is not JSON: {error}"))),
    }
}
