//! The query options of a list.

use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;

use super::super::flavor::{Dialect, Flavor};
use super::error::ODataError;
use super::filter::Filter;
use super::read::preference;

/// The options of a list.
pub(super) struct Options {
    pub(super) top: Option<u32>,
    pub(super) skip: u32,
    /// The last key of the previous page.
    pub(super) after: Option<String>,
    pub(super) page_size: u32,
    /// Whether the app counts all records that meet the filter.
    pub(super) count: bool,
    pub(super) filter: Option<Filter>,
    /// The properties that the caller asks for; an empty list means all.
    select: Vec<String>,
    /// The options that the link to the next page repeats, as the caller wrote them.
    pub(super) kept: Vec<String>,
}

impl Options {
    pub(super) fn parse(flavor: &Flavor, query: &str, headers: &HeaderMap, page_max: u32) -> Result<Self, ODataError> {
        let mut options = Self {
            top: None,
            skip: 0,
            after: None,
            page_size: page_size(headers, page_max)?,
            count: false,
            filter: None,
            select: Vec::new(),
            kept: Vec::new(),
        };
        for text in query.split('&').filter(|text| !text.is_empty()) {
            let (name, value) = pair(text)?;
            if !["$top", "$skip", "$skiptoken"].contains(&&*name) {
                options.kept.push(text.to_owned());
            }
            match name.as_str() {
                "$top" => options.top = Some(number("$top", &value)?),
                "$skip" if flavor.dialect == Dialect::Dataverse => {
                    return Err(bad("Skip Clause is not supported in CRM"));
                }
                "$skip" => options.skip = number("$skip", &value)?,
                "$skiptoken" => {
                    let (size, after) =
                        value.split_once(':').ok_or_else(|| bad("The $skiptoken is not from this service"))?;
                    options.page_size = number("$skiptoken", size)?.clamp(1, page_max);
                    options.after = Some(after.to_owned());
                }
                "$count" => options.count = value == "true",
                "$filter" => {
                    options.filter =
                        Some(Filter::parse(&value, |name| is_property(flavor, name)).map_err(|why| bad(&why))?)
                }
                "$select" => {
                    options.select = value.split(',').map(|name| property(flavor, name)).collect::<Result<_, _>>()?
                }
                "$orderby" => check_order(flavor, &value)?,
                _ if name.starts_with('$') => return Err(bad(&format!("{name} is not supported"))),
                _ => {}
            }
        }
        Ok(options)
    }

    /// Keeps only the properties that the caller asks for. Dataverse adds the GUID of the record.
    pub(super) fn select(&self, flavor: &Flavor, mut entity: Value) -> Value {
        let own = (flavor.dialect == Dialect::Dataverse).then_some(flavor.own.0);
        if let (false, Some(fields)) = (self.select.is_empty(), entity.as_object_mut()) {
            fields.retain(|name, _| {
                name.starts_with('@') || own == Some(name.as_str()) || self.select.iter().any(|wanted| wanted == name)
            });
        }
        entity
    }
}

fn pair(text: &str) -> Result<(String, String), ODataError> {
    let unreadable = || bad("The query cannot be read");
    let uri: Uri = format!("/?{text}").parse().map_err(|_| unreadable())?;
    let pairs = axum::extract::Query::<Vec<(String, String)>>::try_from_uri(&uri).map_err(|_| unreadable())?;
    pairs.0.into_iter().next().ok_or_else(unreadable)
}

fn page_size(headers: &HeaderMap, page_max: u32) -> Result<u32, ODataError> {
    match preference(headers, "odata.maxpagesize").or_else(|| preference(headers, "maxpagesize")) {
        None => Ok(page_max),
        Some(size) => Ok(number("odata.maxpagesize", &size)?.clamp(1, page_max)),
    }
}

fn is_property(flavor: &Flavor, name: &str) -> bool {
    name == flavor.key || name == flavor.own.0 || flavor.field(name).is_some()
}

fn property(flavor: &Flavor, name: &str) -> Result<String, ODataError> {
    let name = name.trim();
    match is_property(flavor, name) {
        true => Ok(name.to_owned()),
        false => Err(bad(&format!("Could not find a property named '{name}' on type '{}'.", flavor.table))),
    }
}

/// Fails unless the order is that of the keys: the sample has no other.
fn check_order(flavor: &Flavor, value: &str) -> Result<(), ODataError> {
    for part in value.split(',') {
        let part = part.trim();
        let name = part.strip_suffix(" asc").unwrap_or(part).trim();
        if name != flavor.key && name != flavor.own.0 {
            return Err(bad(&format!("$orderby supports only the key, not '{part}'")));
        }
    }
    Ok(())
}

fn number(name: &str, value: &str) -> Result<u32, ODataError> {
    value.parse().map_err(|_| bad(&format!("{name} must be a whole number, not negative")))
}

fn bad(message: &str) -> ODataError {
    ODataError::new(StatusCode::BAD_REQUEST, "BadQuery", message)
}
