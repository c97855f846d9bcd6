//! What operators do: sides, maps, tokens, and the whole configuration as one document.
//!
//! **Invariant: every change names the version it is based on**, in the request where somebody else may have changed
//! the thing, and always in the store. Nobody overwrites what they have not seen.

pub mod archive;
mod archive_guard;
pub mod backlog;
pub mod conflicts;
mod diff;
pub mod document;
pub mod incidents;
pub mod lane;
pub mod logs;
pub mod map_commands;
pub mod maps;
pub mod open;
pub mod parked;
mod plan;
pub mod preview;
pub mod rules;
pub mod sides;
pub mod tokens;
mod version;

pub use self::{
    archive_guard::{ArchiveFate, SETTLE_MS},
    version::{Expects, Saved},
};
use std::future::Future;

use crate::{
    error::AppError,
    ports::{CommitError, ConfigStore, MailPorts, PortError, Role, Tokens},
};

/// Largest configuration of one side or map, as JSON. A DynamoDB item ends at 400 KB and the write path reads it.
pub const MAX_CONFIG_BYTES: usize = 256 * 1024;

/// What the use cases of operators work with.
pub trait AdminPorts: MailPorts + Send + 'static {
    /// Maps and sides.
    type Store: ConfigStore + Send;
    /// Tokens.
    type Tokens: Tokens + Send;

    /// Maps and sides.
    fn store(&self) -> &Self::Store;
    /// Tokens.
    fn tokens(&self) -> &Self::Tokens;
    /// SHA-256, in hex, of the first admin's token: it comes with the deployment, so that somebody can begin.
    fn first_admin_sha256(&self) -> Option<&str>;
    /// Batches of the table's stream that could not be logged for half a day; `None`: that is not known.
    fn failed_batches(&self) -> impl Future<Output = Option<u64>> + Send;
    /// 256 bits from the operating system, which nobody can guess.
    ///
    /// # Errors
    /// The operating system has none.
    fn fresh_secret(&self) -> Result<[u8; 32], PortError>;
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name of their token. It stands in everything they do.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// A commit that lost to another one is told as a changed version; what the store holds now was not read again.
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
