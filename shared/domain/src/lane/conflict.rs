//! Two changes that crossed: both values are kept, so that the one that lost can be brought back.

use serde::{Deserialize, Serialize};

use super::{Attribution, Crossing, Entry, Head, JournalEffect, LaneVersion, Winner};
use crate::{
    id::{EntryId, RecordKey},
    map::{PerSide, SideIx},
    record::Image,
    time::Timestamp,
};

/// Two changes that crossed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The entry that crossed; there is one conflict for each.
    pub entry: EntryId,
    /// The record.
    pub key: RecordKey,
    /// The entry's version.
    pub version: LaneVersion,
    /// When it was noted: shortly before the value that lost was overwritten.
    pub at: Timestamp,
    /// The app whose change it was.
    pub origin: SideIx,
    /// Who won.
    pub winner: Winner,
    /// The value that both apps have from then on, in the fields of [`Conflict::kept_on`].
    pub kept: Image,
    /// The app that had it.
    pub kept_on: SideIx,
    /// The value that lost, in the fields of the other app.
    pub lost: Image,
    /// Who brought back the value that lost, if somebody did, and with which entry.
    pub reversed: Option<(Attribution, EntryId)>,
    /// Why it cannot be read, if it cannot: only its entry is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<String>,
}

impl Conflict {
    /// Stands for a stored conflict that cannot be read.
    #[must_use]
    pub fn unreadable(entry: EntryId, why: String) -> Self {
        Self {
            entry,
            key: RecordKey::unknown(),
            version: LaneVersion { generation: 0, seq: 0 },
            at: Timestamp(0),
            origin: SideIx::First,
            winner: Winner::ThisWrite,
            kept: Image::Absent,
            kept_on: SideIx::First,
            lost: Image::Absent,
            reversed: None,
            unreadable: Some(why),
        }
    }
}

impl Entry {
    /// Whether the entry deletes a record, and nothing of it can have been done yet.
    #[must_use]
    pub fn is_untouched_deletion(&self) -> bool {
        let deletes = self.write().is_some_and(|write| write.image == Image::Absent && write.origin.is_some());
        deletes && !self.outcome_unknown && self.done == PerSide::default() && !self.waits_for_answer()
    }

    /// Lets a deletion lose against a later change of the other app that did not know it and wins: carried out first, it would
    /// destroy what no mapping carries, for the change would only make the mapped fields anew. `behind`: what waits behind it
    /// and will be written.
    #[must_use]
    pub fn yield_to_winner(mut self, behind: &[Self]) -> Self {
        let origin = self.write().and_then(|write| write.origin);
        let wins = |later: &Self| {
            let change = later.write().is_some_and(|write| write.origin.is_some() && write.origin != origin);
            change && later.crossing.is_some_and(|crossing| crossing.winner == Winner::ThisWrite)
        };
        if self.is_untouched_deletion() && behind.iter().any(wins) {
            self.crossing = Some(Crossing { winner: Winner::TheOther });
        }
        self
    }
}

/// Notes a conflict before the entry in flight overwrites what lost.
#[must_use]
pub fn note_conflict(head: &Head, entry: &Entry, conflict: Conflict) -> (Head, Entry, Vec<JournalEffect>) {
    let entry = Entry { conflict_noted: true, ..entry.clone() };
    let mut head = Head { version: head.version + 1, ..head.clone() };
    let mut effects = vec![JournalEffect::Conflict(Box::new(conflict))];
    match head.inflight.as_mut().and_then(|inflight| inflight.direct.as_mut()) {
        Some(direct) => **direct = entry.clone(),
        None => effects.push(JournalEffect::Update(entry.clone(), None)),
    }
    (head, entry, effects)
}
