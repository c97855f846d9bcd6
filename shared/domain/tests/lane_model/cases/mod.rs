//! The cases, by the part of the protocol that they are about.

pub(crate) mod expiry;
pub(crate) mod lane;
pub(crate) mod outcomes;
pub(crate) mod queue;
pub(crate) mod refusals;
pub(crate) mod retries;
pub(crate) mod skips;
pub(crate) mod two_origins;
pub(crate) mod two_origins_doubt;
pub(crate) mod two_origins_refusals;
