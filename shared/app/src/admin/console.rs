//! What the console's pages show: one use case reads all that one page needs, and gives it as views.
//!
//! **Invariant: no page costs more the more there is.** Each read has a limit; what lies beyond it is told as "or more".

mod activity;
mod commands;
mod errors;
mod overview;
mod queue;
mod status;

pub use self::{
    activity::{ActivityPage, activity},
    commands::{MapsToSwitch, SwitchRequest, prepare_switch, read_command, switch_maps},
    errors::{CausesPage, RecordsPage, causes, records},
    overview::{MAX_MAPS, Overview, OverviewFilter, overview},
    queue::{QueuePage, queue},
    status::{Counted, MapStatus},
};

/// Lines of a log, or entries of a queue, on one page.
pub const PAGE: usize = 50;
