//! The use cases: load, decide (in `domain`), save, do. One file each, over the ports they need.

pub mod admin;
mod attempt;
pub mod drain;
pub mod error;
pub mod lookup;
pub mod ports;
pub mod problem;
pub mod request;
pub mod write;

pub use ports::Ports;
