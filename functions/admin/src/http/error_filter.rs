//! The filter of logged errors in a query. Lists, groups, downloads and bulk resolves share it.

use app::{admin::logs::ErrorFilter, error::AppError};
use domain::{MapId, Timestamp, record::ContentHash};

use super::extract::Params;

/// The query parameters of a filter of errors. The last one, `before`, is the cursor.
pub(crate) const FILTER_PARAMS: [&str; 9] =
    ["map", "class", "to", "key", "fingerprint", "resolved", "from", "until", "before"];

/// Reads the filter.
pub(crate) fn read_filter(params: &Params) -> Result<ErrorFilter, AppError> {
    let fingerprint = params.text("fingerprint").map(|text| {
        u64::from_str_radix(text, 16)
            .map(ContentHash)
            .map_err(|_| AppError::mistake("fingerprint", "must be 16 hex digits"))
    });
    Ok(ErrorFilter {
        maps: read_maps(params)?,
        class: params.named("class")?,
        to: params.parsed("to")?,
        key: params.parsed("key")?,
        fingerprint: fingerprint.transpose()?,
        resolved: params.named("resolved")?,
        from: read_time(params, "from")?.unwrap_or(Timestamp(0)),
        until: read_time(params, "until")?,
    })
}

/// Reads the parameter `map`: ids of maps, separated by commas.
pub(crate) fn read_maps(params: &Params) -> Result<Vec<MapId>, AppError> {
    let names = params.text("map").unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.parse().map_err(|says: String| AppError::mistake("map", &says))).collect()
}

/// Reads a time in the form of RFC 3339.
pub(crate) fn read_time(params: &Params, name: &str) -> Result<Option<Timestamp>, AppError> {
    params.text(name).map(|text| Timestamp::parse(text).map_err(|says| AppError::mistake(name, &says))).transpose()
}
