//! What is done about a row.

use super::{Joined, LegChoice, RowEnd, SyncChoice, SyncKind};
use crate::map::SideIx;

/// What is done about a row in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowTask {
    /// It is at its end.
    End(RowEnd),
    /// The other side lacks it: it is copied as it was read, if its lane has accepted nothing yet.
    CopyRow,
    /// The record is read again on both sides.
    Look,
    /// It waits for its counterpart.
    Wait,
}

/// What is done about the row that had waited, when its counterpart came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitingTask {
    /// It is at its end.
    End(RowEnd),
    /// The record is read again on both sides.
    Look,
}

impl SyncChoice {
    /// Decides about a row of `side` that has met its counterpart: about itself, and about the counterpart.
    #[must_use]
    pub fn decide_pair(&self, side: SideIx, equal: bool) -> (RowTask, WaitingTask) {
        if equal {
            return (RowTask::End(RowEnd::Equal), WaitingTask::End(RowEnd::Equal));
        }
        let copied = self.legs[self.winner] == LegChoice::All;
        match (side == self.winner, copied) {
            (true, false) => (RowTask::End(RowEnd::Filtered), WaitingTask::End(RowEnd::Loses)),
            (false, false) => (RowTask::End(RowEnd::Loses), WaitingTask::End(RowEnd::Filtered)),
            (true, true) => (RowTask::Look, WaitingTask::End(RowEnd::Loses)),
            (false, true) => (RowTask::End(RowEnd::Loses), WaitingTask::Look),
        }
    }

    /// Decides about a row without a counterpart. `certain`: the other side has listed everything, and no row of it was given
    /// up.
    #[must_use]
    pub fn decide_single(&self, side: SideIx, certain: bool) -> RowTask {
        match (self.legs[side], self.kind) {
            _ if !certain => RowTask::Wait,
            (LegChoice::Off, _) => RowTask::End(RowEnd::Filtered),
            (LegChoice::All, SyncKind::InitialSync) if side == self.winner => RowTask::CopyRow,
            // What the other side may have by now must not be overwritten; or nothing is written at all.
            _ => RowTask::Look,
        }
    }

    /// Whether the record of a side is written over a different one that the other side has.
    #[must_use]
    pub fn overwrites(&self, from: SideIx) -> bool {
        from == self.winner && self.legs[from] == LegChoice::All
    }

    /// Decides about a row by what its first join found.
    #[must_use]
    pub fn decide_joined(&self, side: SideIx, joined: Joined, certain: bool) -> (RowTask, Option<WaitingTask>) {
        match joined {
            Joined::Pair { equal } => {
                let (task, waiting) = self.decide_pair(side, equal);
                (task, Some(waiting))
            }
            Joined::Twice => (RowTask::End(RowEnd::Repeated), None),
            Joined::Waits => (self.decide_single(side, certain), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{map::PerSide, sync::Selection};
    use SideIx::{First, Second};

    fn choice(kind: SyncKind, legs: [LegChoice; 2]) -> SyncChoice {
        SyncChoice { kind, winner: First, legs: PerSide(legs), selection: Selection::All, parent: None }
    }

    #[test]
    fn a_pair_that_differs_is_decided_by_the_winner_and_its_leg() {
        use LegChoice::{All, CreateOnly, Off};
        for kind in [SyncKind::DryRun, SyncKind::InitialSync, SyncKind::Reconcile] {
            for side in [First, Second] {
                let equal = choice(kind, [All, All]).decide_pair(side, true);
                assert_eq!(equal, (RowTask::End(RowEnd::Equal), WaitingTask::End(RowEnd::Equal)));
            }
            let all = choice(kind, [All, Off]);
            assert_eq!(all.decide_pair(First, false), (RowTask::Look, WaitingTask::End(RowEnd::Loses)));
            assert_eq!(all.decide_pair(Second, false), (RowTask::End(RowEnd::Loses), WaitingTask::Look));
            for leg in [CreateOnly, Off] {
                let kept = choice(kind, [leg, All]);
                let filtered = (RowTask::End(RowEnd::Filtered), WaitingTask::End(RowEnd::Loses));
                assert_eq!(kept.decide_pair(First, false), filtered);
                let loses = (RowTask::End(RowEnd::Loses), WaitingTask::End(RowEnd::Filtered));
                assert_eq!(kept.decide_pair(Second, false), loses);
            }
        }
    }

    #[test]
    fn only_the_winners_row_is_copied_as_it_was_read_and_only_by_a_run_that_writes() {
        use LegChoice::{All, CreateOnly, Off};
        let writes = choice(SyncKind::InitialSync, [All, All]);
        assert_eq!(writes.decide_single(First, true), RowTask::CopyRow);
        assert_eq!(writes.decide_single(Second, true), RowTask::Look, "the winner may have it by now");
        assert_eq!(writes.decide_single(First, false), RowTask::Wait);
        assert_eq!(choice(SyncKind::InitialSync, [CreateOnly, All]).decide_single(First, true), RowTask::Look);
        let off = choice(SyncKind::InitialSync, [Off, All]);
        assert_eq!(off.decide_single(First, true), RowTask::End(RowEnd::Filtered));
        for kind in [SyncKind::DryRun, SyncKind::Reconcile] {
            assert_eq!(choice(kind, [All, All]).decide_single(First, true), RowTask::Look);
        }
        assert!(writes.overwrites(First) && !writes.overwrites(Second) && !off.overwrites(First));
    }
}
