//! The app's database: one file, and the table of customers.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};

use super::record::{Fields, Row};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
-- fields is NULL once the record is deleted; the version stays, so that it never starts over
CREATE TABLE IF NOT EXISTS customers (
    key TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, fields TEXT, version INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS answers (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, idempotency_key TEXT NOT NULL UNIQUE, request TEXT NOT NULL,
    answer TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, renewed INTEGER NOT NULL DEFAULT 0,
    problem TEXT) STRICT;
CREATE INDEX IF NOT EXISTS outbox_by_key ON outbox (key, seq);
CREATE TABLE IF NOT EXISTS calls (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, method TEXT NOT NULL, key TEXT,
    idempotency_key TEXT, version TEXT, status INTEGER, applied INTEGER NOT NULL, switch TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS calls_by_key ON calls (key, seq);
";

/// Longest wait for another process that has locked the file, for example a database browser.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The open database. A statement takes a few milliseconds at most, so it runs on the thread of its caller.
#[derive(Debug)]
pub(super) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens the file, and creates the missing tables.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_WAIT)?;
        // A committed transaction survives the end of the process. A power failure may lose the last ones.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// Runs `work` in one transaction. Commits it, or rolls it back after an error.
    pub(super) fn transaction<T, E>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E>
    where
        E: From<rusqlite::Error>,
    {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let done = work(&tx)?;
        tx.commit()?;
        Ok(done)
    }

    /// Runs statements outside of a transaction.
    pub(super) fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        work(&self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads a record. A record that never existed has the version 0.
pub(super) fn load(db: &Connection, key: &str) -> rusqlite::Result<Row> {
    let found = db
        .prepare("SELECT fields, version FROM customers WHERE key = ?1")?
        .query_row([key], |row| Ok(Row { fields: to_fields(row.get(0)?)?, version: row.get(1)? }))
        .optional()?;
    Ok(found.unwrap_or(Row { fields: None, version: 0 }))
}

/// Stores the next state of a record.
pub(super) fn save(db: &Connection, key: &str, row: &Row) -> rusqlite::Result<()> {
    db.prepare(
        "INSERT INTO customers (key, id, fields, version) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (key) DO UPDATE SET fields = excluded.fields, version = excluded.version",
    )?
    .execute(params![key, id_of(key), row.fields.as_ref().map(to_text), row.version])
    .map(drop)
}

/// The GUID of the record with this key. It is derived from the key, so that it is known before the record exists.
pub(super) fn id_of(key: &str) -> String {
    let hex: String = Sha256::digest(key).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    // Version 8 of RFC 9562: a custom format.
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// Finds the key of the record with this GUID.
pub(super) fn key_of(db: &Connection, id: &str) -> rusqlite::Result<Option<String>> {
    let id = id.to_ascii_lowercase();
    db.prepare("SELECT key FROM customers WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()
}

/// Reads up to `limit` records whose keys come after `after`, in order of their keys, without the first `skip`.
pub(super) fn page(
    db: &Connection,
    after: Option<&str>,
    skip: u32,
    limit: u32,
) -> rusqlite::Result<Vec<(String, Row)>> {
    db.prepare(
        "SELECT key, fields, version FROM customers
         WHERE fields IS NOT NULL AND (?1 IS NULL OR key > ?1) ORDER BY key LIMIT ?2 OFFSET ?3",
    )?
    .query_map(params![after, limit, skip], |row| {
        Ok((row.get(0)?, Row { fields: to_fields(row.get(1)?)?, version: row.get(2)? }))
    })?
    .collect()
}

/// Counts the records.
pub(super) fn count(db: &Connection) -> rusqlite::Result<u32> {
    db.query_row("SELECT count(*) FROM customers WHERE fields IS NOT NULL", [], |row| row.get(0))
}

fn to_text(fields: &Fields) -> String {
    serde_json::Value::Object(fields.clone()).to_string()
}

fn to_fields(text: Option<String>) -> rusqlite::Result<Option<Fields>> {
    text.as_deref().map(serde_json::from_str).transpose().map_err(not_json)
}

/// The error for a column that does not hold the expected JSON.
pub(super) fn not_json(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
}
