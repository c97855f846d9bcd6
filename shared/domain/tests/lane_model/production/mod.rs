//! The record of two apps, checked on the production functions: what `admit`, `claim`, `yield_to_winner`, `plan` and
//! `settle` decide is taken as it is, and everything around them is searched.
//!
//! The model beside this one has the protocol in its own words: crashes, calls that land late, leases, queues. This one has
//! what the apps and their users do: callers that commit late, apps that do not report what Tandem writes or store it in a
//! form of their own, users who set a value back, deletions, and runs that copy rows read from pages. A mutant takes from the production functions what they decide
//! by: a setting, or what a head remembers.
//!
//! Time passes in two ways: by ticks, of which a case has so many, at any moment; and up to what is waited for, once nobody
//! can do anything else. Not modelled: calls that land late, plain and versioned apps, expired heads.

pub(crate) mod app;
pub(crate) mod cases;
mod check;
mod search;
pub(crate) mod setup;
pub(crate) mod state;
mod steps;
mod violation;
