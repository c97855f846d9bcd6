//! Use cases of operators: sides, maps, entries, logs, alerts, tokens, and the whole configuration as one document.
//!
//! **Invariant: every change names the version that it is based on**, always in the store, and also in the request if
//! somebody else may have changed the item. Nobody overwrites a version that they have not seen.

pub mod archive;
mod archive_guard;
pub mod backlog;
pub mod conflicts;
pub mod console;
pub mod cursor;
mod diff;
pub mod document;
mod entry;
pub mod export;
pub mod incidents;
pub mod lane;
pub mod logs;
pub mod map_commands;
pub mod maps;
pub mod open_lanes;
mod page;
pub mod parked;
mod plan;
pub mod preview;
mod renames;
pub mod rules;
pub mod sessions;
pub mod sides;
pub mod syncs;
pub mod tokens;
mod version;
pub mod view;

pub use self::{
    archive_guard::{DiscardPolicy, SETTLE_MS},
    version::{Precondition, SaveResult},
};
use std::future::Future;

use crate::{
    error::AppError,
    ports::{CommitError, ConfigStore, MailPorts, PortError, Role, SyncPorts, Tokens},
};

/// Largest configuration of one side or map, in bytes of JSON. The write path reads it, and a DynamoDB item has at most
/// 400 KB.
pub const MAX_CONFIG_BYTES: usize = 256 * 1024;

/// The ports of the operators' use cases.
pub trait AdminPorts: MailPorts + SyncPorts + Send + 'static {
    /// Maps and sides.
    type Store: ConfigStore + Send;
    /// Tokens.
    type Tokens: Tokens + Send;

    /// Maps and sides.
    fn store(&self) -> &Self::Store;
    /// Tokens.
    fn tokens(&self) -> &Self::Tokens;
    /// SHA-256, in hex, of the first admin's token. The deployment sets it, so that somebody can create further tokens.
    fn first_admin_sha256(&self) -> Option<&str>;
    /// Number of batches of the table's stream that could not be logged for half a day. `None` if it is unknown.
    fn failed_batches(&self) -> impl Future<Output = Option<u64>> + Send;
    /// Returns 256 random bits from the operating system.
    ///
    /// # Errors
    /// The operating system does not provide randomness.
    fn fresh_secret(&self) -> Result<[u8; 32], PortError>;
}

/// The authenticated caller of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name of the token. Every change records it.
    pub name: String,
    /// The role of the token.
    pub role: Role,
}

/// Reports a stale commit as a changed version. The stored version is not read again.
fn lost(error: CommitError) -> AppError {
    match error {
        CommitError::Stale | CommitError::Duplicate => AppError::VersionChanged { stored: None },
        CommitError::Port(error) => AppError::Port(error),
    }
}

fn fits<C: serde::Serialize>(config: &C) -> Result<bool, AppError> {
    let json = serde_json::to_vec(config).map_err(|error| PortError::Permanent(error.to_string()))?;
    Ok(json.len() <= MAX_CONFIG_BYTES)
}
