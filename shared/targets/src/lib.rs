//! The connectors: they write a record to an app and report the outcome.
//!
//! [`Connectors`] implements [`app::ports::Apps`]. A call is first *planned* (`plan`, `odata`, `rest`: pure, the
//! request as data) and then *sent* (`wire`: deadlines, guard, bounds, and the end of the call named for
//! [`domain::failure::classify`]). Between the two stand who we are (`auth`) and, for `versioned` sides, what must not
//! have changed (`precondition`).
//!
//! All records of an entity are read page by page by `list`: a row that cannot be a record spoils no other.
//!
//! Architecture invariant: nothing here sends a request twice after an unknown outcome. That is the lane's decision.

mod answer;
mod auth;
mod breaker;
mod clients;
mod connectors;
mod csrf;
mod decode;
mod explain;
mod find;
#[cfg(test)]
mod fuzz;
mod guard;
mod limits;
mod list;
mod metadata;
mod network;
mod odata;
mod path;
mod plan;
mod precondition;
mod refused_key;
mod resolver;
mod rest;
mod retry_after;
mod sample;
mod secrets;
mod slots;
mod token;
mod wire;

pub use self::{
    connectors::Connectors,
    guard::{Guard, Refusal},
    secrets::Secrets,
};
