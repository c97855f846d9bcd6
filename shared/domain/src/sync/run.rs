//! A run, as it is stored: what was asked, how far it is, and what was counted.

use serde::{Deserialize, Serialize};

use super::{
    Cause, FailedCopy, Join, LegCounts, ListProgress, RowEnd, RowTask, RunMemory, RunStart, Speed, SyncChoice,
    WaitingTask, progress::RowSeen,
};
use crate::{
    id::{MapId, MapUid, Owner, RecordKey, SideId, SyncRunId},
    lane::Attribution,
    map::{PerSide, SideIx},
    record::ContentHash,
    time::Timestamp,
};

/// Most causes that are counted apart. The others count as one.
pub const MAX_CAUSES: usize = 50;

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SyncRun {
    /// Its id.
    pub id: SyncRunId,
    /// The map.
    pub map: MapId,
    /// Tells it from an earlier map of the same name.
    pub uid: MapUid,
    /// What was asked.
    pub choice: SyncChoice,
    /// Its state.
    pub state: RunState,
    /// Counts its changes: every change is conditional on it.
    pub version: u64,
    /// Who started it.
    pub started_by: String,
    /// Why.
    pub reason: String,
    /// Who paused, resumed or cancelled it last.
    pub steered: Option<Attribution>,
    /// When it was started.
    pub began: Timestamp,
    /// When it came to its end.
    pub ended: Option<Timestamp>,
    /// What it is doing.
    pub phase: RunPhase,
    /// How far each side is read.
    pub progress: [ListProgress; 2],
    /// Rows that wait for their counterparts.
    pub join: Join,
    /// What became of the rows of each side.
    pub counts: PerSide<LegCounts>,
    /// Why records failed.
    pub causes: Vec<Cause>,
    /// Records that are to be looked at again.
    pub to_look_at: u64,
    /// How many have been so far.
    #[serde(default)]
    pub noted: u64,
    /// How fast it went in the last minutes.
    #[serde(default)]
    pub speed: Speed,
    /// How many rows of each side the last run of all records has read.
    #[serde(default)]
    pub expected_rows: PerSide<Option<u64>>,
    /// Why it does not move, if it does not.
    pub stall: Option<Stall>,
    /// Waits in a row: each is longer than the one before, whichever worker waits.
    #[serde(default)]
    pub waits: u32,
    /// Who works on it, and until when nobody else does.
    pub lease: Option<(Owner, Timestamp)>,
    /// How it was started.
    #[serde(default)]
    pub start: RunStart,
    /// What its workers tell each other.
    #[serde(default)]
    pub memory: RunMemory,
}

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It goes on by itself.
    Running,
    /// An operator, or a doubt about the source, has stopped it for now.
    Paused,
    /// An operator has ended it. What it has copied stays.
    Cancelled,
    /// It is through.
    Finished,
}

/// What a run is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunPhase {
    /// It takes the records of its selection from its parent.
    Selecting,
    /// It reads both sides page by page.
    Listing,
    /// It looks at single records again.
    Looking,
}

/// Why a run does not move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stall {
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub why: String,
    /// The side it is because of.
    pub side: Option<SideId>,
    /// When it is tried again; `None`: when an operator says so.
    pub until: Option<Timestamp>,
}

impl SyncRun {
    /// The side whose next page is read: the one whose rows the other side's wait for. `None`: both have listed
    /// everything.
    #[must_use]
    pub fn next_side(&self) -> Option<SideIx> {
        let loser = self.choice.winner.other();
        let open = |side: SideIx| self.progress[side.at()].exhausted_at.is_none();
        match (open(loser), open(loser.other())) {
            (false, false) => None,
            (true, false) => Some(loser),
            (false, true) => Some(loser.other()),
            (true, true) => {
                let behind = |side: SideIx| (self.join.waiting(side), self.progress[side.at()].pages);
                Some(if behind(loser) <= behind(loser.other()) { loser } else { loser.other() })
            }
        }
    }

    /// Takes in a row that was read: counts it, and says what is done about it, and about its counterpart. `None`: it was
    /// counted before a crash. `wins`: whether a side wins any field.
    pub fn take_row(
        &mut self,
        side: SideIx,
        key: &RecordKey,
        content: ContentHash,
        read_again: bool,
        wins: PerSide<bool>,
    ) -> Option<(RowTask, Option<WaitingTask>)> {
        match self.progress[side.at()].note_row(key, read_again) {
            RowSeen::Counted => return None,
            RowSeen::Repeated => {
                self.counts[side].read_row();
                return Some((RowTask::End(RowEnd::Repeated), None));
            }
            RowSeen::New => self.counts[side].read_row(),
        }
        let joined = self.join.offer(side, key, content);
        let certain = self.knows_all(side.other());
        let decided = self.choice.decide_joined(side, joined, certain, wins);
        if certain && joined == super::Joined::Waits {
            self.join.forget(side, key);
        }
        Some(decided)
    }

    /// Counts a row that does not take part in the join; `false`: it was counted, and ended, before a crash.
    pub fn count_row(&mut self, side: SideIx, key: &RecordKey, read_again: bool) -> bool {
        let counted = self.progress[side.at()].note_row(key, read_again) == RowSeen::Counted;
        if !counted {
            self.counts[side].read_row();
        }
        !counted
    }

    /// How many rows of a side are asked for at a time: fewer than usual after a page was too large.
    #[must_use]
    pub fn page_size(&self, side: SideIx, usual: u32) -> u32 {
        self.progress[side.at()].page_size.map_or(usual, |size| size.clamp(1, usual))
    }

    /// Whether a record that was not met on this side is not there: the side has listed everything, and no row was given up.
    #[must_use]
    pub fn knows_all(&self, side: SideIx) -> bool {
        self.progress[side.at()].exhausted_at.is_some() && self.join.remembers_all(side)
    }

    /// A row that was read ends.
    pub fn end_row(&mut self, side: SideIx, end: RowEnd) {
        self.counts[side].end_row(end);
    }

    /// A record could not be copied.
    pub fn note_failed(&mut self, leg: SideIx, key: &RecordKey, failed: &mut FailedCopy) {
        self.counts[leg].end_row(RowEnd::Failed);
        if let Some(known) = self.causes.iter_mut().find(|cause| cause.cause == failed.cause && cause.leg == leg) {
            known.records += 1;
            return;
        }
        if self.causes.len() >= MAX_CAUSES {
            failed.cause = ContentHash(0);
            if let Some(other) = self.causes.iter_mut().find(|cause| cause.cause == failed.cause) {
                other.records += 1;
                return;
            }
        }
        self.causes.push(Cause {
            cause: failed.cause,
            leg,
            class: failed.class,
            code: failed.code.clone(),
            message: failed.message.clone(),
            sample: key.clone(),
            records: 1,
        });
    }

    /// Whether every row that was read is in exactly one count, and every failure has a cause.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let failed: u64 = self.counts.0.iter().map(|counts| counts.failed).sum();
        self.counts.0.iter().all(LegCounts::add_up)
            && failed == self.causes.iter().map(|cause| cause.records).sum::<u64>()
    }

    /// Forgets what is only needed while it goes on. The rows that wait for their counterparts stay: they were not reached.
    pub fn forget_rows(&mut self) {
        self.progress.iter_mut().for_each(ListProgress::forget_rows);
    }

    /// Whether it has not moved for so long, and no operator has paused it.
    #[must_use]
    pub fn stalls_for(&self, ms: u64, now: Timestamp) -> bool {
        let Some(stall) = self.stall.as_ref().filter(|_| !self.is_over()) else { return false };
        if self.start.turn.is_some() && self.state == RunState::Running {
            return false; // it waits for its turn, however long that takes
        }
        let paused_by = self.steered.as_ref().filter(|_| self.state == RunState::Paused);
        now.ms_since(stall.since) > ms && paused_by.is_none_or(|by| by.at < stall.since)
    }

    /// Whether it is through, and no record failed.
    #[must_use]
    pub fn ended_well(&self) -> bool {
        self.state == RunState::Finished && self.counts.0.iter().all(|counts| counts.failed == 0)
    }

    /// Whether it will do anything more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self.state, RunState::Cancelled | RunState::Finished)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::{OnFailure, SyncKind, Turn, tests::finished};

    #[test]
    fn a_run_stalls_unless_an_operator_has_paused_it_or_it_is_over() {
        let stall = |since| Some(Stall { since: Timestamp(since), why: "crm is down".into(), side: None, until: None });
        let by = |at| Some(Attribution { actor: "kim".into(), at: Timestamp(at), reason: "quarter end".into() });
        let run = |state, stall, steered| SyncRun { state, stall, steered, ..finished(SyncKind::Reconcile) };
        let stalls = |run: &SyncRun, now| run.stalls_for(100, Timestamp(now));
        let waits = run(RunState::Running, stall(1_000), None);
        assert_eq!([stalls(&waits, 1_100), stalls(&waits, 1_101)], [false, true]);
        assert!(!stalls(&run(RunState::Running, None, None), 9_000));
        assert!(stalls(&run(RunState::Running, stall(1_000), by(1_000)), 9_000), "it was resumed, and waits again");
        assert!(stalls(&run(RunState::Paused, stall(1_000), by(900)), 9_000), "it has paused itself since");
        assert!(!stalls(&run(RunState::Paused, stall(1_000), by(1_000)), 9_000), "an operator has paused it");
        let mut turn = waits.clone();
        turn.start.turn = Some(Turn { after: Vec::new(), on_failure: OnFailure::Stop });
        assert!(!stalls(&turn, 9_000), "it waits for its turn");
        turn.state = RunState::Paused;
        assert!(stalls(&turn, 9_000), "it asks an operator");
        assert!(!stalls(&run(RunState::Cancelled, stall(1_000), None), 9_000));
    }
}
