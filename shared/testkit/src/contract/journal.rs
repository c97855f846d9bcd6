//! What becomes of entries and markers when an entry is tried, and when it is over.

use app::ports::{Commit, JournalOp, LaneKey, Lanes};
use domain::lane::{Entry, MarkerState, Outcome};
use serde_json::json;

use super::values::{AT, entry, full_entry, head, lane, marker, refused, restore, write_id};

async fn commit<L: Lanes>(lanes: &L, lane: &LaneKey, version: u64, ops: Vec<JournalOp>) {
    let commit = Commit { head: head(version), expected: version - 1, ops };
    assert_eq!(lanes.commit(lane, commit).await, Ok(()));
}

/// An attempt changes the entry. Its marker says "open" already and stays as it is, until it says something else.
///
/// # Panics
/// The journal breaks the contract.
pub async fn an_updated_entry_keeps_an_open_marker<L: Lanes>(lanes: &L) {
    let lane = lane("customers", "C-1");
    let first = entry(1, 1, json!({"name": "Ada"}));
    let open = marker(&lane, &first, MarkerState::Open);
    commit(lanes, &lane, 1, vec![JournalOp::Append(first, Some(open.clone()))]).await;
    let tried = full_entry(1, 1);
    // Told to store an open marker with another body: it must not be touched.
    let other = domain::lane::Marker { body: domain::ContentHash(1), ..open.clone() };
    commit(lanes, &lane, 2, vec![JournalOp::Update(tried.clone(), Some(other))]).await;
    assert_eq!(lanes.entry(&lane, 1).await, Ok(Some(tried.clone())));
    assert_eq!(lanes.marker(&lane.map, write_id(1)).await, Ok(Some(open)));
    commit(lanes, &lane, 3, vec![JournalOp::Update(tried.clone(), None)]).await;
    let later = marker(&lane, &tried, MarkerState::WrittenBackLater);
    commit(lanes, &lane, 4, vec![JournalOp::Update(tried, Some(later.clone()))]).await;
    assert_eq!(lanes.marker(&lane.map, write_id(1)).await, Ok(Some(later)));
}

/// A finished entry leaves the journal, its neighbours stay, and its marker tells how it ended.
///
/// # Panics
/// The journal breaks the contract.
pub async fn a_finished_entry_leaves_its_marker<L: Lanes>(lanes: &L) {
    let lane = lane("customers", "C-1");
    let entries: Vec<Entry> = vec![entry(1, 1, json!({})), entry(2, 2, json!({})), restore(3)];
    for (version, entry) in (1..).zip(&entries) {
        let open = entry.marker(&lane.key, MarkerState::Open);
        commit(lanes, &lane, version, vec![JournalOp::Append(entry.clone(), open)]).await;
    }
    let written = MarkerState::Final { outcome: Outcome::Written { crossing: None }, at: AT };
    let written = marker(&lane, &entries[0], written);
    commit(lanes, &lane, 4, vec![JournalOp::Finish { seq: 1, marker: Some(written.clone()) }]).await;
    assert_eq!(lanes.entry(&lane, 1).await, Ok(None));
    assert_eq!(lanes.entry(&lane, 2).await, Ok(Some(entries[1].clone())));
    // A refusal may bring a restore with it: all in one commit.
    let ended = marker(&lane, &entries[1], MarkerState::Final { outcome: refused(), at: AT });
    let ops = vec![JournalOp::Finish { seq: 2, marker: Some(ended.clone()) }, JournalOp::Append(restore(4), None)];
    commit(lanes, &lane, 5, ops).await;
    commit(lanes, &lane, 6, vec![JournalOp::Finish { seq: 3, marker: None }]).await;
    for (seq, stored) in [(1, None), (2, None), (3, None), (4, Some(restore(4)))] {
        assert_eq!(lanes.entry(&lane, seq).await, Ok(stored), "entry {seq}");
    }
    assert_eq!(lanes.marker(&lane.map, write_id(1)).await, Ok(Some(written)));
    assert_eq!(lanes.marker(&lane.map, write_id(2)).await, Ok(Some(ended)));
}
