//! GET: one record, and all of them page by page.

use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::contacts::{self, CONTACTS, Contact};
use super::super::flavor::Dialect;
use super::super::store;
use super::Incoming;
use super::address::{encode, entity_id};
use super::answer::{Answer, entity as to_json};
use super::error::ODataError;

/// Most records in one page, whatever the caller would like.
const PAGE_MAX: u32 = 1_000;

/// The list of entity sets.
pub(super) fn service(app: &App, incoming: &Incoming) -> Answer {
    let contacts = (app.flavor.dialect == Dialect::Dataverse).then_some(contacts::ENTITY_SET);
    let sets = [app.flavor.entity_set].into_iter().chain(contacts);
    let sets: Vec<_> = sets.map(|set| json!({"name": set, "kind": "EntitySet", "url": set})).collect();
    let body = json!({"@odata.context": format!("{}/$metadata", incoming.base), "value": sets});
    Answer::new(StatusCode::OK, Some(body))
}

/// One record.
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

/// What says of which kind an entity is.
pub(super) fn context(app: &App, incoming: &Incoming) -> Value {
    json!(format!("{}/$metadata#{}/$entity", incoming.base, app.flavor.entity_set))
}

/// One contact, or all of them.
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

/// A page of records in order of their keys, with a link to the next.
///
/// As OData has it, `$top` bounds the whole result and `Prefer: odata.maxpagesize` the page.
pub(super) fn collection(app: &App, incoming: &Incoming) -> Result<Answer, ODataError> {
    let options = Options::parse(&incoming.query, page_size(&incoming.headers)?)?;
    // Without `cross-company` there are only those of the user's own company: none.
    let page_size = if incoming.sees_all { options.page_size } else { 0 };
    let limit = options.top.map_or(page_size, |top| top.min(page_size));
    let mut rows =
        app.store.run(|db| store::page(db, options.after.as_deref(), options.skip, limit.saturating_add(1)))?;
    let has_more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let values: Vec<Value> = rows
        .iter()
        .filter_map(|(key, row)| row.fields.as_ref().map(|fields| to_json(app.flavor, key, row, fields)))
        .collect();
    let mut body = json!({
        "@odata.context": format!("{}/$metadata#{}", incoming.base, app.flavor.entity_set),
        "value": values,
    });
    let top_left = options.top.map(|top| top - limit);
    if let (true, Some((last, _)), None | Some(1..)) = (has_more, rows.last(), top_left) {
        let token = encode(&format!("{}:{last}", options.page_size));
        let top = top_left.map(|top| format!("&$top={top}")).unwrap_or_default();
        let company = if app.flavor.dialect == Dialect::FinanceOperations { "&cross-company=true" } else { "" };
        let set = app.flavor.entity_set;
        body["@odata.nextLink"] = json!(format!("{}/{set}?$skiptoken={token}{top}{company}", incoming.base));
    }
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

fn page_size(headers: &HeaderMap) -> Result<u32, ODataError> {
    match preference(headers, "odata.maxpagesize").or_else(|| preference(headers, "maxpagesize")) {
        None => Ok(PAGE_MAX),
        Some(size) => Ok(number("odata.maxpagesize", &size)?.clamp(1, PAGE_MAX)),
    }
}

/// What part of the records is asked for.
struct Options {
    top: Option<u32>,
    skip: u32,
    /// The last key of the page before.
    after: Option<String>,
    page_size: u32,
}

impl Options {
    fn parse(query: &str, page_size: u32) -> Result<Self, ODataError> {
        let mut options = Self { top: None, skip: 0, after: None, page_size };
        let uri: Uri = format!("/?{query}").parse().map_err(|_| bad("The query cannot be read"))?;
        let axum::extract::Query(pairs) = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri)
            .map_err(|_| bad("The query cannot be read"))?;
        for (name, value) in pairs {
            match name.as_str() {
                "$top" => options.top = Some(number("$top", &value)?),
                "$skip" => options.skip = number("$skip", &value)?,
                "$skiptoken" => {
                    let (size, after) = value.split_once(':').ok_or_else(|| bad("$skiptoken is not one of ours"))?;
                    options.page_size = number("$skiptoken", size)?.clamp(1, PAGE_MAX);
                    options.after = Some(after.to_owned());
                }
                _ if name.starts_with('$') => return Err(bad(&format!("{name} is not supported"))),
                _ => {}
            }
        }
        Ok(options)
    }
}

fn number(name: &str, value: &str) -> Result<u32, ODataError> {
    value.parse().map_err(|_| bad(&format!("{name} must be a whole number, not negative")))
}

fn bad(message: &str) -> ODataError {
    ODataError::new(StatusCode::BAD_REQUEST, "BadQuery", message)
}
