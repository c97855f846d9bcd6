//! Stored items that nobody can read any more.

use app::ports::LaneKey;
use domain::{
    EntryId, Timestamp,
    lane::{Archived, Conflict, Echoes, Entry, Head, Unreadable},
};

use super::MemoryLanes;
use crate::executor::lock;

/// An item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoredItem {
    /// A lane's head.
    Head(LaneKey),
    /// An entry of a lane.
    Entry(LaneKey, u64),
    /// An archived entry.
    Archived(EntryId),
    /// A conflict.
    Conflict(EntryId),
}

impl MemoryLanes {
    /// Damages an item. From now on it is read as the real journal reads an item that makes no sense.
    ///
    /// # Panics
    /// There is no such item.
    pub fn damage(&self, item: &StoredItem, now: Timestamp) {
        let what = || Unreadable { raw: "ff".to_owned(), why: "body cannot be read: damaged".to_owned() };
        let mut tables = lock(&self.tables);
        match item {
            StoredItem::Head(lane) => {
                let (old, _) = &tables.heads[lane];
                let (map, version) = (old.map, old.version);
                let mut places =
                    tables.entries.range((lane.clone(), 0)..=(lane.clone(), u64::MAX)).map(|((_, seq), _)| *seq);
                let first = places.next();
                let waiting = first.map(|first| (first, places.next_back().unwrap_or(first)));
                let head = Head::rebuilt(map, version, waiting, what(), now);
                tables.heads.insert(lane.clone(), (head, Echoes::default()));
            }
            StoredItem::Entry(lane, seq) => {
                let old = tables.entries.insert((lane.clone(), *seq), Entry::unreadable(*seq, what()));
                assert!(old.is_some(), "no entry {seq} of {lane:?}");
            }
            StoredItem::Archived(id) => {
                assert!(tables.archive.insert(*id, Archived::unreadable(*id, what())).is_some(), "{id}");
            }
            StoredItem::Conflict(entry) => {
                let damaged = Conflict::unreadable(*entry, what().why);
                assert!(tables.conflicts.insert(*entry, damaged).is_some(), "{entry}");
            }
        }
    }
}
