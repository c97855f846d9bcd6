//! GET: the service, one record, the contacts.

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::contacts::{self, CONTACTS, Contact};
use super::super::flavor::Dialect;
use super::super::store;
use super::Incoming;
use super::address::entity_id;
use super::answer::{Answer, entity as to_json};
use super::error::ODataError;

/// Answers with the list of entity sets.
pub(super) fn service(app: &App, incoming: &Incoming) -> Answer {
    let contacts = (app.flavor.dialect == Dialect::Dataverse).then_some(contacts::ENTITY_SET);
    let sets = [app.flavor.entity_set].into_iter().chain(contacts);
    let sets: Vec<_> = sets.map(|set| json!({"name": set, "kind": "EntitySet", "url": set})).collect();
    let body = json!({"@odata.context": format!("{}/$metadata", incoming.base), "value": sets});
    Answer::new(StatusCode::OK, Some(body))
}

/// Answers with one record.
pub(super) fn entity(app: &App, incoming: &Incoming, key: &str) -> Result<Answer, ODataError> {
    let row = app.store.run(|db| store::load(db, key))?;
    let Some(fields) = &row.fields else {
        return Err(ODataError::missing(app.flavor));
    };
    let mut body = to_json(app.flavor, key, &row, fields);
    body["@odata.context"] = context(app, incoming);
    let id = entity_id(&incoming.base, app.flavor, key);
    Ok(Answer::new(StatusCode::OK, Some(body)).with("etag", row.etag()).with("odata-entityid", id))
}

/// The context URL of an entity in an answer.
pub(super) fn context(app: &App, incoming: &Incoming) -> Value {
    json!(format!("{}/$metadata#{}/$entity", incoming.base, app.flavor.entity_set))
}

/// Answers with one contact, or with all of them.
pub(super) fn contact(incoming: &Incoming, id: Option<&str>) -> Result<Answer, ODataError> {
    let to_json = |contact: &Contact| json!({contacts::ID: contact.id, contacts::NUMBER: contact.number, "fullname": contact.name});
    let context = format!("{}/$metadata#{}", incoming.base, contacts::ENTITY_SET);
    let body = match id {
        None => json!({"@odata.context": context, "value": CONTACTS.iter().map(to_json).collect::<Vec<_>>()}),
        Some(id) => {
            let does_not_exist = || ODataError::new(StatusCode::NOT_FOUND, "IdNotFound", "Contact Does Not Exist");
            let mut body = to_json(contacts::by_id(id).ok_or_else(does_not_exist)?);
            body["@odata.context"] = json!(format!("{context}/$entity"));
            body
        }
    };
    Ok(Answer::new(StatusCode::OK, Some(body)))
}

/// The value of a preference in the `Prefer` headers.
pub(super) fn preference(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .filter_map(|preference| preference.split_once('='))
        .find(|(found, _)| found.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim().trim_matches('"').to_owned())
}
