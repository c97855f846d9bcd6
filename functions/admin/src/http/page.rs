//! Pages of lists: the limit.

use app::{admin::backlog::MAX_LISTED, error::AppError};

use super::extract::Params;

/// Reads the parameter `limit`, from 1 to [`MAX_LISTED`].
pub(crate) fn page_limit(params: &Params) -> Result<usize, AppError> {
    match params.number("limit")?.map(usize::try_from) {
        None => Ok(MAX_LISTED / 2),
        Some(Ok(limit @ 1..=MAX_LISTED)) => Ok(limit),
        Some(_) => Err(AppError::mistake("limit", &format!("must be a number from 1 to {MAX_LISTED}"))),
    }
}
