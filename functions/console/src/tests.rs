//! The console as a browser meets it: requests through the router, over stores in memory.

mod commands;
mod front;
mod harness;
mod house;
mod pages;
