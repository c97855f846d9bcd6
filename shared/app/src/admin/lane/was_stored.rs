//! Finds out whether a commit without an answer was stored.

use domain::{
    EntryId, Map, WriteId,
    lane::{ArchiveCause, Attribution, Head, JournalEffect, MarkerState, Outcome},
};

use super::Command;
use crate::{
    admin::AdminPorts,
    error::AppError,
    ports::{Archive, LaneKey, Lanes},
};

/// A commit that may have been stored although no answer said so.
pub(super) struct PendingCommit {
    /// The head of the commit.
    pub(super) next: Head,
    /// The place of the entry.
    pub(super) seq: u64,
    /// The operator. The entry keeps this attribution.
    pub(super) by: Attribution,
    /// The first entry that the commit archives.
    pub(super) kept: Option<EntryId>,
    /// The id that the caller gave the write.
    pub(super) write: Option<WriteId>,
    pub(super) command: Command,
}

pub(super) fn archive_id(effect: &JournalEffect) -> Option<EntryId> {
    match effect {
        JournalEffect::Archive(archived, _) | JournalEffect::Keep(archived) => Some(archived.id),
        _ => None,
    }
}

/// Returns whether a commit was stored. The lane may have moved on since, so this looks for the traces of the commit.
pub(super) async fn was_stored<P: AdminPorts>(
    ports: &P,
    map: &Map,
    lane: &LaneKey,
    pending: &PendingCommit,
) -> Result<bool, AppError> {
    if let Some(kept) = pending.kept {
        return Ok(ports.lanes().one_archived(map, kept).await?.is_some());
    }
    if let Some(entry) = ports.lanes().entry(lane, pending.seq).await? {
        return Ok(entry.bears(&pending.by));
    }
    // The entry has ended since. Either the command caused that, or it came too late.
    let marker = match pending.write {
        Some(write) => ports.lanes().marker(&lane.map, write).await?,
        None => None,
    };
    let outcome = marker.and_then(|marker| match marker.state {
        MarkerState::Final { outcome, .. } => Some(outcome),
        MarkerState::Open | MarkerState::WrittenBackLater => None,
    });
    Ok(match pending.command {
        Command::Retry => matches!(outcome, Some(Outcome::Written { .. })),
        Command::Cancel => matches!(outcome, Some(Outcome::Archived { cause: ArchiveCause::Cancelled })),
        _ => false,
    })
}
