//! Events that could not be logged, and what is done about them.

use domain::{
    LogId,
    log::{Activity, ActivityKind, Order},
    map::Cause,
};

use crate::{
    admin::{AdminPorts, Caller, map_commands::checked},
    error::{AppError, ResourceKind},
    ports::{FailedEvent, Log},
};

/// Most that are listed at once.
pub const MAX_FAILED: usize = 200;

/// Events that could not be logged, newest first, and where the next page begins.
///
/// # Errors
/// The log cannot be read.
pub async fn failed<P: AdminPorts>(
    ports: &P,
    before: Option<LogId>,
    limit: usize,
) -> Result<(Vec<FailedEvent>, Option<LogId>), AppError> {
    let limit = limit.clamp(1, MAX_FAILED);
    let found = ports.log().failed(before, limit).await?;
    let next = if found.len() == limit { found.last().map(|last| last.id) } else { None };
    Ok((found, next))
}

/// Takes an event off the list: somebody has dealt with it. The activity log says who, and why, and what it was; that line
/// comes first, so a crash in between leaves an event that is dismissed by the repeat.
///
/// # Errors
/// There is no such event, there is no reason, or the log cannot be read or written.
pub async fn dismiss<P: AdminPorts>(ports: &P, caller: &Caller, id: LogId, reason: &str) -> Result<(), AppError> {
    let reason = checked(reason)?;
    let up_to_it = ports.log().failed(Some(LogId(id.0.saturating_add(1))), 1).await?;
    let event =
        up_to_it.into_iter().find(|event| event.id == id).ok_or(AppError::NotFound(ResourceKind::FailedEvent))?;
    let now = ports.now();
    let line = Activity {
        id: LogId::of(now, Order::Change(0), &[b"dismissed", &ports.fresh_id().to_be_bytes()]),
        at: now,
        map: None,
        actor: caller.name.clone(),
        reason: reason.to_owned(),
        cause: Cause::Operator,
        what: ActivityKind::FailedEventDismissed { event: id, source: event.source, says: event.says },
    };
    ports.log().add_activity(&line).await?;
    Ok(ports.log().forget_failed(id).await?)
}
