//! Echoes: noted beside the head, often while the write they echo is in flight.

use app::ports::{Commit, CommitError, Lanes};
use domain::{lane::Echoes, limits::RECENT_ANSWERS};

use super::values::{head, lane, noted};

/// Noting an echo leaves the head's version alone, and a commit leaves the echoes alone; neither makes the other fail.
///
/// # Panics
/// The journal breaks the contract.
pub async fn echoes_and_head_change_independently<L: Lanes>(lanes: &L) {
    let lane = lane("customers", "C-1");
    let none = Echoes::default();
    assert_eq!(lanes.note_echo(&lane, &none, &noted(&none, 1)).await, Err(CommitError::Stale), "an echo needs a lane");
    assert_eq!(lanes.head(&lane).await, Ok(None));
    let commit = |version| Commit { head: head(version), expected: version - 1, ops: Vec::new() };
    assert_eq!(lanes.commit(&lane, commit(1)).await, Ok(()));

    let one = noted(&none, 1);
    assert_eq!(lanes.note_echo(&lane, &none, &one).await, Ok(()));
    assert_eq!(lanes.head(&lane).await, Ok(Some((head(1), one.clone()))), "the head is at the version it was");
    assert_eq!(lanes.note_echo(&lane, &none, &noted(&none, 2)).await, Err(CommitError::Stale), "not from nothing");
    // A commit that was decided before the echo came still holds.
    assert_eq!(lanes.commit(&lane, commit(2)).await, Ok(()));
    assert_eq!(lanes.head(&lane).await, Ok(Some((head(2), one.clone()))), "a commit keeps the echoes");

    let two = noted(&one, 2);
    assert_eq!(lanes.note_echo(&lane, &one, &two).await, Ok(()));
    let stale = lanes.note_echo(&lane, &one, &noted(&one, 3)).await;
    assert_eq!(stale, Err(CommitError::Stale), "read before another was noted");
    assert_eq!(lanes.head(&lane).await, Ok(Some((head(2), two.clone()))));

    let mut all = two;
    for n in 3..RECENT_ANSWERS as u64 + 6 {
        let more = noted(&all, n);
        assert_eq!(lanes.note_echo(&lane, &all, &more).await, Ok(()));
        all = more;
    }
    assert_eq!(lanes.head(&lane).await, Ok(Some((head(2), all))), "the floor is kept too");
}
