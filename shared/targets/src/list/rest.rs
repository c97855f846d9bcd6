//! Lists of REST apps. The side's settings describe them.

use domain::{
    Failure, Record,
    listing::Listing,
    side::{Connector, ConnectorKind, ListMethod, NextPage, SideConfig},
};
use reqwest::{Method, header::HeaderMap};
use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{Frame, envelope::Envelope, link, place::Place, unusable};
use crate::{
    path::{self, encode},
    plan::{self, Request, not_callable},
};

/// Members in which REST apps put the records of a list.
const LISTS: [&str; 8] = ["value", "data", "items", "results", "records", "content", "rows", "_items"];
/// Why nothing is listed.
const NO_NEXT: &str = "connector.list.next is not set: without it Tandem would take the first page for all records";

pub(super) fn plan(side: &SideConfig, listing: &Listing, place: &Place, size: u32) -> Result<Request, Failure> {
    let list = &side.connector.list;
    let next = list.next.as_ref().ok_or_else(|| not_callable(NO_NEXT))?;
    let mut parameters: Vec<(String, Value)> = Vec::new();
    for filter in &listing.filters {
        let pairs = form_urlencoded::parse(filter.as_bytes());
        parameters.extend(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))));
    }
    if let Some(name) = list.size_parameter() {
        parameters.push((name.to_owned(), size.into()));
    }
    match (place, next) {
        (Place::Token(token), NextPage::Token { parameter, .. }) => {
            parameters.push((parameter.clone(), token.clone().into()));
        }
        (Place::Start, NextPage::Page { parameter, first }) => parameters.push((parameter.clone(), (*first).into())),
        (Place::Page(page), NextPage::Page { parameter, .. }) => parameters.push((parameter.clone(), (*page).into())),
        (Place::Start, NextPage::Offset { parameter }) => parameters.push((parameter.clone(), 0.into())),
        (Place::Offset(rows), NextPage::Offset { parameter }) => parameters.push((parameter.clone(), (*rows).into())),
        _ => {}
    }
    let base = path::base(&side.connector)?;
    let mut url = match place {
        Place::Link(link) => link::stored(&base, link)?,
        _ => first(&base, side.connector.list_url(), &listing.entity)?,
    };
    match list.method.unwrap_or_default() {
        ListMethod::Get => {
            // A link of the app has the parameters already.
            if !matches!(place, Place::Link(_)) {
                add_to_query(&mut url, &parameters);
            }
            plan::list(side, Method::GET, url, None)
        }
        ListMethod::Post => plan::list(side, Method::POST, url, Some(&Record::from_iter(parameters))),
    }
}

fn first(base: &Url, template: &str, entity: &str) -> Result<Url, Failure> {
    link::stored(base, &template.replace("{entity}", &path::segments(entity)?))
}

fn add_to_query(url: &mut Url, parameters: &[(String, Value)]) {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let own = parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(&text(value))));
    let all = url.query().map(str::to_owned).into_iter().chain(own).collect::<Vec<_>>().join("&");
    url.set_query(Some(all.as_str()).filter(|query| !query.is_empty()));
}

pub(super) fn rows<'a>(connector: &Connector, entity: &str, envelope: &Envelope<'a>) -> Result<Vec<&'a str>, String> {
    if let Some(pointer) = &connector.list.rows {
        return envelope
            .list_at(pointer)
            .ok_or_else(|| format!("the answer has no list at {pointer} (connector.list.rows)"));
    }
    let of_entity = entity.rsplit('/').next().unwrap_or(entity);
    let by_name = || LISTS.into_iter().chain([of_entity]).find_map(|name| envelope.list(name));
    let rows = envelope.list_at("").or_else(by_name);
    rows.ok_or_else(|| "the answer is no list of records and has none; set connector.list.rows to its place".to_owned())
}

/// The same of an answer that is taken apart as a whole, of an `OData` app, too.
pub(crate) fn rows_in<'a>(connector: &Connector, entity: &str, answer: &'a Value) -> Option<&'a Vec<Value>> {
    if connector.protocol() == ConnectorKind::Odata {
        return answer["value"].as_array();
    }
    if let Some(pointer) = &connector.list.rows {
        return answer.pointer(pointer)?.as_array();
    }
    let of_entity = entity.rsplit('/').next().unwrap_or(entity);
    let by_name = || LISTS.into_iter().chain([of_entity]).find_map(|name| answer.get(name)?.as_array());
    answer.as_array().or_else(by_name)
}

pub(super) fn frame(
    connector: &Connector,
    place: &Place,
    from: &Url,
    (headers, envelope): (&HeaderMap, &Envelope<'_>),
    rows: usize,
) -> Result<Frame, Failure> {
    let list = &connector.list;
    let follow = |link: Option<String>| match link.filter(|link| !link.is_empty()) {
        None => Ok(Place::Start),
        Some(link) => link::inside(&path::base(connector)?, from, &link),
    };
    let counted = u64::try_from(rows).unwrap_or(u64::MAX);
    let next = match (&list.next, place) {
        (None | Some(NextPage::Whole), _) => Place::Start,
        (Some(NextPage::LinkHeader), _) => follow(link::next_of(headers))?,
        (Some(NextPage::Link { pointer }), _) => follow(text_at(envelope, pointer)?)?,
        (Some(NextPage::Token { pointer, .. }), _) => {
            text_at(envelope, pointer)?.filter(|token| !token.is_empty()).map_or(Place::Start, Place::Token)
        }
        // Only an empty page is the end: an app may return fewer rows than Tandem asks for.
        (Some(NextPage::Page { .. } | NextPage::Offset { .. }), _) if rows == 0 => Place::Start,
        (Some(NextPage::Page { .. }), Place::Page(page)) => Place::Page(page.saturating_add(1)),
        (Some(NextPage::Page { first, .. }), _) => Place::Page(u64::from(*first).saturating_add(1)),
        (Some(NextPage::Offset { .. }), Place::Offset(before)) => Place::Offset(before.saturating_add(counted)),
        (Some(NextPage::Offset { .. }), _) => Place::Offset(counted),
    };
    let total = list.total.as_ref().and_then(|pointer| envelope.at(pointer));
    let total = total.and_then(|total| total.as_u64().or_else(|| total.as_str()?.parse().ok()));
    Ok(Frame { next: next.cursor()?, total })
}

/// Reads a link or a token: a text or a number. Some apps send `false` for none.
fn text_at(envelope: &Envelope<'_>, pointer: &str) -> Result<Option<String>, Failure> {
    match envelope.at(pointer) {
        None | Some(Value::Bool(false)) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(unusable(&format!("what the answer has at {pointer} is no link or token"))),
    }
}
