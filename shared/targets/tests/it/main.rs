//! The connectors against real sockets: servers that answer, refuse, stay silent, cut off and lie.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on shall panic")]

mod auth;
mod bodies;
mod calls;
mod csrf;
mod encodings;
mod ends;
mod envelopes;
mod found;
mod guard;
mod keys;
mod kinds;
mod looks;
mod oauth;
mod odd;
mod pages;
mod refused_keys;
mod server;
mod setup;
mod stored;
mod upserts;
mod urls;
mod versioned;
mod writes;
