//! Fakes of the ports, and what every implementation of one must do.

pub mod config;
