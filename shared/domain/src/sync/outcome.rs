//! What a run has shown about its records: whether both apps have the same.

use serde::{Deserialize, Serialize};

use super::{LegChoice, RunState, Selection, SyncRun};
use crate::map::SideIx;

/// What a run has shown about the records that it was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncOutcome {
    /// Both apps have the same.
    Equal,
    /// They do not, or nobody knows: see [`SyncRun::outcome`].
    Differs,
    /// Some records could not be compared or copied.
    Failed,
    /// An operator ended the run before it was through.
    Cancelled,
    /// The run is not over.
    Unfinished,
}

impl SyncOutcome {
    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Differs => "differs",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unfinished => "unfinished",
        }
    }
}

impl SyncRun {
    /// What the run has shown. `Equal` only if it is known of each row: a record that kept changing, that waits for an
    /// operator, or that the choice of the run left out may be otherwise in the other app.
    #[must_use]
    pub fn outcome(&self) -> SyncOutcome {
        match self.state {
            RunState::Running | RunState::Paused => return SyncOutcome::Unfinished,
            RunState::Cancelled => return SyncOutcome::Cancelled,
            RunState::Finished => {}
        }
        if SideIx::BOTH.into_iter().any(|side| self.counts[side].failed > 0) {
            return SyncOutcome::Failed;
        }
        match SideIx::BOTH.into_iter().all(|side| self.is_leg_equal(side)) {
            true => SyncOutcome::Equal,
            false => SyncOutcome::Differs,
        }
    }

    fn is_leg_equal(&self, side: SideIx) -> bool {
        let (counts, choice) = (&self.counts[side], &self.choice);
        let found = if choice.kind.writes() { 0 } else { counts.inserted + counts.updated };
        // The other side's row of the same record says what became of it, if the run copies that over what is there.
        let may_lose = side != choice.winner || !choice.winner_of_field.is_empty();
        let loses = if may_lose && choice.legs[side.other()] == LegChoice::All { 0 } else { counts.loses };
        // What the filter of the map keeps out is no concern of the map.
        let takes_all = matches!(choice.legs[side], LegChoice::All | LegChoice::ProposeDeletion);
        let left_out = if takes_all { 0 } else { counts.filtered };
        // The other app may have it still, unless it was asked, too.
        let both_asked = matches!(choice.selection, Selection::Record { .. } | Selection::Deletions(_));
        let gone = if both_asked { 0 } else { counts.gone };
        let kept = counts.proposed + counts.came_back + counts.changed_since + counts.rejected;
        found + loses + left_out + gone + kept + counts.held + counts.changing + counts.not_reached == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{LegCounts, SyncKind, tests::finished};

    #[test]
    fn a_run_says_equal_only_if_it_knows_it_of_each_row() {
        use SyncKind::{DryRun, InitialSync, Reconcile};
        use SyncOutcome::{Differs, Equal, Failed};
        let of = |kind, set: fn(&mut LegCounts), wanted| {
            let mut run = finished(kind);
            assert_eq!(run.outcome(), Equal);
            set(&mut run.counts[SideIx::Second]);
            assert_eq!(run.outcome(), wanted, "{kind:?} {:?}", run.counts);
        };
        for kind in [DryRun, Reconcile] {
            of(kind, |counts| counts.inserted = 1, Differs);
            of(kind, |counts| counts.updated = 1, Differs);
        }
        of(InitialSync, |counts| counts.inserted = 1, Equal);
        of(InitialSync, |counts| counts.updated = 1, Equal);
        for kind in [DryRun, InitialSync, Reconcile] {
            for set in [
                (|counts| counts.held = 1) as fn(&mut LegCounts),
                |counts| counts.changing = 1,
                |counts| counts.gone = 1,
                |counts| counts.not_reached = 1,
                |counts| counts.proposed = 1,
                |counts| counts.came_back = 1,
                |counts| counts.changed_since = 1,
                |counts| counts.rejected = 1,
            ] {
                of(kind, set, Differs);
            }
            for set in [
                (|counts| counts.equal = 1) as fn(&mut LegCounts),
                |counts| counts.repeated = 1,
                |counts| counts.loses = 1,
                |counts| counts.filtered = 1,
                |counts| counts.deleted = 1,
            ] {
                of(kind, set, Equal);
            }
            of(kind, |counts| (counts.failed, counts.held) = (1, 1), Failed);
        }
    }

    #[test]
    fn what_the_choice_of_a_run_leaves_out_is_not_known_to_be_equal() {
        for leg in [LegChoice::CreateOnly, LegChoice::Off] {
            let mut run = finished(SyncKind::InitialSync);
            run.choice.legs[SideIx::First] = leg;
            assert_eq!(run.outcome(), SyncOutcome::Equal);
            run.counts[SideIx::Second].loses = 1;
            assert_eq!(run.outcome(), SyncOutcome::Differs, "the winner's row was not copied over it");
            let mut run = finished(SyncKind::InitialSync);
            run.choice.legs[SideIx::Second] = leg;
            run.counts[SideIx::Second].filtered = 1;
            assert_eq!(run.outcome(), SyncOutcome::Differs);
        }
    }

    #[test]
    fn a_record_that_one_app_lacks_is_judged_by_the_other_ones_row() {
        let mut run = finished(SyncKind::Reconcile);
        run.choice.selection = Selection::Record { key: "C-1".parse().unwrap() };
        run.counts[SideIx::Second].gone = 1;
        assert_eq!(run.outcome(), SyncOutcome::Equal);
        run.choice.selection = Selection::Deletions(crate::sync::DeletionSet::All);
        assert_eq!(run.outcome(), SyncOutcome::Equal, "both apps were asked for it");
        run.counts[SideIx::First].inserted = 1;
        assert_eq!(run.outcome(), SyncOutcome::Differs);
    }

    #[test]
    fn a_run_that_is_not_over_says_so_and_each_outcome_has_one_name() {
        let wanted =
            [(RunState::Running, "unfinished"), (RunState::Paused, "unfinished"), (RunState::Cancelled, "cancelled")];
        for (state, name) in wanted {
            let run = SyncRun { state, ..finished(SyncKind::Reconcile) };
            assert_eq!(run.outcome().as_str(), name);
        }
        use SyncOutcome::{Cancelled, Differs, Equal, Failed, Unfinished};
        for outcome in [Equal, Differs, Failed, Cancelled, Unfinished] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
    }
}
