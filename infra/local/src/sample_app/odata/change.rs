//! PATCH (upsert) and DELETE: apply, report, answer.

use axum::http::{HeaderMap, Method, StatusCode};
use rusqlite::Transaction;
use serde_json::Value;

use super::super::app::App;
use super::super::calls;
use super::super::record::{self, Fields, Row};
use super::super::report::{self, Delivery};
use super::super::store;
use super::address::entity_id;
use super::answer::{Answer, entity};
use super::conditions;
use super::error::ODataError;
use super::remembered;
use super::{Incoming, read, text};

/// Changes a record under its lock, and reports the change as a trigger would before it answers.
///
/// The app does not know who calls: a change that comes from Tandem is reported to Tandem as well.
pub(super) async fn run(app: &App, incoming: &Incoming, key: &str) -> Result<Answer, ODataError> {
    let change = match incoming.method {
        Method::PATCH => Some(parse_body(&incoming.headers, &incoming.body)?),
        _ => None,
    };
    let Some(_lock) = app.lock(key).await else {
        let error = ODataError::new(StatusCode::SERVICE_UNAVAILABLE, "RecordLocked", "The record is locked");
        return Err(error.with_header("retry-after", "1"));
    };
    let answer = app.store.transaction(|tx| apply(tx, app, incoming, key, change.as_ref()))?;
    // The change stands; a report that is not delivered now stays in the outbox.
    match report::deliver(app, key, app.patience.inline).await {
        Ok(Delivery::Done) => {}
        Ok(Delivery::Left { .. }) => app.reports_wait.notify_one(),
        Err(error) => tracing::error!(%error, "could not send the outbox"),
    }
    Ok(answer)
}

/// Everything a change does, in one transaction: record, outbox, kept answer and note.
fn apply(
    tx: &Transaction<'_>,
    app: &App,
    incoming: &Incoming,
    key: &str,
    change: Option<&Fields>,
) -> Result<Answer, ODataError> {
    let request = fingerprint(&incoming.method, key, change);
    let idempotency_key = incoming.call.idempotency_key.as_deref();
    if let Some(idempotency_key) = idempotency_key
        && let Some(answer) = remembered::find(tx, idempotency_key, &request)?
    {
        return Ok(answer);
    }
    let before = store::load(tx, key)?;
    conditions::check(&incoming.headers, &before)?;
    let fields = match change {
        Some(change) => Some(record::merge(app.flavor, key, before.fields.as_ref(), change)?),
        None if before.fields.is_none() => return Err(conditions::not_found()),
        None => None,
    };
    let after = Row { fields, version: before.version + 1 };
    store::save(tx, key, &after)?;
    app.note_report(tx, key, &before, &after)?;
    let mut answer = answer_to(app, incoming, key, &before, &after);
    if let Some(idempotency_key) = idempotency_key {
        remembered::keep(tx, idempotency_key, &request, &answer)?;
    }
    let status = (!incoming.drops_answer).then_some(answer.status);
    calls::add(tx, &calls::Call { status, applied: true, ..incoming.call.clone() })?;
    answer.applied = true;
    Ok(answer)
}

fn answer_to(app: &App, incoming: &Incoming, key: &str, before: &Row, after: &Row) -> Answer {
    let Some(fields) = &after.fields else {
        return Answer::new(StatusCode::NO_CONTENT, None);
    };
    let wants_entity = read::preference(&incoming.headers, "return").as_deref() == Some("representation");
    let answer = match (wants_entity, &before.fields) {
        (false, _) => Answer::new(StatusCode::NO_CONTENT, None),
        (true, None) => Answer::new(StatusCode::CREATED, Some(entity(app.flavor, key, after, fields))),
        (true, Some(_)) => Answer::new(StatusCode::OK, Some(entity(app.flavor, key, after, fields))),
    };
    let id = entity_id(&incoming.base, app.flavor, key);
    let answer = match wants_entity {
        true => answer.with("preference-applied", "return=representation".to_owned()),
        false => answer,
    };
    answer.with("etag", after.etag()).with("odata-entityid", id)
}

/// The request in one text, the same for the same request.
fn fingerprint(method: &Method, key: &str, change: Option<&Fields>) -> String {
    let body = change.map_or(Value::Null, |change| Value::Object(change.clone()));
    format!("{method} {key} {body}")
}

fn parse_body(headers: &HeaderMap, body: &[u8]) -> Result<Fields, ODataError> {
    let content_type = text(headers, "content-type").unwrap_or_default();
    if !content_type.to_ascii_lowercase().starts_with("application/json") {
        let message = "The body must be application/json";
        return Err(ODataError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", message));
    }
    let malformed = |why: String| ODataError::new(StatusCode::BAD_REQUEST, "MalformedBody", &why);
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(malformed("The body must be a JSON object".to_owned())),
        Err(error) => Err(malformed(format!("The body is not JSON: {error}"))),
    }
}
