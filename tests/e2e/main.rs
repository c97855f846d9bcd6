//! The deployed bundle on the emulator, with both apps: what people and programs are promised, seen from outside.
//!
//! All tests share one stack. Each has records of its own; those that break an app or stop the map run alone.

mod alerts;
mod bad_input;
mod batch;
mod cap;
mod console;
mod copies;
mod crossing;
mod deletions;
mod habits;
mod halves;
mod keys;
mod killer;
mod load;
mod logs;
mod one_function;
mod operators;
mod outages;
mod pause;
mod pauses;
mod presets;
mod readme;
mod repeats;
mod requests;
mod rotation;
mod settled;
mod stack;
mod stopped;
mod story;
mod syncs;
mod trial;
mod until;
mod values;
mod wire;
