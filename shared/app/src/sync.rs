//! `initial-sync`'s use case: works on a run page by page, and looks again at what could not be decided.
//!
//! Everything that a run has done is committed in small steps, each with its counts and findings, conditional on the run's
//! version. A worker that dies, or two at a time, repeat a step at most: what was copied before is known by its lane.

mod compare;
mod copy;
mod deletion;
mod doubt;
mod look;
mod page;
mod schedule;
mod select;
mod step;
mod sweep;
mod turn;
mod work;

pub(crate) use self::{page::PAGE_ROWS, schedule::expect_rows};
pub use self::{
    sweep::{Swept, sweep},
    work::{WorkEnd, work},
};
