//! Conflicts, which are changes that crossed: list them with both values, and bring back the value that lost.

use std::future::ready;

use domain::{
    ContentHash, EntryId, Map, MapId, RecordKey, WriteId,
    lane::{Attribution, Conflict, Mode, Work, Write},
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

/// Most conflicts on one page.
pub const MAX_LISTED: usize = 200;

/// Which conflicts to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictFilter {
    /// Only conflicts of this record.
    pub key: Option<RecordKey>,
    /// Only conflicts that were (`true`) or were not (`false`) reversed.
    pub reversed: Option<bool>,
}

impl ConflictFilter {
    fn matches(&self, one: &Conflict) -> bool {
        self.key.as_ref().is_none_or(|key| one.key == *key)
            && self.reversed.is_none_or(|wanted| one.reversed.is_some() == wanted)
    }
}

/// Lists conflicts of a map, newest first. Returns where the next page begins, if there is one.
///
/// # Errors
/// The map does not exist, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    map: &MapId,
    filter: &ConflictFilter,
    before: Option<EntryId>,
    limit: usize,
) -> Result<(Vec<Conflict>, Option<EntryId>), AppError> {
    let map = maps::get(ports, map).await?;
    let limit = limit.clamp(1, MAX_LISTED);
    let key = filter.key.as_ref().map(|key| canonical_key(&map.config, key)).transpose()?;
    let (map, filter) = (&map, &ConflictFilter { key, ..filter.clone() });
    let read = |before| async move { Ok(ports.lanes().conflicts(map, before, limit).await?) };
    let select = |conflict: Conflict| ready(Ok((conflict.entry, filter.matches(&conflict).then_some(conflict))));
    filtered_page(before, limit, read, select).await
}

/// Reads one conflict by its entry.
///
/// # Errors
/// The map or the conflict does not exist, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, map: &MapId, entry: EntryId) -> Result<Conflict, AppError> {
    let map = maps::get(ports, map).await?;
    find(ports, &map, entry).await
}

async fn find<P: AdminPorts>(ports: &P, map: &Map, entry: EntryId) -> Result<Conflict, AppError> {
    let none = || AppError::NotFound(ResourceKind::Conflict).about(Subject::id(&map.id, None, entry));
    ports.lanes().conflict(map, entry).await?.ok_or_else(none)
}

/// Brings back the value that lost: appends an entry that writes it to both apps.
///
/// # Errors
/// The map or the conflict does not exist, the conflict was reversed before, the reason is missing, or the store does
/// not answer.
pub async fn reverse<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    map: &MapId,
    entry: EntryId,
    reason: &str,
) -> Result<Conflict, AppError> {
    let reason = checked(reason)?;
    let map = maps::get(ports, map).await?;
    let found = find(ports, &map, entry).await?;
    if found.unreadable.is_some() {
        return Err(AppError::Conflict(StateConflict::Unreadable).about(Subject::id(&map.id, None, entry)));
    }
    let by = Attribution { actor: caller.name.clone(), at: ports.now(), reason: reason.to_owned() };
    let write = Write {
        id: WriteId::made(ports.fresh_id()),
        body: ContentHash::of(&found.lost),
        origin: None,
        shape: found.kept_on.other(),
        mode: Mode::Committed,
        image: found.lost.clone(),
    };
    let id = EntryId(ports.fresh_id());
    let reversed = Conflict { reversed: Some((by, id)), ..found };
    let done = bring_back(ports, &map, BringBack::Conflict(&reversed), &Work::Write(write), id, None).await;
    done.map_err(|error| error.about(Subject::id(&map.id, Some(&reversed.key), entry)))?;
    Ok(reversed)
}
