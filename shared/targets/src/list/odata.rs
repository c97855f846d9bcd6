//! Lists of `OData` apps. The app itself links to the next page.

use domain::{
    Failure,
    listing::Listing,
    side::{Connector, SideConfig},
};
use reqwest::{Method, header::HeaderValue};
use serde_json::Value;
use url::Url;

use super::{Frame, envelope::Envelope, link, place::Place, unusable};
use crate::{
    odata::{PREFER, quoted},
    path::{self, encode},
    plan::{self, Request},
};

pub(super) fn plan(side: &SideConfig, listing: &Listing, place: &Place, size: u32) -> Result<Request, Failure> {
    let connector = &side.connector;
    let url = match place {
        Place::Link(link) => link::stored(&path::base(connector)?, link)?,
        _ => first(connector, listing)?,
    };
    let mut request = plan::list(side, Method::GET, url, None)?;
    let size = HeaderValue::from_str(&format!("odata.maxpagesize={size}"));
    request.headers.extend(size.ok().map(|size| (PREFER, size)));
    Ok(request)
}

/// The URL of the first page. The app's link to the next page keeps its options.
fn first(connector: &Connector, listing: &Listing) -> Result<Url, Failure> {
    let mut options = Vec::new();
    let fields = listing.selected();
    if !fields.is_empty() && connector.list.select.unwrap_or(true) {
        options.push(format!("$select={}", fields.into_iter().map(encode).collect::<Vec<_>>().join(",")));
    }
    if let Some(filter) = filter(listing) {
        options.push(format!("$filter={}", encode(&filter)));
    }
    if !listing.key_field.is_empty() && connector.list.order_by_key.unwrap_or(true) {
        let fields: Vec<String> = listing.key_fields().into_iter().map(encode).collect();
        options.push(format!("$orderby={}", fields.join(",")));
    }
    if connector.list.count.unwrap_or(true) {
        options.push("$count=true".to_owned());
    }
    let mut url = path::entity(connector, &listing.entity)?;
    url.set_query(Some(options.join("&")).as_deref().filter(|query| !query.is_empty()));
    Ok(url)
}

/// The `$filter`: the fixed parts of the key, and the filters of the map and of the run.
fn filter(listing: &Listing) -> Option<String> {
    let literal = |value: &Value| value.as_str().map_or_else(|| value.to_string(), quoted);
    let fixed = listing.fixed_key.iter().map(|(name, value)| format!("{name} eq {}", literal(value)));
    let conditions: Vec<_> = fixed.chain(listing.filters.iter().cloned()).collect();
    match &conditions[..] {
        [] => None,
        [only] => Some(only.clone()),
        several => Some(several.iter().map(|one| format!("({one})")).collect::<Vec<_>>().join(" and ")),
    }
}

pub(super) fn rows<'a>(envelope: &Envelope<'a>) -> Result<Vec<&'a str>, String> {
    envelope.list("value").ok_or_else(|| "the answer has no array `value`".to_owned())
}

pub(super) fn frame(connector: &Connector, from: &Url, envelope: &Envelope<'_>) -> Result<Frame, Failure> {
    let next = match envelope.member("@odata.nextLink") {
        None => Place::Start,
        Some(Value::String(link)) => link::inside(&path::base(connector)?, from, &link)?,
        Some(_) => return Err(unusable("the link to the next page is not a text")),
    };
    // A number, or a text with `IEEE754Compatible`.
    let count = envelope.member("@odata.count");
    let total = count.and_then(|count| count.as_u64().or_else(|| count.as_str()?.parse().ok()));
    Ok(Frame { next: next.cursor()?, total: total.filter(|total| *total < connector.counts_up_to()) })
}
