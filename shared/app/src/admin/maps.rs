//! Maps: which records are kept in step, and how.

use domain::{
    Map, MapConfig, MapId, SideId, Timestamp,
    id::MapUid,
    log::{Activity, ActivityKind, Change},
    side::Mistake,
};

use super::{
    AdminPorts, Caller, DiscardPolicy, MAX_CONFIG_BYTES, Precondition, SaveResult, archive_guard,
    diff::{changes, for_the_log},
    fits, lost, renames,
};
use crate::{
    error::{AppError, ResourceKind, Subject},
    ports::{CommitError, ConfigStore, Queues},
};

/// One map.
///
/// # Errors
/// There is none, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, id: &MapId) -> Result<Map, AppError> {
    ports.store().map(id).await?.ok_or_else(|| AppError::NotFound(ResourceKind::Map).about(Subject::map(id)))
}

/// Creates a map or changes its configuration; its state stays as it is.
///
/// # Errors
/// The configuration has mistakes or names sides that do not exist, the caller is not up to date, the map has other
/// records to keep in step now and is active, not empty, or has an archive that waits, or the store does not answer.
pub async fn put<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: MapId,
    config: MapConfig,
    expects: Precondition,
    archive: DiscardPolicy,
) -> Result<(Map, SaveResult), AppError> {
    let mut mistakes = mistakes(&config)?;
    for (i, end) in config.sides.iter().enumerate() {
        if ports.store().side(&end.side).await?.is_none() {
            mistakes.push(no_such_side(&format!("sides[{i}].side"), &end.side));
        }
    }
    if !mistakes.is_empty() {
        return Err(AppError::Invalid(mistakes));
    }
    let stored = ports.store().map(&id).await?;
    if let Some(same) = stored.as_ref().filter(|map| map.config == config && expects != Precondition::Nothing) {
        return Ok((same.clone(), SaveResult::Unchanged));
    }
    let expected = expects.check(stored.as_ref().map(|map| map.version))?;
    if let Some(stored) = &stored
        && syncs_other_records(&stored.config, &config)
        && let Some(conflict) = archive_guard::find_obstacle(ports, stored, archive).await?
    {
        return Err(AppError::Conflict(conflict).about(Subject::map(&id)));
    }
    if let Some(stored) = stored.as_ref().filter(|stored| !syncs_other_records(&stored.config, &config)) {
        let undeclared = renames::find_undeclared(ports, stored, &config).await?;
        if !undeclared.is_empty() {
            return Err(AppError::Invalid(undeclared));
        }
    }
    let (uid, now) = (MapUid(ports.fresh_id()), ports.now());
    let changes = changes(stored.as_ref().map(|stored| &stored.config), Some(&config))?;
    let map = match stored {
        Some(stored) => changed(stored, config, uid),
        None => Map::new(id, uid, config, &caller.name, now),
    };
    match save(ports, &map, expected, &line(&map, &caller.name, now, changes)).await {
        Ok(()) => {}
        Err(CommitError::Stale) if ports.store().map(&map.id).await?.as_ref() == Some(&map) => {}
        Err(error) => return Err(lost(error)),
    }
    Ok((map, if expected == 0 { SaveResult::Created } else { SaveResult::Updated }))
}

/// The line of a map that is made or changed.
pub(super) fn line(map: &Map, actor: &str, now: Timestamp, changes: Vec<Change>) -> Activity {
    let (changes, more) = for_the_log(changes);
    let what = if map.version == 1 { ActivityKind::MapCreated } else { ActivityKind::MapChanged { changes, more } };
    Activity::of_map(map, actor, now, "", what)
}

/// The line of a map that is deleted.
pub(super) fn deletion(map: &Map, actor: &str, now: Timestamp) -> Activity {
    let gone = Map { version: map.version + 1, ..map.clone() };
    Activity::of_map(&gone, actor, now, "", ActivityKind::MapDeleted)
}

/// Every mistake in a map's configuration, but for sides that do not exist.
pub(super) fn mistakes(config: &MapConfig) -> Result<Vec<Mistake>, AppError> {
    let mut mistakes = config.mistakes();
    if !fits(config)? {
        let message = format!("the map has more than {MAX_CONFIG_BYTES} bytes");
        mistakes.push(Mistake { field: "fields".to_owned(), message });
    }
    Ok(mistakes)
}

pub(super) fn no_such_side(field: &str, side: &SideId) -> Mistake {
    Mistake { field: field.to_owned(), message: format!("there is no side {side}") }
}

/// Whether the map keeps other records in step than before: other apps, other entities, other keys, or other
/// spellings of them.
pub(super) fn syncs_other_records(before: &MapConfig, after: &MapConfig) -> bool {
    let home = |config: &MapConfig| {
        config.sides.each_ref().map(|end| {
            (end.side.clone(), end.entity.clone(), end.key_field.clone(), end.key_types.clone(), end.fixed_key.clone())
        })
    };
    home(before) != home(after) || before.key_rule != after.key_rule
}

/// The map with another configuration. When it keeps other records in step it gets a new uid: what the lanes remember
/// of the records before says nothing about these.
pub(super) fn changed(map: Map, config: MapConfig, fresh: MapUid) -> Map {
    let uid = if syncs_other_records(&map.config, &config) { fresh } else { map.uid };
    Map { uid, config, version: map.version + 1, ..map }
}

/// Deletes a map that is stopped and has nothing left to write or to bring back.
///
/// # Errors
/// There is none, it is active, not empty, or has an archive that waits, the caller is not up to date, or the store does not answer.
pub async fn delete<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    expects: Precondition,
    archive: DiscardPolicy,
) -> Result<(), AppError> {
    let map = get(ports, id).await?;
    let version = expects.check_deletion(map.version)?;
    if let Some(conflict) = archive_guard::find_obstacle(ports, &map, archive).await? {
        return Err(AppError::Conflict(conflict).about(Subject::map(id)));
    }
    // The version is that of the map that was found empty: if it was run in the meantime, this fails.
    let line = deletion(&map, &caller.name, ports.now());
    ports.store().delete_map(id, version, &line).await.map_err(lost)?;
    forget_queue(ports, &map).await;
    Ok(())
}

/// Saves a map. Its queue is there before it is: who pauses a map finds one. A map that keeps other records in step from
/// now on has another one; the old one goes.
pub(super) async fn save<P: AdminPorts>(
    ports: &P,
    map: &Map,
    expected: u64,
    line: &Activity,
) -> Result<(), CommitError> {
    let before = if expected == 0 { None } else { ports.store().map(&map.id).await? };
    ports.queues().create(map).await?;
    ports.store().save_map(map, expected, line).await?;
    if let Some(left) = before.filter(|before| before.uid != map.uid) {
        forget_queue(ports, &left).await;
    }
    Ok(())
}

/// Removes the queue that no map has any more. One that stays behind costs nothing and holds nothing but pointers.
pub(super) async fn forget_queue<P: AdminPorts>(ports: &P, map: &Map) {
    if let Err(error) = ports.queues().remove(map).await {
        tracing::warn!(map.id = %map.id, %error, "could not delete the queue of a deleted map; it stays, empty");
    }
}
