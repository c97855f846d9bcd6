//! Figures of drain runs.

use super::lane::{LaneEnd, LaneRun};

/// What one or more runs did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Lanes that were read.
    pub lanes: u64,
    /// Entries that were attempted.
    pub attempts: u64,
    /// Entries that came to their end.
    pub done: u64,
    /// Entries that were archived.
    pub archived: u64,
    /// Lanes in which nothing waits any more.
    pub idle: u64,
    /// Lanes whose attempt failed.
    pub failing: u64,
    /// Lanes that wait for an operator.
    pub parked: u64,
    /// Something was left: the time was up, or the run gave the app up for now.
    pub cut_short: bool,
}

impl Drained {
    /// Adds the result of one lane.
    pub(super) fn add(&mut self, run: LaneRun) {
        let is = |wanted| u64::from(run.end == wanted);
        self.lanes += 1;
        self.attempts += run.attempts;
        self.done += run.done;
        self.archived += run.archived;
        self.idle += is(LaneEnd::Idle);
        self.failing += is(LaneEnd::Failing);
        self.parked += is(LaneEnd::Parked);
        self.cut_short |= matches!(run.end, LaneEnd::OutOfTime | LaneEnd::MapNotRunning);
    }

    /// The sum of both.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            lanes: self.lanes + other.lanes,
            attempts: self.attempts + other.attempts,
            done: self.done + other.done,
            archived: self.archived + other.archived,
            idle: self.idle + other.idle,
            failing: self.failing + other.failing,
            parked: self.parked + other.parked,
            cut_short: self.cut_short || other.cut_short,
        }
    }
}
