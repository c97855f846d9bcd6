//! The use cases: load, decide (in `domain`), save, do. One file each, over the ports they need.

pub mod ports;
