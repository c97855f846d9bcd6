//! What a journal makes of items that it cannot read.

use app::ports::{Archive, Commit, JournalOp, Lanes};
use domain::{
    EntryId,
    id::MapUid,
    lane::{Entry, Head, MarkerState, ParkReason, Work},
};
use serde_json::json;

use super::{
    archive::{archived, conflict, map},
    values::{AT, entry, head, lane, marker, write_id},
};
use crate::memory::StoredItem;

fn is_unreadable(entry: &Entry) -> bool {
    let why = match &entry.work {
        Work::Unreadable(damaged) => damaged.why.contains("cannot be read") && !damaged.raw.is_empty(),
        Work::Write(_) | Work::Restore { .. } => false,
    };
    why && entry.parked == Some(ParkReason::Unreadable)
}

/// An item that cannot be read is there, says so, and hides none of its neighbours; a head is rebuilt from what waits in its
/// lane, and its next change is stored.
///
/// # Panics
/// The journal breaks the contract.
pub async fn what_cannot_be_read_is_there_and_says_so<L: Lanes + Archive>(lanes: &L, damage: impl AsyncFn(StoredItem)) {
    let (map, lane) = (map(), lane("customers", "C-1"));
    let waiting: Vec<_> = (1..=3).map(|seq| entry(seq, seq, json!({"n": seq}))).collect();
    for (version, entry) in (1..).zip(&waiting) {
        let op = JournalOp::Append(entry.clone(), Some(marker(&lane, entry, MarkerState::Open)));
        let head = Head { next_seq: entry.seq + 1, ..head(version) };
        assert_eq!(lanes.commit(&lane, Commit { head, expected: version - 1, ops: vec![op] }).await, Ok(()));
    }
    let ops = vec![
        JournalOp::Keep(Box::new(archived(1, 7, domain::lane::ArchiveCause::Edited))),
        JournalOp::Keep(Box::new(archived(2, 8, domain::lane::ArchiveCause::Edited))),
        JournalOp::Conflict(Box::new(conflict(&lane, 1))),
        JournalOp::Conflict(Box::new(conflict(&lane, 2))),
    ];
    let stored = Head { next_seq: 4, ..head(4) };
    assert_eq!(lanes.commit(&lane, Commit { head: stored, expected: 3, ops }).await, Ok(()));

    damage(StoredItem::Entry(lane.clone(), 2)).await;
    let found = lanes.entries(&lane, 1, 10).await.expect("the neighbours are read");
    assert_eq!((found.len(), &found[0], &found[2]), (3, &waiting[0], &waiting[2]));
    assert!(is_unreadable(&found[1]) && found[1].seq == 2, "{:?}", found[1]);
    assert_eq!(lanes.entry(&lane, 2).await, Ok(Some(found[1].clone())), "the same however it is read");
    assert!(lanes.marker(&lane.map, write_id(2)).await.expect("it is read").is_some());

    damage(StoredItem::Archived(EntryId(2))).await;
    let found = lanes.archived(&map, None, 10).await.expect("the neighbours are read");
    assert_eq!(found.iter().map(|one| one.id.0).collect::<Vec<_>>(), [2, 1]);
    assert!(is_unreadable(&found[0].entry) && !is_unreadable(&found[1].entry));
    assert_eq!(lanes.one_archived(&map, EntryId(2)).await, Ok(Some(found[0].clone())));

    damage(StoredItem::Conflict(EntryId(1))).await;
    let found = lanes.conflicts(&map, None, 10).await.expect("the neighbours are read");
    assert_eq!(
        found.iter().map(|one| (one.entry.0, one.unreadable.is_some())).collect::<Vec<_>>(),
        [(2, false), (1, true)]
    );
    assert_eq!(lanes.conflict(&map, EntryId(1)).await, Ok(Some(found[1].clone())));

    damage(StoredItem::Head(lane.clone())).await;
    let (rebuilt, _) = lanes.head(&lane).await.expect("it is rebuilt").expect("it is there");
    assert!(rebuilt.unreadable.is_some());
    assert_eq!((rebuilt.map, rebuilt.version), (MapUid(7), 4));
    assert_eq!((rebuilt.done_seq, rebuilt.next_seq), (0, 4), "three entries wait");
    assert!(rebuilt.generation > AT.0, "its versions are newer than all before");
    let next = Head { version: 5, parked: true, ..rebuilt };
    let commit = Commit { head: next.clone(), expected: 4, ops: Vec::new() };
    assert_eq!(lanes.commit(&lane, commit).await, Ok(()));
    let (stored, _) = lanes.head(&lane).await.expect("it is read").expect("it is there");
    assert_eq!(stored, Head { unreadable: None, ..next }, "from now on it can be read");
}
