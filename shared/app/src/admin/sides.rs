//! Sides: the apps, and how they are reached.

mod examine;
mod findings;
mod test;

use domain::{
    LogId, SideId, Timestamp,
    log::{Activity, ActivityKind, Change, Order},
    map::Cause,
    side::{Health, Mistake, Side, SideConfig},
};
use futures::future::try_join_all;

pub(super) use self::{
    examine::{EndExamined, examine_end},
    findings::level_of,
    test::reach,
};
pub use self::{
    findings::{Check, Finding, Level, Suggestion},
    test::{ConnectionTest, test_connection},
};
use super::{AdminPorts, Caller, MAX_CONFIG_BYTES, Precondition, SaveResult, diff::changes, fits, lost};
use crate::{
    error::{AppError, ResourceKind, StateConflict},
    ports::{CommitError, ConfigStore, Gauges},
};

/// One side.
///
/// # Errors
/// There is none, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, id: &SideId) -> Result<Side, AppError> {
    ports.store().side(id).await?.ok_or(AppError::NotFound(ResourceKind::Side))
}

/// One side, and how its app answers.
///
/// # Errors
/// There is none, or the store does not answer.
pub async fn get_with_health<P: AdminPorts>(ports: &P, id: &SideId) -> Result<(Side, Health), AppError> {
    Ok((get(ports, id).await?, ports.lanes().noted_health(id).await?))
}

/// What the side has reported that contradicts its setting `reports_own_writes`, for people.
#[must_use]
pub fn doubt_reports(side: &Side, health: &Health) -> Option<String> {
    health.reports.contradiction(side.config.reports_own_writes)
}

/// All sides, and how their apps answer.
///
/// # Errors
/// The store does not answer.
pub async fn list<P: AdminPorts>(ports: &P) -> Result<Vec<(Side, Health)>, AppError> {
    let sides = ports.store().list_sides().await?;
    let health = try_join_all(sides.iter().map(|side| ports.lanes().noted_health(&side.id))).await?;
    Ok(sides.into_iter().zip(health).collect())
}

/// Creates a side or changes it.
///
/// # Errors
/// The configuration has mistakes, the caller is not up to date, or the store does not answer.
pub async fn put<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: SideId,
    config: SideConfig,
    expects: Precondition,
) -> Result<(Side, SaveResult), AppError> {
    let mistakes = mistakes(&config)?;
    if !mistakes.is_empty() {
        return Err(AppError::Invalid(mistakes));
    }
    let stored = ports.store().side(&id).await?;
    if let Some(same) = stored.as_ref().filter(|side| side.config == config && expects != Precondition::Nothing) {
        return Ok((same.clone(), SaveResult::Unchanged));
    }
    let expected = expects.check(stored.as_ref().map(|side| side.version))?;
    let changes = changes(stored.as_ref().map(|side| &side.config), Some(&config))?;
    let side = Side { id, config, version: expected + 1 };
    let line = line(&side.id, side.version, &caller.name, ports.now(), changes);
    match ports.store().save_side(&side, expected, &line).await {
        Ok(()) => {}
        // The answer to this very save may have been lost, and a repeat of it met its own effect.
        Err(CommitError::Stale) if ports.store().side(&side.id).await?.as_ref() == Some(&side) => {}
        Err(error) => return Err(lost(error)),
    }
    Ok((side, if expected == 0 { SaveResult::Created } else { SaveResult::Updated }))
}

/// The line of a side that is made, changed or deleted. It stands in the log of all maps.
pub(super) fn line(side: &SideId, version: u64, actor: &str, at: Timestamp, changes: Vec<Change>) -> Activity {
    Activity {
        id: LogId::of(at, Order::Change(version), &[b"side", side.as_str().as_bytes(), &version.to_be_bytes()]),
        at,
        map: None,
        actor: actor.to_owned(),
        reason: String::new(),
        cause: Cause::Operator,
        what: ActivityKind::SideChanged { side: side.clone(), changes },
    }
}

/// Every mistake in a side's configuration.
pub(super) fn mistakes(config: &SideConfig) -> Result<Vec<Mistake>, AppError> {
    let mut mistakes = config.mistakes();
    if !fits(config)? {
        let message = format!("has more than {MAX_CONFIG_BYTES} bytes");
        mistakes.push(Mistake { field: "connector".to_owned(), message });
    }
    Ok(mistakes)
}

/// Deletes a side that no map uses. A map that begins to use it at this very moment is found out when it is run.
///
/// # Errors
/// There is none, maps use it, the caller is not up to date, or the store does not answer.
pub async fn delete<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &SideId,
    expects: Precondition,
) -> Result<(), AppError> {
    let side = get(ports, id).await?;
    let version = expects.check_deletion(side.version)?;
    let maps = ports.store().list_maps().await?;
    let users: Vec<_> = maps.into_iter().filter(|map| map.config.side_ix(id).is_some()).map(|map| map.id).collect();
    if !users.is_empty() {
        return Err(AppError::Conflict(StateConflict::SideInUse(users)));
    }
    let line = line(id, version + 1, &caller.name, ports.now(), changes(Some(&side.config), None)?);
    ports.store().delete_side(id, version, &line).await.map_err(lost)
}
