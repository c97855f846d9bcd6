//! Many at once.

use app::ports::{Commit, CommitError, JournalOp, Lanes};
use domain::{Timestamp, lane::MarkerState};
use futures::future::join_all;
use serde_json::json;

use super::values::{entry, head, lane, marker, write_id};

/// Writers of one record at the same time.
const WRITERS: u64 = 20;
const ROUNDS: u64 = 6;

/// Of many commits from the same version exactly one is stored, whole; the others are told of a conflict.
///
/// # Panics
/// The journal breaks the contract.
pub async fn of_many_commits_from_one_version_one_wins<L: Lanes>(lanes: &L) {
    let lane = &lane("customers", "C-1");
    for round in 0..ROUNDS {
        // Some rounds with a journal entry each, in a transaction; some with the head alone.
        let with_entries = round % 2 == 1;
        let commit = |writer: u64| {
            let entry = entry(round + 1, round * WRITERS + writer, json!({ "writer": writer }));
            let open = marker(lane, &entry, MarkerState::Open);
            let ops = if with_entries { vec![JournalOp::Append(entry, Some(open))] } else { Vec::new() };
            let head = domain::lane::Head { not_before: Timestamp(writer), ..head(round + 1) };
            Commit { head, expected: round, ops }
        };
        let ended = join_all((0..WRITERS).map(|writer| lanes.commit(lane, commit(writer)))).await;
        let winners: Vec<u64> = (0..).zip(&ended).filter(|(_, end)| end.is_ok()).map(|(writer, _)| writer).collect();
        assert!(ended.iter().all(|end| matches!(end, Ok(()) | Err(CommitError::Stale))), "{ended:?}");
        assert_eq!(winners.len(), 1, "round {round}: {ended:?}");
        let (stored, _) = lanes.head(lane).await.ok().flatten().expect("the head is there");
        assert_eq!((stored.version, stored.not_before), (round + 1, Timestamp(winners[0])), "round {round}");
        if with_entries {
            let entry = lanes.entry(lane, round + 1).await.ok().flatten().expect("the winner's entry is there");
            assert_eq!(entry.write().map(|write| write.id), Some(write_id(round * WRITERS + winners[0])));
            for writer in 0..WRITERS {
                let known = lanes.marker(&lane.map, write_id(round * WRITERS + writer)).await;
                assert_eq!(known.map(|marker| marker.is_some()), Ok(winners == [writer]), "round {round}");
            }
        }
    }
}
