//! The deployed bundle on the emulator, with both apps: what people and programs are promised, seen from outside.
//!
//! All tests share one stack. Each has records of its own; those that break an app or stop the map run alone.

mod batch;
mod crossing;
mod halves;
mod keys;
mod killer;
mod load;
mod outages;
mod repeats;
mod requests;
mod settled;
mod stack;
mod stopped;
mod story;
mod values;
