//! What only operators change.

use std::future::Future;

use domain::{
    Map, MapId, SideId, Timestamp,
    lane::{Entry, Head},
    log::Activity,
    side::Side,
};

use super::{CommitError, LaneKey, PortError};

/// Who may change maps and sides, and how: see `admin`. Every change is saved together with its line in the activity log.
pub trait ConfigStore: Sync {
    /// All sides, by name.
    fn list_sides(&self) -> impl Future<Output = Result<Vec<Side>, PortError>> + Send;
    /// One side.
    fn side(&self, id: &SideId) -> impl Future<Output = Result<Option<Side>, PortError>> + Send;
    /// Saves a side if its stored version is `expected` (0: there is none).
    fn save_side(
        &self,
        side: &Side,
        expected: u64,
        line: &Activity,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Deletes a side if its stored version is `expected`.
    fn delete_side(
        &self,
        id: &SideId,
        expected: u64,
        line: &Activity,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// All maps, by name.
    fn list_maps(&self) -> impl Future<Output = Result<Vec<Map>, PortError>> + Send;
    /// One map.
    fn map(&self, id: &MapId) -> impl Future<Output = Result<Option<Map>, PortError>> + Send;
    /// Saves a map if its stored version is `expected` (0: there is none).
    fn save_map(
        &self,
        map: &Map,
        expected: u64,
        line: &Activity,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Deletes a map if its stored version is `expected`.
    fn delete_map(
        &self,
        id: &MapId,
        expected: u64,
        line: &Activity,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Heads of a map's lanes that are not idle, at most `limit`, with the entry each stands at.
    fn open_lanes(
        &self,
        map: &Map,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(LaneKey, Head, Option<Entry>)>, PortError>> + Send;
}

/// Bearer tokens of operators and the sessions that were opened with them, both known by their hash alone.
pub trait Tokens: Sync {
    /// The token with this SHA-256, if there is one.
    fn token(&self, sha256_hex: &str) -> impl Future<Output = Result<Option<Token>, PortError>> + Send;
    /// Saves a new token.
    fn save_token(&self, sha256_hex: &str, token: &Token) -> impl Future<Output = Result<(), PortError>> + Send;
    /// All tokens.
    fn list_tokens(&self) -> impl Future<Output = Result<Vec<Token>, PortError>> + Send;
    /// Takes a token back; whether there was one.
    fn delete_token(&self, id: &str) -> impl Future<Output = Result<bool, PortError>> + Send;
    /// The session with this SHA-256, if there is one.
    fn session(&self, sha256_hex: &str) -> impl Future<Output = Result<Option<Session>, PortError>> + Send;
    /// Saves a new session. The store may forget it after `until`.
    fn open_session(
        &self,
        sha256_hex: &str,
        session: &Session,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Notes that a session was used. One that is over stays over.
    fn touch_session(
        &self,
        sha256_hex: &str,
        session: &Session,
        until: Timestamp,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Ends a session. One that is over stays over.
    fn close_session(&self, sha256_hex: &str) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// A session of the console, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Session {
    /// SHA-256, in hex, of the token that it was opened with. The session ends with the token.
    pub token: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was used last, to within some minutes.
    pub used_at: Timestamp,
}

/// A bearer token, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Whose it is: this name stands in the audit of what was done with it.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an operator may do. Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Run, stop, retry.
    Operator,
    /// Change sides, maps and tokens.
    Admin,
}
