//! Handlers: each reads a request, calls one use case and replies. They share helpers through [`crate::http`] alone.

pub(crate) mod archive;
pub(crate) mod backlog;
pub(crate) mod document;
pub(crate) mod download;
pub(crate) mod logs;
pub(crate) mod map_commands;
pub(crate) mod maps;
pub(crate) mod parked;
pub(crate) mod rules;
pub(crate) mod sides;
pub(crate) mod sync_download;
pub(crate) mod syncs;
pub(crate) mod tokens;
