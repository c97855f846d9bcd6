//! What was taken out of lanes, and bringing it back.

use domain::{
    EntryId, Map, MapId, RecordKey,
    lane::{ArchiveCause, Archived, Attribution, Work, recovery},
};

use super::{AdminPorts, Caller, lane::append_with, map_commands::checked, maps};
use crate::{
    error::{About, AppError, Thing},
    ports::{Archive, JournalOp},
};

/// Most that are listed at once.
pub const MAX_LISTED: usize = 200;
/// Most that are looked at to fill a list that is filtered.
const MAX_LOOKED_AT: usize = 2_000;

/// Which archived entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Archived for this cause.
    pub cause: Option<ArchiveCause>,
    /// Of this record.
    pub key: Option<RecordKey>,
}

impl Filter {
    fn passes(&self, one: &Archived) -> bool {
        self.cause.is_none_or(|cause| one.cause == cause) && self.key.as_ref().is_none_or(|key| one.key == *key)
    }
}

/// Archived entries of a map, newest first, and where the next page begins.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    map: &MapId,
    filter: &Filter,
    before: Option<EntryId>,
    limit: usize,
) -> Result<(Vec<Archived>, Option<EntryId>), AppError> {
    let map = maps::get(ports, map).await?;
    page(ports, &map, Order::NewestFirst, filter, before, limit.clamp(1, MAX_LISTED)).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    NewestFirst,
    OldestFirst,
}

async fn page<P: AdminPorts>(
    ports: &P,
    map: &Map,
    order: Order,
    filter: &Filter,
    mut behind: Option<EntryId>,
    limit: usize,
) -> Result<(Vec<Archived>, Option<EntryId>), AppError> {
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let read = match order {
            Order::NewestFirst => ports.lanes().archived(map, behind, limit).await?,
            Order::OldestFirst => ports.lanes().archived_first(map, behind, limit).await?,
        };
        let last = read.len() < limit;
        looked_at += read.len();
        for archived in read {
            behind = Some(archived.id);
            if filter.passes(&archived) {
                found.push(archived);
            }
            if found.len() == limit {
                return Ok((found, behind));
            }
        }
        if last {
            return Ok((found, None));
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok((found, behind));
        }
    }
}

/// One archived entry.
///
/// # Errors
/// There is no such map or entry, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, map: &MapId, id: EntryId) -> Result<Archived, AppError> {
    let map = maps::get(ports, map).await?;
    find(ports, &map, id).await
}

async fn find<P: AdminPorts>(ports: &P, map: &Map, id: EntryId) -> Result<Archived, AppError> {
    let none = || AppError::NotFound(Thing::Archived).about(About::id(&map.id, None, id));
    ports.lanes().one_archived(map, id).await?.ok_or_else(none)
}

/// What is done with an archived change that neither app has, when later changes of its record were accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNewer {
    /// It stays in the archive.
    Keep,
    /// It is written on top of them.
    Overwrite,
}

/// Brings an archived entry back, at the end of its lane. A change that an app has still is copied from there as it is
/// by then; one that neither has is written as it is, if nothing newer was accepted: what grew old in the archive never
/// overwrites what is newer, unless the operator says so.
///
/// # Errors
/// There is no such map or entry, it was brought back before, it is older than what was accepted since, the reason is
/// missing, or the store does not answer.
pub async fn recover<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    id: EntryId,
    newer: OnNewer,
    reason: &str,
) -> Result<Archived, AppError> {
    let reason = checked(reason)?;
    let map = maps::get(ports, map).await?;
    let archived = find(ports, &map, id).await?;
    let by = Attribution { actor: caller.name.clone(), at: ports.now(), reason: reason.to_owned() };
    let entry = EntryId(ports.fresh_id());
    let recovered = Archived { recovered: Some((by, entry)), ..archived };
    let op = JournalOp::Recover(Box::new(recovered.clone()));
    let work = recovery(&recovered.entry);
    let image = matches!(work, Work::Write(_)) && newer == OnNewer::Keep;
    let back = append_with(ports, &map, &work, entry, &op, image.then_some(recovered.version)).await;
    back.map_err(|error| error.about(About::id(&map.id, Some(&recovered.key), id)))?;
    Ok(recovered)
}

/// What became of one of many.
pub type Each = (EntryId, Result<(), AppError>);

/// Brings back all that was archived for a cause, the oldest first, one page at a time; and where the next page begins.
/// What was brought back before is left out.
///
/// # Errors
/// There is no such map, the reason is missing, or the store does not answer.
pub async fn recover_all<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    cause: ArchiveCause,
    after: Option<EntryId>,
    reason: &str,
) -> Result<(Vec<Each>, Option<EntryId>), AppError> {
    checked(reason)?;
    let filter = Filter { cause: Some(cause), key: None };
    let of = maps::get(ports, map).await?;
    let (page, next) = page(ports, &of, Order::OldestFirst, &filter, after, MAX_LISTED).await?;
    let mut done = Vec::new();
    for one in page.into_iter().filter(|one| one.recovered.is_none()) {
        let result = recover(ports, caller, map, one.id, OnNewer::Keep, reason).await.map(drop);
        done.push((one.id, result));
    }
    Ok((done, next))
}
