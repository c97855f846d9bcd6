//! GET: one record, and all of them page by page.

use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::{Value, json};

use super::super::app::App;
use super::super::store;
use super::address::{encode, entity_id};
use super::answer::{Answer, entity as to_json};
use super::error::ODataError;
use super::{Incoming, conditions};

/// Most records in one page, whatever the caller would like.
const PAGE_MAX: u32 = 1_000;

/// The list of entity sets.
pub(super) fn service(app: &App, incoming: &Incoming) -> Answer {
    let set = app.flavor.entity_set;
    let body = json!({
        "@odata.context": format!("{}/$metadata", incoming.base),
        "value": [{"name": set, "kind": "EntitySet", "url": set}],
    });
    Answer::new(StatusCode::OK, Some(body))
}

/// One record.
pub(super) fn entity(app: &App, incoming: &Incoming, key: &str) -> Result<Answer, ODataError> {
    let row = app.store.run(|db| store::load(db, key))?;
    let Some(fields) = &row.fields else {
        return Err(conditions::not_found());
    };
    let mut body = to_json(app.flavor, key, &row, fields);
    body["@odata.context"] = json!(format!("{}/$metadata#{}/$entity", incoming.base, app.flavor.entity_set));
    let id = entity_id(&incoming.base, app.flavor, key);
    Ok(Answer::new(StatusCode::OK, Some(body)).with("etag", row.etag()).with("odata-entityid", id))
}

/// A page of records in order of their keys, with a link to the next.
///
/// As OData has it, `$top` bounds the whole result and `Prefer: odata.maxpagesize` the page.
pub(super) fn collection(app: &App, incoming: &Incoming) -> Result<Answer, ODataError> {
    let options = Options::parse(&incoming.query, page_size(&incoming.headers)?)?;
    let limit = options.top.map_or(options.page_size, |top| top.min(options.page_size));
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
        body["@odata.nextLink"] = json!(format!("{}/{}?$skiptoken={token}{top}", incoming.base, app.flavor.entity_set));
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
