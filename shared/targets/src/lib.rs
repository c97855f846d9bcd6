//! The connectors: they write a record to an app and report the outcome.
//!
//! [`Connectors`] implements [`app::ports::Apps`]. A call has two steps. It is *planned*: `plan`, `odata` and `rest`
//! are pure and build the request as data. Then it is *sent*: `wire` applies deadlines, guard and limits, and names the
//! end of the call for [`domain::failure::classify`]. In between, `auth` adds the credentials and, for `versioned`
//! sides, `precondition` the condition that the record has not changed.
//!
//! `list` reads all records of an entity page by page. A row that is not a record does not spoil the others.
//!
//! Architecture invariant: nothing here sends a request again after an unknown outcome. The lane decides that.

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
