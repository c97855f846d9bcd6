//! The filter of logged errors in a query. Lists, groups, downloads and bulk resolves share it.

use app::{
    admin::logs::{self, ErrorFilter},
    error::AppError,
};
use domain::{MapId, Timestamp};

use super::extract::Params;

/// The query parameters of a filter of errors. The last one, `before`, is the cursor.
pub(crate) const FILTER_PARAMS: [&str; 9] =
    ["map", "class", "to", "key", "fingerprint", "resolved", "from", "until", "before"];

/// Reads the filter.
pub(crate) fn read_filter(params: &Params) -> Result<ErrorFilter, AppError> {
    ErrorFilter::from_query(|name| params.text(name))
}

/// Reads the parameter `map`: ids of maps, separated by commas.
pub(crate) fn read_maps(params: &Params) -> Result<Vec<MapId>, AppError> {
    logs::read_maps(params.text("map"))
}

/// Reads a time in the form of RFC 3339.
pub(crate) fn read_time(params: &Params, name: &str) -> Result<Option<Timestamp>, AppError> {
    logs::read_time(name, params.text(name))
}
