//! `If-Match` and `If-None-Match`.

use axum::http::{HeaderMap, StatusCode};

use super::super::flavor::Flavor;
use super::super::record::Row;
use super::error::ODataError;
use super::text;

/// Fails if the record in its present state does not meet the conditions of the call.
///
/// In Dataverse, `If-Match: *` keeps an upsert from creating a record, and `If-None-Match: *` from changing one.
pub(super) fn check(flavor: &Flavor, headers: &HeaderMap, key: &str, row: &Row) -> Result<(), ODataError> {
    let exists = row.fields.is_some();
    match text(headers, "if-match").as_deref().map(str::trim) {
        // The record is gone, so there is no version to compare with.
        Some(_) if !exists => return Err(ODataError::missing_for_change(flavor)),
        None | Some("*") => {}
        Some(tags) if names(tags, row) => {}
        Some(_) => {
            return Err(failed("The version of the existing record doesn't match the RowVersion property provided."));
        }
    }
    match text(headers, "if-none-match").as_deref().map(str::trim) {
        Some("*") if exists => Err(ODataError::exists(flavor, key)),
        Some(tags) if exists && names(tags, row) => Err(failed("The record is at the version of If-None-Match")),
        _ => Ok(()),
    }
}

fn names(tags: &str, row: &Row) -> bool {
    let current = row.etag();
    tags.split(',').map(str::trim).any(|tag| tag == current)
}

fn failed(message: &str) -> ODataError {
    ODataError::new(StatusCode::PRECONDITION_FAILED, "PreconditionFailed", message)
}

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::super::super::flavor::FlavorName;
    use super::*;

    fn status(name: &'static str, value: &str, exists: bool) -> u16 {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let row = Row { fields: exists.then(Map::new), version: 7 };
        let crm = FlavorName::Crm.flavor();
        check(crm, &headers, "C-1", &row).err().map_or(200, |error| error.status().as_u16())
    }

    #[test]
    fn conditions_are_tested_against_the_version() {
        for (name, value, exists, expected) in [
            ("if-match", "*", true, 200),
            ("if-match", "*", false, 404),
            ("if-match", "W/\"7\"", true, 200),
            ("if-match", "W/\"6\", W/\"7\"", true, 200),
            ("if-match", "W/\"6\"", true, 412),
            ("if-match", "W/\"7\"", false, 404),
            ("if-none-match", "*", true, 412),
            ("if-none-match", "*", false, 200),
            ("if-none-match", "W/\"7\"", true, 412),
            ("if-none-match", "W/\"6\"", true, 200),
            ("prefer", "*", true, 200),
        ] {
            assert_eq!(status(name, value, exists), expected, "{name}: {value}, exists: {exists}");
        }
    }
}
