//! What the journal says when it lies: see [`Bug`].

use app::ports::{Commit, JournalOp};
use domain::{
    Timestamp,
    lane::{Head, Recent, RestoreCause, Work},
};

use crate::bug::Bug;

/// A head as a reader gets it.
pub(super) fn about_head(mut head: Head, bug: Option<Bug>) -> Head {
    if bug == Some(Bug::IdleLaneBeginsAnew) && head.idle() {
        (head.next_seq, head.done_seq) = (1, 0);
    }
    match (bug, &mut head.inflight) {
        (Some(Bug::LeaseIsNotAwaited), Some(inflight)) => inflight.lease_end = Timestamp(0),
        (Some(Bug::LeaseNeverEnds), Some(inflight)) => inflight.lease_end = Timestamp::NEVER,
        _ => {}
    }
    head
}

/// A commit as it is stored.
pub(super) fn about_commit(mut commit: Commit, bug: Option<Bug>) -> Commit {
    let head = &mut commit.head;
    let waits_for_landing = head.inflight.as_ref().is_some_and(|inflight| inflight.owner.is_none());
    match bug {
        Some(Bug::EndTakesTwo) if head.inflight.is_none() && head.done_seq > 0 && head.done_seq + 1 < head.next_seq => {
            head.done_seq += 1;
        }
        Some(Bug::RestoreIsForgotten) if head.done_seq + 1 == head.next_seq - 1 && restores(&commit.ops) => {
            head.done_seq += 1;
            head.inflight = None;
            commit.ops.retain(|op| !matches!(op, JournalOp::Append(..)));
        }
        Some(Bug::AnswersAreForgotten) => head.recent = Recent::default(),
        Some(Bug::LandingIsIgnored) if waits_for_landing => head.inflight = None,
        _ => {}
    }
    commit
}

/// Whether a commit lays down what restores an app because its caller rolls back.
fn restores(ops: &[JournalOp]) -> bool {
    ops.iter().any(|op| match op {
        JournalOp::Append(entry, _) => matches!(entry.work, Work::Restore { cause: RestoreCause::CallerRollsBack, .. }),
        _ => false,
    })
}
