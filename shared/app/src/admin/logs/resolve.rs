//! Errors that nothing resolves by itself: an app reported them, or the write that succeeded is not known to be theirs.

use std::collections::BTreeMap;

use domain::{
    ErrorClass, LogId, MapId,
    log::{Activity, ActivityKind, Order, Resolved},
    map::Cause,
};

use super::{ErrorFilter, Errors, MAX_LOOKED_AT, MAX_PAGE};
use crate::{
    admin::{AdminPorts, Caller, map_commands::checked},
    error::AppError,
    ports::Log,
};

/// Marks errors resolved, at most [`MAX_PAGE`], the newest first: how many there were, and whether there may be more. Each
/// map's log has a line of it, with who and why, before anything is marked: what was said to be resolved and is not, for a
/// crash came between, is resolved by the repeat.
///
/// # Errors
/// No map is named, too many are, there is no reason, or the log cannot be read or written.
pub async fn resolve<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    filter: ErrorFilter,
    said: &str,
    reason: &str,
) -> Result<(u64, bool), AppError> {
    if filter.maps.is_empty() {
        return Err(AppError::mistake("map", "must be named: errors of all maps are never resolved at once"));
    }
    let reason = checked(reason)?;
    let now = ports.now();
    let filter = ErrorFilter { resolved: Some(false), ..filter };
    let page = Errors::open(ports, filter, None).await?.page(ports, MAX_PAGE, MAX_LOOKED_AT).await?;
    let mut of_maps: BTreeMap<MapId, Vec<(LogId, ErrorClass)>> = BTreeMap::new();
    for error in page.lines {
        of_maps.entry(error.event.map).or_default().push((error.event.id, error.event.class));
    }
    let mut count = 0;
    for (map, errors) in of_maps {
        let line = Activity {
            id: LogId::of(now, Order::Change(0), &[b"resolved", &ports.fresh_id().to_be_bytes()]),
            at: now,
            map: Some(map.clone()),
            actor: caller.name.clone(),
            reason: reason.to_owned(),
            cause: Cause::Operator,
            what: ActivityKind::ErrorsResolved { count: errors.len() as u64, filter: said.to_owned() },
        };
        ports.log().add_activity(&line).await?;
        count += ports.log().resolve_these(&map, &errors, now, Resolved::Operator).await?;
    }
    Ok((count, page.next.is_some()))
}
