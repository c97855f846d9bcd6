//! `resume-drain`'s use cases: go on with one lane, replay a map's backlog, and the sweep that finds what a crash or a
//! lost message left.
//!
//! **Invariant: a pointer is only a wake-up.** Whatever a message names, a worker runs the lane's next entry; a queue
//! that lost, doubled or delayed everything would cost time and nothing else.

mod drained;
mod ends;
mod lane;
mod lease;
mod map;
mod pace;
mod probe;
mod resend_pointers;
mod run;
mod sweep;

pub use self::{
    drained::Drained,
    lane::{LaneEnd, LaneRun, named_lane, run_lane},
    map::drain_map,
    pace::{MAX_AT_ONCE, Pace},
    probe::{AppHealth, probe_map},
    sweep::sweep,
};
