//! The use cases: load, decide (in `domain`), save, do. One file each, over the ports they need.

pub mod admin;
pub mod alerts;
mod attempt;
pub mod backlog_age;
mod cas;
pub mod drain;
pub mod error;
pub mod ingest;
pub mod lookup;
mod map_state;
mod next_entry;
pub mod ports;
pub mod problem;
pub mod request;
mod rotation;
pub mod sync;
mod wake;
pub mod write;

pub use ports::Ports;
