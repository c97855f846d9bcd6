//! Whether a command whose answer was lost was done.

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

/// A commit that may have been stored, though no answer said so.
pub(super) struct Tried {
    /// The head that it stores.
    pub(super) next: Head,
    /// The entry.
    pub(super) seq: u64,
    /// Who did it; it stands with the entry.
    pub(super) by: Attribution,
    /// What it puts into the archive.
    pub(super) kept: Option<EntryId>,
    /// The caller's id of the entry.
    pub(super) write: Option<WriteId>,
    pub(super) command: Command,
}

pub(super) fn archive_id(effect: &JournalEffect) -> Option<EntryId> {
    match effect {
        JournalEffect::Archive(archived, _) | JournalEffect::Keep(archived) => Some(archived.id),
        _ => None,
    }
}

/// Whether a commit was stored after all. The lane may have moved on since; what the commit left tells.
pub(super) async fn was_stored<P: AdminPorts>(
    ports: &P,
    map: &Map,
    lane: &LaneKey,
    tried: &Tried,
) -> Result<bool, AppError> {
    if let Some(kept) = tried.kept {
        return Ok(ports.lanes().one_archived(map, kept).await?.is_some());
    }
    if let Some(entry) = ports.lanes().entry(lane, tried.seq).await? {
        return Ok(entry.bears(&tried.by));
    }
    // It has come to its end since: that is what was wanted, or it was too late.
    let marker = match tried.write {
        Some(write) => ports.lanes().marker(&lane.map, write).await?,
        None => None,
    };
    let outcome = marker.and_then(|marker| match marker.state {
        MarkerState::Final { outcome, .. } => Some(outcome),
        MarkerState::Open | MarkerState::WrittenBackLater => None,
    });
    Ok(match tried.command {
        Command::Retry => matches!(outcome, Some(Outcome::Written { .. })),
        Command::Cancel => matches!(outcome, Some(Outcome::Archived { cause: ArchiveCause::Cancelled })),
        _ => false,
    })
}
