//! What is done about a row.

use super::{Joined, LegChoice, RowEnd, Selection, SyncChoice, SyncKind};
use crate::map::{PerSide, SideIx};

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
    /// Decides about a row of `side` that has met its counterpart: about itself, and about the counterpart. `wins`: whether a side
    /// wins any field.
    #[must_use]
    pub fn decide_pair(&self, side: SideIx, equal: bool, wins: PerSide<bool>) -> (RowTask, WaitingTask) {
        let end = |side: SideIx| match self.legs[side] {
            _ if equal => Some(RowEnd::Equal),
            _ if self.selection == Selection::NewOnly => Some(RowEnd::Filtered),
            _ if !wins[side] => Some(RowEnd::Loses),
            LegChoice::CreateOnly | LegChoice::ProposeDeletion | LegChoice::Off => Some(RowEnd::Filtered),
            LegChoice::All => None,
        };
        (end(side).map_or(RowTask::Look, RowTask::End), end(side.other()).map_or(WaitingTask::Look, WaitingTask::End))
    }

    /// Decides about a row without a counterpart. `certain`: the other side has listed everything, and no row of it was given
    /// up.
    #[must_use]
    pub fn decide_single(&self, side: SideIx, certain: bool) -> RowTask {
        match (self.legs[side], self.kind) {
            _ if !certain => RowTask::Wait,
            (LegChoice::Off, _) => RowTask::End(RowEnd::Filtered),
            _ if self.copies_rows(side) => RowTask::CopyRow,
            // What the other side may have by now must not be overwritten; or nothing is written at all.
            _ => RowTask::Look,
        }
    }

    /// Whether rows of a side that the other one lacks are copied as they were read.
    #[must_use]
    pub fn copies_rows(&self, side: SideIx) -> bool {
        side == self.winner && self.legs[side] == LegChoice::All && self.kind == SyncKind::InitialSync
    }

    /// Decides about a row by what its first join found.
    #[must_use]
    pub fn decide_joined(
        &self,
        side: SideIx,
        joined: Joined,
        certain: bool,
        wins: PerSide<bool>,
    ) -> (RowTask, Option<WaitingTask>) {
        match joined {
            Joined::Pair { equal } => {
                let (task, waiting) = self.decide_pair(side, equal, wins);
                (task, Some(waiting))
            }
            Joined::Twice => (RowTask::End(RowEnd::Repeated), None),
            Joined::Waits => (self.decide_single(side, certain), None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use SideIx::{First, Second};

    fn choice(kind: SyncKind, legs: [LegChoice; 2]) -> SyncChoice {
        let (legs, selection) = (PerSide(legs), Selection::All);
        SyncChoice { kind, winner: First, winner_of_field: BTreeMap::new(), legs, selection, parent: None }
    }

    /// The first side wins all fields.
    const ONE_WINS: PerSide<bool> = PerSide([true, false]);
    const LOOKS: WaitingTask = WaitingTask::Look;

    fn ends(row: RowEnd, waiting: RowEnd) -> (RowTask, WaitingTask) {
        (RowTask::End(row), WaitingTask::End(waiting))
    }

    #[test]
    fn a_pair_that_differs_is_decided_by_the_winner_and_its_leg() {
        use LegChoice::{All, CreateOnly, Off};
        use RowEnd::{Equal, Filtered, Loses};
        for kind in [SyncKind::DryRun, SyncKind::InitialSync, SyncKind::Reconcile] {
            for side in [First, Second] {
                assert_eq!(choice(kind, [All, All]).decide_pair(side, true, ONE_WINS), ends(Equal, Equal));
            }
            let all = choice(kind, [All, Off]);
            assert_eq!(all.decide_pair(First, false, ONE_WINS), (RowTask::Look, WaitingTask::End(Loses)));
            assert_eq!(all.decide_pair(Second, false, ONE_WINS), (RowTask::End(Loses), LOOKS));
            for leg in [CreateOnly, Off] {
                let kept = choice(kind, [leg, All]);
                assert_eq!(kept.decide_pair(First, false, ONE_WINS), ends(Filtered, Loses));
                assert_eq!(kept.decide_pair(Second, false, ONE_WINS), ends(Loses, Filtered));
            }
        }
    }

    #[test]
    fn both_rows_of_a_pair_are_looked_at_if_each_side_wins_some_fields() {
        use LegChoice::{All, CreateOnly, Off};
        let both_win = PerSide([true, true]);
        for side in [First, Second] {
            let both = choice(SyncKind::InitialSync, [All, All]);
            assert_eq!(both.decide_pair(side, false, both_win), (RowTask::Look, LOOKS));
            assert_eq!(both.decide_pair(side, true, both_win), ends(RowEnd::Equal, RowEnd::Equal));
        }
        for leg in [CreateOnly, Off] {
            let one = choice(SyncKind::InitialSync, [All, leg]);
            assert_eq!(one.decide_pair(First, false, both_win), (RowTask::Look, WaitingTask::End(RowEnd::Filtered)));
            assert_eq!(one.decide_pair(Second, false, both_win), (RowTask::End(RowEnd::Filtered), LOOKS));
        }
    }

    #[test]
    fn a_run_of_new_records_copies_what_one_side_has_and_leaves_what_both_have() {
        use LegChoice::All;
        let new_only = SyncChoice { selection: Selection::NewOnly, ..choice(SyncKind::InitialSync, [All, All]) };
        for wins in [ONE_WINS, PerSide([true, true])] {
            for side in [First, Second] {
                assert_eq!(new_only.decide_pair(side, false, wins), ends(RowEnd::Filtered, RowEnd::Filtered));
                assert_eq!(new_only.decide_pair(side, true, wins), ends(RowEnd::Equal, RowEnd::Equal));
            }
        }
        assert_eq!(new_only.decide_single(First, true), RowTask::CopyRow);
        assert_eq!(new_only.decide_single(Second, true), RowTask::Look);
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
        for kind in [SyncKind::DryRun, SyncKind::InitialSync, SyncKind::Reconcile] {
            let mirrors = choice(kind, [All, LegChoice::ProposeDeletion]);
            assert_eq!(mirrors.decide_single(Second, false), RowTask::Wait);
            assert_eq!(mirrors.decide_single(Second, true), RowTask::Look, "a list proves nothing");
            assert!(!mirrors.copies_rows(Second));
        }
        assert!(writes.copies_rows(First) && !writes.copies_rows(Second) && !off.copies_rows(First));
    }
}
