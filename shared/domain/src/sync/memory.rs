//! What the workers of a run tell each other: by which settings rows are compared, and what happened to it that its counts do
//! not show.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{RunPhase, SizeBasis, SyncRun};
use crate::{
    id::RecordKey,
    listing::Listing,
    map::{MapConfig, SideIx},
    record::ContentHash,
    side::SideConfig,
    time::Timestamp,
};

/// Most notes of a run. Those after them are not kept: the first say why the counts are as they are.
const MAX_NOTES: usize = 20;

/// What the workers of a run tell each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunMemory {
    /// The settings by which the rows that wait were compared; `None`: none was read yet.
    pub compared_by: Option<ComparedBy>,
    /// What happened to it.
    pub notes: Vec<RunNote>,
}

/// Fingerprints of the settings by which a run reads and compares rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedBy {
    mapping: ContentHash,
    lists: [ListedBy; 2],
}

/// Fingerprints of the settings by which a side lists its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ListedBy {
    /// From where, and which records.
    records: ContentHash,
    /// Which of their fields: a cursor goes on with those that its list was begun with.
    fields: ContentHash,
}

/// Something that happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunNote {
    /// When.
    pub at: Timestamp,
    /// The side it happened to.
    pub side: Option<SideIx>,
    /// What.
    pub what: NoteKind,
}

/// What happened to a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum NoteKind {
    /// The configuration of the map was changed.
    MappingChanged {
        /// Rows that had come to their end before.
        ended: u64,
    },
    /// The side lists other records, or other fields: its list began anew.
    ListChanged,
    /// The app had forgotten where its list was to go on: it began anew.
    CursorForgotten,
    /// The list ended too early. An operator is asked: to resume the run is to take the list as it is.
    ShortList {
        /// Records that it had.
        listed: u64,
        /// Records that were expected.
        expected: u64,
        /// Why.
        basis: SizeBasis,
    },
    /// A page had no rows, and was not the last. An operator is asked, as above.
    EmptyPage {
        /// Its number.
        page: u64,
    },
}

impl NoteKind {
    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::MappingChanged { ended } => format!(
                "the configuration of the map was changed after {ended} rows: those were compared by the one before. A \
                 reconcile compares them by the new one"
            ),
            Self::ListChanged => {
                "the settings of its list were changed, so it began anew: its rows count twice".to_owned()
            }
            Self::CursorForgotten => {
                "the app had forgotten where its list was to go on, so it began anew: its rows count twice".to_owned()
            }
            Self::ShortList { listed, expected, basis } => {
                format!("its list ended after {listed} records, and {}", basis.describe(*expected))
            }
            Self::EmptyPage { page } => format!("page {page} of its list was empty, and not the last"),
        }
    }
}

impl ComparedBy {
    /// The fingerprints of a map and its sides.
    #[must_use]
    pub fn of(map: &MapConfig, sides: [&SideConfig; 2]) -> Self {
        let hash = |value: &serde_json::Value| ContentHash::of_value(value);
        let listed_by = |side: SideIx| {
            let listing = Listing::of(map, side);
            let Listing { entity, key_field, fixed_key, filters, fields, .. } = &listing;
            let connector = &sides[side.at()].connector;
            ListedBy {
                records: hash(&json!([connector, entity, key_field, fixed_key, filters])),
                fields: hash(&json!(fields)),
            }
        };
        // When it is compared says nothing about how.
        let compared = MapConfig { reconcile: None, ..map.clone() };
        Self { mapping: hash(&json!(compared)), lists: SideIx::BOTH.map(listed_by) }
    }

    /// Whether a side lists the same records by both.
    #[must_use]
    pub fn lists_the_same(&self, other: &Self, side: SideIx) -> bool {
        self.lists[side.at()].records == other.lists[side.at()].records
    }
}

impl SyncRun {
    /// Notes something that happened to it.
    pub fn note(&mut self, at: Timestamp, side: Option<SideIx>, what: NoteKind) {
        if self.memory.notes.len() < MAX_NOTES {
            self.memory.notes.push(RunNote { at, side, what });
        }
    }

    /// Goes on by other settings: rows that wait are handed out, to be looked at by the new ones, at most `room` at a time. The
    /// settings are taken over when none waits any more, so that no row is compared with one that was read by others. A list that
    /// would go on with other records, or other fields, begins anew.
    pub fn adopt(&mut self, settings: ComparedBy, now: Timestamp, room: usize) -> Vec<(SideIx, RecordKey)> {
        let Some(known) = self.memory.compared_by.filter(|_| self.phase == RunPhase::Listing) else {
            self.memory.compared_by = Some(settings);
            return Vec::new();
        };
        let mut handed_out = Vec::new();
        for side in SideIx::BOTH {
            let oldest = self.join.take_oldest(side, room - handed_out.len());
            handed_out.extend(oldest.into_iter().map(|key| (side, key)));
        }
        if SideIx::BOTH.into_iter().any(|side| self.join.waiting(side) > 0) {
            return handed_out;
        }
        if known.mapping != settings.mapping {
            let ended = self.counts.0.iter().map(|counts| counts.read - counts.not_reached).sum();
            self.note(now, None, NoteKind::MappingChanged { ended });
        }
        for side in SideIx::BOTH {
            let (before, after) = (known.lists[side.at()], settings.lists[side.at()]);
            let progress = &mut self.progress[side.at()];
            let has_begun = progress.pages > 0 || progress.page_began.is_some();
            if before.records != after.records && has_begun || before != after && progress.cursor.is_some() {
                progress.begin_anew();
                SideIx::BOTH.into_iter().for_each(|side| self.join.may_lack(side));
                self.note(now, Some(side), NoteKind::ListChanged);
            }
        }
        self.memory.compared_by = Some(settings);
        handed_out
    }
}
