//! Commits: a head and what goes with it are saved together or not at all.

use app::ports::{Commit, CommitError, JournalOp, Lanes};
use domain::lane::{Echoes, MarkerState};
use serde_json::json;

use super::values::{entry, head, lane, marker, write_id};

/// A lane is made by its first commit, and by no other.
///
/// # Panics
/// The journal breaks the contract.
pub async fn a_first_commit_makes_the_head<L: Lanes>(lanes: &L) {
    let (lane, other) = (lane("customers", "C-1"), lane("customers", "C-2"));
    assert_eq!(lanes.head(&lane).await, Ok(None));
    let second = Commit { head: head(2), expected: 1, ops: Vec::new() };
    assert_eq!(lanes.commit(&lane, second.clone()).await, Err(CommitError::Stale), "there is nothing to change");
    let first = Commit { head: head(1), expected: 0, ops: Vec::new() };
    assert_eq!(lanes.commit(&lane, first.clone()).await, Ok(()));
    assert_eq!(lanes.head(&lane).await, Ok(Some((head(1), Echoes::default()))));
    assert_eq!(lanes.commit(&lane, first).await, Err(CommitError::Stale), "it is not made twice");
    assert_eq!(lanes.commit(&lane, second).await, Ok(()));
    assert_eq!(lanes.head(&lane).await, Ok(Some((head(2), Echoes::default()))));
    assert_eq!(lanes.head(&other).await, Ok(None), "another record's lane is another lane");
}

/// A commit that was decided on an old head changes neither head nor journal.
///
/// # Panics
/// The journal breaks the contract.
pub async fn a_commit_from_another_version_stores_nothing<L: Lanes>(lanes: &L) {
    let lane = lane("customers", "C-1");
    let entry = entry(1, 1, json!({"name": "Ada"}));
    let open = marker(&lane, &entry, MarkerState::Open);
    let append = |version: u64| Commit {
        head: head(version),
        expected: version - 1,
        ops: vec![JournalOp::Append(entry.clone(), Some(open.clone()))],
    };
    // Neither on a lane that is not there, nor on one that went on.
    assert_eq!(lanes.commit(&lane, append(3)).await, Err(CommitError::Stale));
    assert_eq!(lanes.head(&lane).await, Ok(None));
    for version in 1..=2 {
        let commit = Commit { head: head(version), expected: version - 1, ops: Vec::new() };
        assert_eq!(lanes.commit(&lane, commit).await, Ok(()));
    }
    for stale in [1, 2, 4] {
        assert_eq!(lanes.commit(&lane, append(stale)).await, Err(CommitError::Stale), "version {stale}");
        assert_eq!(lanes.head(&lane).await.map(|found| found.map(|(head, _)| head.version)), Ok(Some(2)));
        assert_eq!(lanes.entry(&lane, 1).await, Ok(None));
        assert_eq!(lanes.marker(&lane.map, write_id(1)).await, Ok(None));
    }
    assert_eq!(lanes.commit(&lane, append(3)).await, Ok(()));
    assert_eq!(lanes.entry(&lane, 1).await, Ok(Some(entry)));
    assert_eq!(lanes.marker(&lane.map, write_id(1)).await, Ok(Some(open)));
}

/// A write whose id is in the journal is not taken again, whichever record it names.
///
/// # Panics
/// The journal breaks the contract.
pub async fn a_known_marker_stores_nothing<L: Lanes>(lanes: &L) {
    let (one, other) = (lane("customers", "C-1"), lane("customers", "C-2"));
    let first = entry(1, 1, json!({"name": "Ada"}));
    let append = |lane, entry: &domain::lane::Entry, version| Commit {
        head: head(version),
        expected: version - 1,
        ops: vec![JournalOp::Append(entry.clone(), Some(marker(lane, entry, MarkerState::Open)))],
    };
    assert_eq!(lanes.commit(&one, append(&one, &first, 1)).await, Ok(()));
    let again = entry(2, 1, json!({"name": "Eve"}));
    assert_eq!(lanes.commit(&one, append(&one, &again, 2)).await, Err(CommitError::Duplicate));
    assert_eq!(lanes.commit(&other, append(&other, &again, 1)).await, Err(CommitError::Duplicate));
    assert_eq!(lanes.commit(&one, append(&one, &again, 3)).await, Err(CommitError::Stale), "the head decides");
    assert_eq!(lanes.head(&one).await, Ok(Some((head(1), Echoes::default()))));
    assert_eq!(lanes.head(&other).await, Ok(None));
    assert_eq!(lanes.entry(&one, 2).await, Ok(None));
    let stored = lanes.marker(&one.map, write_id(1)).await;
    assert_eq!(stored, Ok(Some(marker(&one, &first, MarkerState::Open))));
    // Ids belong to their map.
    let elsewhere = lane("orders", "C-1");
    assert_eq!(lanes.commit(&elsewhere, append(&elsewhere, &first, 1)).await, Ok(()));
}
