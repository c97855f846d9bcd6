//! What the figures of `README.md` are measured with: the built functions under a Lambda runtime API of our own, the
//! AWS emulator, and an app that does nothing.

pub mod account;
pub mod app;
pub mod drained;
pub mod function;
pub mod journal;
pub mod price;
pub mod proxy;
pub mod sample;
pub mod stats;
