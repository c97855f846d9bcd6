//! Plumbing of the API: authentication, reading requests, writing replies.

pub(crate) mod error_filter;
pub(crate) mod extract;
pub(crate) mod guard;
pub(crate) mod page;
pub(crate) mod reply;
pub(crate) mod wait;
