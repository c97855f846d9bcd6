//! GET: all records, page by page.

use axum::http::StatusCode;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::super::app::App;
use super::super::flavor::{Dialect, Flavor};
use super::super::record::Row;
use super::super::store;
use super::Incoming;
use super::address::encode;
use super::answer::{Answer, entity as to_json};
use super::error::ODataError;
use super::options::Options;

/// Rows that are read at a time to find those that meet a filter.
const ROWS_READ: u32 = 1_000;

/// Rows of the largest page, whatever the caller prefers.
fn page_max(dialect: Dialect) -> u32 {
    match dialect {
        Dialect::FinanceOperations => 10_000,
        Dialect::Dataverse => 5_000,
    }
}

/// The number up to which an app counts.
fn count_max(dialect: Dialect) -> usize {
    match dialect {
        Dialect::FinanceOperations => usize::MAX,
        Dialect::Dataverse => 5_000,
    }
}

/// Lists a page of records in order of their keys, with a link to the next page.
///
/// As in OData, `$top` limits the whole result and `Prefer: odata.maxpagesize` the page.
pub(super) fn collection(app: &App, incoming: &Incoming) -> Result<Answer, ODataError> {
    let options = Options::parse(app.flavor, &incoming.query, &incoming.headers, page_max(app.flavor.dialect))?;
    // Without `cross-company` the user sees only its own company, which has no records.
    let page_size = if incoming.sees_all { options.page_size } else { 0 };
    let limit = options.top.map_or(page_size, |top| top.min(page_size));
    let scan = |after, skip, limit| app.store.run(|db| matching(db, app.flavor, &options, after, skip, limit));
    let mut found = scan(options.after.clone(), options.skip, u64::from(limit) + 1)?;
    let has_more = found.len() as u64 > u64::from(limit);
    found.truncate(limit as usize);
    let last = found.last().map(|(key, _)| key.clone());
    let values: Vec<Value> = found.into_iter().map(|(_, entity)| options.select(app.flavor, entity)).collect();
    let mut body = json!({"@odata.context": format!("{}/$metadata#{}", incoming.base, app.flavor.entity_set)});
    if options.count {
        let all = if incoming.sees_all { scan(None, 0, u64::MAX)?.len() } else { 0 };
        body["@odata.count"] = json!(all.min(count_max(app.flavor.dialect)));
    }
    body["value"] = values.into();
    let top_left = options.top.map(|top| top - limit);
    if let (true, Some(last), None | Some(1..)) = (has_more, last, top_left) {
        let token = format!("$skiptoken={}", encode(&format!("{}:{last}", options.page_size)));
        let top = top_left.map(|top| format!("$top={top}"));
        let query: Vec<_> = options.kept.iter().cloned().chain(top).chain([token]).collect();
        body["@odata.nextLink"] = json!(format!("{}/{}?{}", incoming.base, app.flavor.entity_set, query.join("&")));
    }
    Ok(Answer::new(StatusCode::OK, Some(body)))
}

/// Reads up to `limit` records that meet the filter and whose keys come after `after`, and leaves out the first `skip`.
fn matching(
    db: &Connection,
    flavor: &Flavor,
    options: &Options,
    mut after: Option<String>,
    mut skip: u32,
    limit: u64,
) -> rusqlite::Result<Vec<(String, Value)>> {
    let mut found = Vec::new();
    loop {
        let rows = store::page(db, after.as_deref(), 0, ROWS_READ)?;
        let is_last = rows.len() < ROWS_READ as usize;
        after = rows.last().map(|(key, _)| key.clone());
        for (key, row) in rows {
            if found.len() as u64 >= limit {
                return Ok(found);
            }
            let Some(entity) = entity(flavor, &key, &row) else { continue };
            match options.filter.as_ref().is_none_or(|filter| filter.holds(&entity)) {
                true if skip > 0 => skip -= 1,
                true => found.push((key, entity)),
                false => {}
            }
        }
        if is_last {
            return Ok(found);
        }
    }
}

fn entity(flavor: &Flavor, key: &str, row: &Row) -> Option<Value> {
    row.fields.as_ref().map(|fields| to_json(flavor, key, row, fields))
}
