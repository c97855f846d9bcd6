//! Records that one app lacks and the other has.
//!
//! **Invariant: absence alone deletes nothing.** A list may leave a record out, a record may be on its way, and an app may have
//! been restored from a backup. So a run only *proposes* a deletion, and only once the record itself was asked for in both apps,
//! twice, as far apart as reports may take. A deletion that an operator has approved is an entry of the lane, as a copied row is
//! (`copied.rs`), and for the same reasons conditional on what was found when it was proposed:
//!
//! - The lane is as it was. Whatever it has accepted since is newer than the proposal.
//! - The app that lacked the record still lacks it: it was asked again, after the head was read.
//! - The other app's record is the one that was proposed. A change whose report is on its way would be lost with it.

use serde::{Deserialize, Serialize};

use super::{
    AdmitContext, CopyDecision, CopyTerms, Head, HeadVersion, Look, Outcome,
    copied::{ReadRow, apply_read_row},
    plan::content,
};
use crate::{
    map::{Map, MapConfig, SideIx},
    mapping::MappingError,
    record::{Image, Record},
    time::Timestamp,
};

/// A record that was asked for in both apps, and that one of them lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct MissingRecord {
    /// The app that lacks it.
    pub missing_from: SideIx,
    /// What the other app has.
    pub there: Record,
    /// The lane as it was before any of this was asked for.
    pub lane: HeadVersion,
    /// When the first of it was asked for.
    pub asked_at: Timestamp,
    /// See [`super::CopiedRow::unchanged_since`].
    pub unchanged_since: Timestamp,
}

impl MissingRecord {
    /// What this look has found.
    #[must_use]
    pub fn look(&self, map: &MapConfig) -> Look {
        let there = content(map, self.missing_from.other(), &Image::Present(self.there.clone()));
        Look { lane: self.lane, there, unchanged_since: self.unchanged_since }
    }

    /// This look at a record, after an earlier one: see [`super::CopiedRow::after`].
    #[must_use]
    pub fn after(self, earlier: &Look, map: &MapConfig) -> Self {
        let unchanged_since = if self.is_as_in(earlier, map) { earlier.unchanged_since } else { self.unchanged_since };
        Self { unchanged_since, ..self }
    }

    /// Whether neither the lane nor the record has changed since an earlier look.
    #[must_use]
    pub fn is_as_in(&self, earlier: &Look, map: &MapConfig) -> bool {
        let found = self.look(map);
        found.lane == earlier.lane && found.there == earlier.there
    }
}

/// Decides about the deletion of a record in the app that has it. `Write`: both looks have found the same, far enough apart. A run
/// that only proposes the deletion drops the entry; one that carries out what an operator has approved stores the head, then calls
/// the app. `head` is the lane's head as it is stored now.
///
/// # Errors
/// None: every map can carry a deletion.
pub fn apply_deletion(
    head: Option<&Head>,
    missing: MissingRecord,
    terms: CopyTerms<'_>,
    context: AdmitContext<'_>,
) -> Result<CopyDecision, MappingError> {
    let MissingRecord { missing_from, there, lane, asked_at, unchanged_since } = missing;
    let there = Image::Present(there);
    let read = ReadRow { from: missing_from, image: Image::Absent, there, lane, asked_at, unchanged_since };
    apply_read_row(head, read, terms, context)
}

/// What a lane knows of the past of a record that one app lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPast {
    /// When Tandem last wrote the record, so that both apps had it.
    pub in_step_at: Option<Timestamp>,
    /// When the app that lacks it reported that it was deleted there, or Tandem deleted it, and nothing was written since.
    pub deleted_at: Option<Timestamp>,
}

impl KnownPast {
    /// Of a lane, as it is stored.
    #[must_use]
    pub fn of(head: Option<&Head>, map: &Map, missing_from: SideIx) -> Self {
        let Some(head) = head.filter(|head| head.map == map.uid) else { return Self::default() };
        let absent = |side: SideIx| content(&map.config, side, &Image::Absent);
        let mut past = Self::default();
        for side in SideIx::BOTH {
            let memory = &head.sides[side];
            let (seq, at) = (memory.last_write_seq, memory.last_write_at);
            let is_written =
                head.recent.iter().any(|last| last.seq == seq && matches!(last.outcome, Outcome::Written { .. }));
            if !is_written {
                continue;
            }
            let is_deletion =
                memory.recent_writes.iter().any(|written| written.seq == seq && written.content == absent(side));
            let known = if is_deletion { &mut past.deleted_at } else { &mut past.in_step_at };
            *known = (*known).max(Some(at));
        }
        let reports = &head.sides[missing_from];
        if reports.last_reported == Some(absent(missing_from)) {
            past.deleted_at = past.deleted_at.max(Some(reports.last_reported_at));
        }
        past.deleted_at = past.deleted_at.filter(|deleted| past.in_step_at.is_none_or(|written| *deleted >= written));
        past
    }
}

#[cfg(test)]
mod tests;
