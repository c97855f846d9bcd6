//! The API as a caller meets it: requests through the router, over stores in memory.
//!
//! Every answer is checked against the `OpenAPI` document, and so is every body that is accepted.

mod deletions;
mod document;
mod entries;
mod events;
mod front;
mod harness;
mod logs;
mod maps;
mod openapi;
mod operators;
mod pause;
mod probed;
mod records;
mod rules;
mod sides;
mod suggested;
mod switch;
mod sync_order;
mod sync_winners;
mod syncs;
mod tokens;
