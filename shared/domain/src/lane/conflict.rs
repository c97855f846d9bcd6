//! Two changes that crossed: both values are kept, so that the one that lost can be brought back.

use serde::{Deserialize, Serialize};

use super::{Attribution, Entry, Head, JournalEffect, LaneVersion, Winner};
use crate::{
    id::{EntryId, RecordKey},
    map::SideIx,
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
