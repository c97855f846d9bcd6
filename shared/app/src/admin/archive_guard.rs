//! Checks that a map may abandon its lanes and its archive: before it is deleted, or before it synchronizes other records.

use domain::{
    Map, MapState,
    lane::{ArchiveCause, Archived},
};

use super::AdminPorts;
use crate::{
    error::{AppError, StateConflict},
    ports::{Archive, ConfigStore},
};

/// How long after a stop a map may still receive writes, in milliseconds. A function uses the state that it has read for
/// up to a second, then takes a moment to accept a write, and the index of open lanes follows a moment later. Abandoning
/// the lanes within that time would lose an acknowledged write.
pub const SETTLE_MS: u64 = 10_000;

/// Lanes that are read to find an open one. The index may list lanes that are idle again, and those are removed only
/// after the list was truncated, so one lane is not enough.
const LOOK_AT: usize = 100;

/// Most archived entries that are read. Entries that were skipped to go live never expire, so they may be the oldest.
const MAX_ARCHIVED: usize = 10_000;
/// Archived entries that are read at a time.
const PAGE: usize = 200;
/// Most archived entries that an error names.
const MAX_NAMED: usize = 10;

/// Whether entries that were skipped to go live, and still wait in the archive, may be discarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscardPolicy {
    /// They block the change.
    Keep,
    /// The operator does not need them.
    Discard,
}

/// Returns the reason why the map must not abandon its lanes and its archive, if there is one.
pub(super) async fn find_obstacle<P: AdminPorts>(
    ports: &P,
    map: &Map,
    policy: DiscardPolicy,
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
    if policy == DiscardPolicy::Discard { Ok(None) } else { find_waiting(ports, map).await }
}

/// Finds acknowledged changes that nobody wrote and nobody discarded. Another map's archive would not show them.
async fn find_waiting<P: AdminPorts>(ports: &P, map: &Map) -> Result<Option<StateConflict>, AppError> {
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
