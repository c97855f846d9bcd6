//! Changes that crossed, with both values, and bringing back the one that lost.

use domain::{
    ContentHash, EntryId, Map, MapId, RecordKey, WriteId,
    lane::{Attribution, Conflict, Mode, Work, Write},
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

/// Which conflicts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this record.
    pub key: Option<RecordKey>,
    /// Only those that were (or were not) reversed.
    pub reversed: Option<bool>,
}

impl Filter {
    fn passes(&self, one: &Conflict) -> bool {
        self.key.as_ref().is_none_or(|key| one.key == *key)
            && self.reversed.is_none_or(|wanted| one.reversed.is_some() == wanted)
    }
}

/// Conflicts of a map, newest first, and where the next page begins.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    map: &MapId,
    filter: &Filter,
    mut before: Option<EntryId>,
    limit: usize,
) -> Result<(Vec<Conflict>, Option<EntryId>), AppError> {
    let map = maps::get(ports, map).await?;
    let limit = limit.clamp(1, MAX_LISTED);
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = ports.lanes().conflicts(&map, before, limit).await?;
        let last = page.len() < limit;
        looked_at += page.len();
        for conflict in page {
            before = Some(conflict.entry);
            if filter.passes(&conflict) {
                found.push(conflict);
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

/// One conflict, by the entry that crossed.
///
/// # Errors
/// There is no such map or conflict, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, map: &MapId, entry: EntryId) -> Result<Conflict, AppError> {
    let map = maps::get(ports, map).await?;
    find(ports, &map, entry).await
}

async fn find<P: AdminPorts>(ports: &P, map: &Map, entry: EntryId) -> Result<Conflict, AppError> {
    let none = || AppError::NotFound(Thing::Conflict).about(About::id(&map.id, None, entry));
    ports.lanes().conflict(map, entry).await?.ok_or_else(none)
}

/// Brings back the value that lost: it is written to both apps, at the end of the lane.
///
/// # Errors
/// There is no such map or conflict, it was reversed before, the reason is missing, or the store does not answer.
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
    let op = JournalOp::Reverse(Box::new(reversed.clone()));
    let back = append_with(ports, &map, &Work::Write(write), id, &op, None).await;
    back.map_err(|error| error.about(About::id(&map.id, Some(&reversed.key), entry)))?;
    Ok(reversed)
}
