//! What was taken out of lanes, and bringing it back.

use domain::{
    EntryId, MapId,
    lane::{ArchiveCause, Archived, Stamp, recovery},
};

use super::{AdminPorts, Caller, lane::append_with, maps, switch::checked};
use crate::{
    error::{AppError, Thing},
    ports::{Archive, JournalOp},
};

/// Most that are listed at once.
pub const MAX_LISTED: usize = 200;
/// Most that are looked at to fill a list that is filtered.
const MAX_LOOKED_AT: usize = 2_000;

/// Archived entries of a map, newest first, and where the next page begins.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    map: &MapId,
    cause: Option<ArchiveCause>,
    mut before: Option<EntryId>,
    limit: usize,
) -> Result<(Vec<Archived>, Option<EntryId>), AppError> {
    let map = maps::get(ports, map).await?;
    let limit = limit.clamp(1, MAX_LISTED);
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = ports.lanes().archived(&map, before, limit).await?;
        let last = page.len() < limit;
        looked_at += page.len();
        for archived in page {
            before = Some(archived.id);
            if cause.is_none_or(|cause| archived.cause == cause) {
                found.push(archived);
            }
            if found.len() == limit {
                return Ok((found, before));
            }
        }
        if last {
            return Ok((found, None));
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok((found, before));
        }
    }
}

/// One archived entry.
///
/// # Errors
/// There is no such map or entry, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, map: &MapId, id: EntryId) -> Result<Archived, AppError> {
    let map = maps::get(ports, map).await?;
    ports.lanes().one_archived(&map, id).await?.ok_or(AppError::NotFound(Thing::Archived))
}

/// Brings an archived entry back, at the end of its lane. A change that its app has still is copied from there as it is
/// by then: what grew old in the archive never overwrites what is newer.
///
/// # Errors
/// There is no such map or entry, it was brought back before, the reason is missing, or the store does not answer.
pub async fn recover<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    id: EntryId,
    reason: &str,
) -> Result<Archived, AppError> {
    let reason = checked(reason)?;
    let map = maps::get(ports, map).await?;
    let archived = ports.lanes().one_archived(&map, id).await?.ok_or(AppError::NotFound(Thing::Archived))?;
    let by = Stamp { actor: caller.name.clone(), at: ports.now(), reason: reason.to_owned() };
    let entry = EntryId(ports.fresh_id());
    let recovered = Archived { recovered: Some((by, entry)), ..archived };
    let op = JournalOp::Recover(Box::new(recovered.clone()));
    append_with(ports, &map, &recovered.key, &recovery(&recovered.entry), entry, &op).await?;
    Ok(recovered)
}

/// What became of one of many.
pub type Each = (EntryId, Result<(), AppError>);

/// Brings back all that was archived for a cause, one page at a time, the oldest of the page first; and where the next
/// page begins. What was brought back before is left out.
///
/// # Errors
/// There is no such map, the reason is missing, or the store does not answer.
pub async fn recover_all<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    cause: ArchiveCause,
    before: Option<EntryId>,
    reason: &str,
) -> Result<(Vec<Each>, Option<EntryId>), AppError> {
    checked(reason)?;
    let (page, next) = list(ports, map, Some(cause), before, MAX_LISTED).await?;
    let mut done = Vec::new();
    for one in page.into_iter().rev().filter(|one| one.recovered.is_none()) {
        let result = recover(ports, caller, map, one.id, reason).await.map(drop);
        done.push((one.id, result));
    }
    Ok((done, next))
}
