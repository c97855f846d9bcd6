//! What an initial sync will cost, by what a dry run has found.

use super::{RunState, SyncKind, SyncRun};
use crate::map::{PerSide, SideIx};

/// Write units of `DynamoDB` for a record that is copied, at most: a claim and a settlement of a head of 2 KB, with its place
/// in the index, and a share of a commit of the run (`infra/README.md`, what a sync run costs).
const UNITS_PER_COPY: u64 = 7;
/// The same for a record that is looked at twice first: put into the list of records to look at again, and taken out.
const UNITS_PER_SECOND_LOOK: u64 = 4;
/// The same for ten records that are equal: their share of the commits of a page.
const UNITS_PER_TEN_EQUAL: u64 = 6;
/// A difference is confirmed by a second look.
const LOOKS: u64 = 2;

/// Requests to one app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppCalls {
    /// Pages of its list.
    pub pages: u64,
    /// Reads of single records.
    pub reads: u64,
    /// Writes of single records. Each may take up to three requests: `SideConfig::requests_per_write`.
    pub writes: u64,
}

/// What an initial sync will cost, if nobody changes anything and nothing fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyCost {
    /// Requests to each app.
    pub calls: PerSide<AppCalls>,
    /// Write units of `DynamoDB`, at most.
    pub write_units: u64,
    /// How long it takes if its requests go as fast as those of the dry run, in milliseconds. `None`: that made none.
    pub takes_ms: Option<u64>,
}

impl AppCalls {
    fn sum(&self) -> u64 {
        self.pages + self.reads + self.writes
    }
}

impl SyncRun {
    /// What an initial sync with the same choice will cost. Only a finished dry run knows.
    #[must_use]
    pub fn cost_of_copy(&self) -> Option<CopyCost> {
        let ended = self.ended.filter(|_| self.choice.kind == SyncKind::DryRun && self.state == RunState::Finished)?;
        let mut calls = PerSide::<AppCalls>::default();
        let (mut units, mut asked) = (0, 0);
        for side in SideIx::BOTH {
            let (other, counts) = (side.other(), &self.counts[side]);
            calls[side].pages += self.progress[side.at()].pages;
            // The winner's record that the other app lacks is copied as it was read, after one more question.
            let as_read = if side == self.choice.winner { counts.inserted } else { 0 };
            let looked_at = counts.inserted + counts.updated - as_read;
            calls[other].reads += as_read + LOOKS * looked_at;
            calls[side].reads += LOOKS * looked_at;
            calls[other].writes += as_read + looked_at;
            units += UNITS_PER_COPY * (as_read + looked_at) + UNITS_PER_SECOND_LOOK * looked_at;
            units += (UNITS_PER_TEN_EQUAL * counts.equal).div_ceil(10);
            // The dry run looked once at each of them, in both apps.
            asked += self.progress[side.at()].pages + 2 * (counts.inserted + counts.updated);
        }
        let planned: u64 = calls.0.iter().map(AppCalls::sum).sum();
        let took_ms = ended.ms_since(self.began);
        let takes_ms = took_ms.saturating_mul(planned).checked_div(asked);
        Some(CopyCost { calls, write_units: units, takes_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sync::estimate::tests::run, time::Timestamp};
    use SideIx::{First, Second};

    #[test]
    fn a_finished_dry_run_says_what_a_copy_costs() {
        let mut run = run();
        (run.counts[First].inserted, run.counts[First].updated, run.counts[First].equal) = (100, 10, 1_000);
        (run.counts[Second].inserted, run.counts[Second].equal) = (5, 1_000);
        (run.progress[0].pages, run.progress[1].pages) = (3, 3);
        assert_eq!(run.cost_of_copy(), None, "it is not over");
        (run.state, run.ended) = (RunState::Finished, Some(Timestamp(run.began.0 + 1_000)));
        let cost = run.cost_of_copy().unwrap();
        let first = AppCalls { pages: 3, reads: 2 * 10 + 2 * 5, writes: 5 };
        let second = AppCalls { pages: 3, reads: 100 + 2 * 10 + 2 * 5, writes: 110 };
        assert_eq!(cost.calls, PerSide([first, second]));
        assert_eq!(cost.write_units, 7 * 115 + 4 * 15 + 2 * 600);
        let (planned, asked) = (38 + 243, 6 + 2 * 115);
        assert_eq!(cost.takes_ms, Some(1_000 * planned / asked));
        run.choice.kind = SyncKind::Reconcile;
        assert_eq!(run.cost_of_copy(), None);
    }
}
