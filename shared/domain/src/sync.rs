//! Sync runs: what two apps had before, and whether they are equal now. One engine for *dry run*, *initial sync* and *reconcile*.
//!
//! A run reads both sides page by page, joins the rows by their record keys (`join.rs`), and decides for each row (`decide.rs`).
//! What is to be copied goes through the lane of the record (`lane/copied.rs`). Each row that was read ends in one of the
//! counts of its leg (`counts.rs`), or waits as *not reached*.

mod choice;
mod cost;
mod counts;
mod decide;
mod estimate;
mod finding;
mod join;
mod line;
mod memory;
mod order;
mod outcome;
mod progress;
mod run;
mod size;
mod start;

pub use self::{
    choice::{DeletionSet, LegChoice, Selection, SyncChoice, SyncKind},
    cost::{AppCalls, CopyCost},
    counts::{LegCounts, RowEnd},
    decide::{RowTask, WaitingTask},
    estimate::{Basis, ExpectedEnd, Speed, rows_read},
    finding::{
        Cause, Deletion, DeletionFate, Difference, FailedCopy, FieldDifference, Finding, FindingState, LookAgain,
        find_differences,
    },
    join::{Join, Joined},
    line::{CauseTold, LegTold, SyncStep},
    memory::{ComparedBy, NoteKind, RunMemory, RunNote},
    order::{OrderedMap, brings, order_maps},
    outcome::SyncOutcome,
    progress::{ListProgress, PageTurn},
    run::{MAX_CAUSES, RunPhase, RunState, Stall, SyncRun},
    size::{SizeBasis, find_missing},
    start::{OnFailure, Predecessor, RunStart, Turn},
};

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{
        id::{MapUid, SyncRunId},
        map::{PerSide, SideIx},
        time::Timestamp,
    };

    /// A run that is through and has read nothing.
    pub(crate) fn finished(kind: SyncKind) -> SyncRun {
        SyncRun {
            id: SyncRunId(7),
            map: "customers".parse().unwrap(),
            uid: MapUid(1),
            choice: SyncChoice {
                kind,
                winner: SideIx::First,
                winner_of_field: Default::default(),
                legs: PerSide::default(),
                selection: Selection::All,
                parent: None,
            },
            state: RunState::Finished,
            version: 1,
            started_by: "kim".to_owned(),
            reason: "go live".to_owned(),
            steered: None,
            began: Timestamp(5),
            ended: Some(Timestamp(9)),
            phase: RunPhase::Looking,
            progress: Default::default(),
            join: Join::default(),
            counts: PerSide::default(),
            causes: Vec::new(),
            to_look_at: 0,
            noted: 0,
            stall: None,
            waits: 0,
            expected_rows: PerSide::default(),
            speed: Speed::default(),
            lease: None,
            start: RunStart::default(),
            memory: RunMemory::default(),
        }
    }
}
