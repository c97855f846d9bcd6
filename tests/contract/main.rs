//! The adapters on the emulator: each test has a table or queue of its own.
//!
//! The bodies are in `testkit`: the fakes that use cases are tested with keep the same contract as the real thing.

mod atomic;
mod config;
mod emulator;
mod lanes;
mod log;
mod queue;
mod stored;
mod stream;
mod syncs;
