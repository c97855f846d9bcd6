//! The parameter `wait`: how long a request waits for what it asks about.

use app::error::AppError;

use super::extract::Params;

/// Longest wait, in seconds: the function itself has thirty.
const MAX_WAIT_S: u64 = 20;

/// Reads the parameter `wait`, in seconds. The request has no other.
pub(crate) fn read_wait(params: &Params) -> Result<u64, AppError> {
    let wanted = format!("a number of seconds from 0 to {MAX_WAIT_S}");
    let wait = params.only::<u64>("wait", &wanted)?.unwrap_or(0);
    if wait > MAX_WAIT_S {
        return Err(AppError::mistake("wait", &format!("must be {wanted}")));
    }
    Ok(wait)
}
