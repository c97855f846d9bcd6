//! Archived entries: list them, and bring them back to their lanes.

use std::future::ready;

use domain::{
    EntryId, Map, MapId, RecordKey,
    lane::{ArchiveCause, Archived, Attribution, Work, recovery},
};

use super::{
    AdminPorts, Caller,
    lane::{BringBack, bring_back},
    map_commands::checked,
    maps,
    page::filtered_page,
};
use crate::{
    error::{AppError, ResourceKind, StateConflict, Subject},
    ports::Archive,
    write::canonical_key,
};

/// Most entries on one page.
pub const MAX_LISTED: usize = 200;

/// Which archived entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveFilter {
    /// Only entries that were archived for this cause.
    pub cause: Option<ArchiveCause>,
    /// Only entries of this record.
    pub key: Option<RecordKey>,
}

impl ArchiveFilter {
    fn matches(&self, one: &Archived) -> bool {
        self.cause.is_none_or(|cause| one.cause == cause) && self.key.as_ref().is_none_or(|key| one.key == *key)
    }
}

/// Lists archived entries of a map, newest first. Returns where the next page begins, if there is one.
///
/// # Errors
/// The map does not exist, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    map: &MapId,
    filter: &ArchiveFilter,
    before: Option<EntryId>,
    limit: usize,
) -> Result<(Vec<Archived>, Option<EntryId>), AppError> {
    let map = maps::get(ports, map).await?;
    let key = filter.key.as_ref().map(|key| canonical_key(&map.config, key)).transpose()?;
    let filter = &ArchiveFilter { key, ..filter.clone() };
    read_page(ports, &map, ArchiveOrder::NewestFirst, filter, before, limit.clamp(1, MAX_LISTED)).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ArchiveOrder {
    NewestFirst,
    OldestFirst,
}

async fn read_page<P: AdminPorts>(
    ports: &P,
    map: &Map,
    order: ArchiveOrder,
    filter: &ArchiveFilter,
    after: Option<EntryId>,
    limit: usize,
) -> Result<(Vec<Archived>, Option<EntryId>), AppError> {
    let read = |after| async move {
        Ok(match order {
            ArchiveOrder::NewestFirst => ports.lanes().archived(map, after, limit).await?,
            ArchiveOrder::OldestFirst => ports.lanes().archived_first(map, after, limit).await?,
        })
    };
    let select = |archived: Archived| ready(Ok((archived.id, filter.matches(&archived).then_some(archived))));
    filtered_page(after, limit, read, select).await
}

/// Reads one archived entry.
///
/// # Errors
/// The map or the entry does not exist, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, map: &MapId, id: EntryId) -> Result<Archived, AppError> {
    let map = maps::get(ports, map).await?;
    find(ports, &map, id).await
}

async fn find<P: AdminPorts>(ports: &P, map: &Map, id: EntryId) -> Result<Archived, AppError> {
    let none = || AppError::NotFound(ResourceKind::Archived).about(Subject::id(&map.id, None, id));
    ports.lanes().one_archived(map, id).await?.ok_or_else(none)
}

/// What happens to an archived change that neither app has if Tandem accepted later changes of the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnNewer {
    /// The change stays in the archive.
    Keep,
    /// The change overwrites the later ones.
    Overwrite,
}

/// Brings an archived entry back at the end of its lane. If an app still has the change, the drain copies the record as
/// that app has it then. If neither app has the change, the drain writes the archived record, unless Tandem accepted a
/// later change of the record: an old record overwrites a newer one only on the operator's request.
///
/// # Errors
/// The map or the entry does not exist, the entry was brought back before, Tandem accepted a later change, the reason is
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
    if matches!(archived.entry.work, Work::Unreadable(_)) {
        let subject = Subject::id(&map.id, Some(&archived.key), id);
        return Err(AppError::Conflict(StateConflict::Unreadable).about(subject));
    }
    let by = Attribution { actor: caller.name.clone(), at: ports.now(), reason: reason.to_owned() };
    let entry = EntryId(ports.fresh_id());
    let recovered = Archived { recovered: Some((by, entry)), ..archived };
    let work = recovery(&recovered.entry);
    let must_be_newest = matches!(work, Work::Write(_)) && newer == OnNewer::Keep;
    let only_if_newest = must_be_newest.then_some(recovered.version);
    let done = bring_back(ports, &map, BringBack::Archived(&recovered), &work, entry, only_if_newest).await;
    done.map_err(|error| error.about(Subject::id(&map.id, Some(&recovered.key), id)))?;
    Ok(recovered)
}

/// An archived entry, and whether it was brought back.
pub type RecoverResult = (EntryId, Result<(), AppError>);

/// Brings back one page of the entries that were archived for a cause, the oldest first. Skips entries that were brought
/// back before. Returns where the next page begins, if there is one.
///
/// # Errors
/// The map does not exist, the reason is missing, or the store does not answer.
pub async fn recover_all<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    cause: ArchiveCause,
    after: Option<EntryId>,
    reason: &str,
) -> Result<(Vec<RecoverResult>, Option<EntryId>), AppError> {
    checked(reason)?;
    let filter = ArchiveFilter { cause: Some(cause), key: None };
    let of = maps::get(ports, map).await?;
    let (page, next) = read_page(ports, &of, ArchiveOrder::OldestFirst, &filter, after, MAX_LISTED).await?;
    let mut done = Vec::new();
    for one in page.into_iter().filter(|one| one.recovered.is_none()) {
        let result = recover(ports, caller, map, one.id, OnNewer::Keep, reason).await.map(drop);
        done.push((one.id, result));
    }
    Ok((done, next))
}
