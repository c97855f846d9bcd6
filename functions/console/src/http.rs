//! Plumbing of the pages: who asks, whether they may, reading requests, writing replies.

pub(crate) mod assets;
pub(crate) mod cookie;
pub(crate) mod csrf;
pub(crate) mod guard;
pub(crate) mod headers;
pub(crate) mod params;
pub(crate) mod reply;
pub(crate) mod return_to;
pub(crate) mod visit;
