//! Fakes of the ports, faults, a simulated clock, and the simulator that runs the production use cases among them.
//! Never shipped.

pub mod alerts;
pub mod apps;
mod bug;
pub mod config;
pub mod contract;
mod executor;
pub mod logs;
mod memory;
pub mod operators;
pub mod pages;
mod queues;
mod rng;
pub mod sample;
pub mod sync_runs;
mod trace;
pub mod users;
mod world;

pub use self::{
    bug::Bug,
    executor::Executor,
    memory::{Begun, CommitMishap, Ended, History, JournalFaults, Kept, MemoryLanes, StoredItem},
    queues::{MemoryQueues, QueueFaults},
    rng::Rng,
    world::{CrashedIn, SimWorld},
};
