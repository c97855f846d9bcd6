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
mod progress;
mod run;

pub use self::{
    choice::{LegChoice, Selection, SyncChoice, SyncKind},
    cost::{AppCalls, CopyCost},
    counts::{LegCounts, RowEnd},
    decide::{RowTask, WaitingTask},
    estimate::{Basis, ExpectedEnd, Speed, rows_read},
    finding::{Cause, Difference, FailedCopy, FieldDifference, Finding, FindingState, LookAgain, find_differences},
    join::{Join, Joined},
    progress::{ListProgress, PageTurn},
    run::{MAX_CAUSES, RunPhase, RunState, Stall, SyncRun},
};
