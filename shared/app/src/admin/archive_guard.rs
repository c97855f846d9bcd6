//! When the lanes of a map may be left behind, and its archive with them: before it is deleted, or made to keep other
//! records in step.

use domain::{
    Map, MapState,
    lane::{ArchiveCause, Archived},
};

use super::AdminPorts;
use crate::{
    error::{AppError, StateConflict},
    ports::{Archive, ConfigStore},
};

/// How long after a stop a map is taken to be still receiving, in milliseconds. A function may go on for a second with
/// the state it knows, then takes a moment to accept a write, and the index that lists open lanes follows a moment
/// later. Leaving the lanes behind within that time would lose an acknowledged write.
pub const SETTLE_MS: u64 = 10_000;

/// Lanes that are looked at to find an open one. More than one: the index may name lanes that are idle again, and those
/// fall out only after the list was cut.
const LOOK_AT: usize = 100;

/// Archived entries that are looked through at most; those that were skipped to go live are kept for ever, and may be the
/// oldest.
const MAX_ARCHIVED: usize = 10_000;
/// Archived entries read at a time.
const PAGE: usize = 200;
/// Archived entries that are named.
const MAX_NAMED: usize = 10;

/// What becomes of the entries in the archive that were skipped to go live, and wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArchiveFate {
    /// They stand in the way.
    Kept,
    /// The operator says that they are not needed.
    GivenUp,
}

/// What stands against leaving the map's lanes and archive behind, if anything does.
pub(super) async fn obstacle<P: AdminPorts>(
    ports: &P,
    map: &Map,
    archive: ArchiveFate,
) -> Result<Option<StateConflict>, AppError> {
    match map.state {
        MapState::NotRunning => {}
        MapState::Stopped => {
            let (now, until) = (ports.now(), map.since.plus_ms(SETTLE_MS));
            if now < until {
                let retry_after_s = until.ms_since(now).div_ceil(1_000);
                return Ok(Some(StateConflict::MapSettling { until, retry_after_s }));
            }
        }
        state @ (MapState::Initializing | MapState::Running | MapState::Paused | MapState::CatchingUp) => {
            return Ok(Some(StateConflict::MapActive(state)));
        }
    }
    let open = ports.store().open_lanes(map, LOOK_AT).await?;
    if !open.is_empty() {
        return Ok(Some(StateConflict::MapNotEmpty));
    }
    if archive == ArchiveFate::GivenUp { Ok(None) } else { waiting(ports, map).await }
}

/// Acknowledged changes that nobody wrote and nobody gave up: another map's archive would not show them.
async fn waiting<P: AdminPorts>(ports: &P, map: &Map) -> Result<Option<StateConflict>, AppError> {
    let (mut some, mut looked_at, mut before) = (Vec::new(), 0, None);
    loop {
        let page = ports.lanes().archived(map, before, PAGE).await?;
        let last = page.len() < PAGE;
        looked_at += page.len();
        before = page.last().map(|last| last.id);
        let waits = |one: &Archived| one.cause == ArchiveCause::SkippedToLive && one.recovered.is_none();
        some.extend(page.into_iter().filter(waits).map(|one| (one.key, one.id)));
        let enough = some.len() > MAX_NAMED || looked_at >= MAX_ARCHIVED;
        if last || enough {
            let more = !last || some.len() > MAX_NAMED;
            some.truncate(MAX_NAMED);
            return Ok((more || !some.is_empty()).then_some(StateConflict::ArchiveWaits { some, more }));
        }
    }
}
