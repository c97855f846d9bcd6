//! A map as a write knows it, and how old that knowledge is.

use domain::{
    Map, MapId, Timestamp,
    lane::CallDurations,
    map::{Intake, PerSide},
    side::SideConfig,
};

use super::WriteError;
use crate::ports::{Config, Ports, SyncMap};

/// A map that was read longer ago is read again before a write is decided by it. Whoever pauses a map learns that it is
/// quiet after two seconds, and the map may have been a second old when it was read.
const MAX_AGE_MS: u64 = 500;

/// How a map was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    /// It may have been cached for up to a second.
    MayBeCached,
    /// It was read from the store.
    JustRead,
}

/// A map, when it was read, and how.
pub(super) struct KnownMap {
    pub(super) map: SyncMap,
    read_at: Timestamp,
    freshness: Freshness,
}

impl KnownMap {
    /// The map at the start of a write. A cached map that keeps its writes is read again: it may have been resumed within
    /// the last second, and a write that comes after the resume is not part of the backlog.
    pub(super) async fn confirm_cached<P: Ports>(ports: &P, id: &MapId, cached: SyncMap) -> Result<Self, WriteError> {
        if cached.state.intake() == Intake::Keep {
            return Self::read(ports, id, Freshness::JustRead).await;
        }
        Ok(Self { map: cached, read_at: ports.now(), freshness: Freshness::MayBeCached })
    }

    /// Reads the map.
    pub(super) async fn read<P: Ports>(ports: &P, id: &MapId, freshness: Freshness) -> Result<Self, WriteError> {
        let read_at = ports.now();
        let map = match freshness {
            Freshness::MayBeCached => ports.config().map(id).await?,
            Freshness::JustRead => ports.config().fresh_map(id).await?,
        };
        let map = map.ok_or_else(|| WriteError::UnknownMap(id.clone()))?;
        Ok(Self { map, read_at, freshness })
    }

    pub(super) fn map(&self) -> &Map {
        &self.map.map
    }

    /// Whether the map must be read again before anything is decided by it.
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        now.ms_since(self.read_at) >= MAX_AGE_MS
    }

    pub(super) fn may_be_cached(&self) -> bool {
        self.freshness == Freshness::MayBeCached
    }

    pub(super) fn intake(&self) -> Intake {
        self.map.state.intake()
    }

    /// The settings of both sides.
    pub(super) fn sides(&self) -> PerSide<&SideConfig> {
        PerSide(self.map.sides.each_ref().map(|side| &side.config))
    }

    /// How long the calls of one entry may take, in milliseconds.
    pub(super) fn durations(&self) -> CallDurations {
        CallDurations::of(self.map.sides.each_ref().map(|side| &side.config))
    }
}
