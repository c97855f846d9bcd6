//! The log of calls of the data API. Tests count its lines to prove that a change was applied once, and in which order.

use rusqlite::{Connection, params};
use serde::Serialize;

/// Most calls that are kept: more than the largest test makes.
const CALLS_MAX: u32 = 100_000;

/// One call of the data API.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Call {
    /// When the app received it, as RFC 3339.
    pub(super) at: String,
    /// HTTP method.
    pub(super) method: String,
    /// The key of the record that it was about, if any.
    pub(super) key: Option<String>,
    /// Its `Idempotency-Key`.
    pub(super) idempotency_key: Option<String>,
    /// Its `Tandem-Version`: the order in which Tandem accepted the changes of the record.
    pub(super) version: Option<String>,
    /// The status of the answer; none when the app cut the connection instead.
    pub(super) status: Option<u16>,
    /// Whether it changed the record.
    pub(super) applied: bool,
    /// The fault that affected it, by its word in the API; `normal` for none.
    pub(super) switch: String,
}

/// Logs a call, and drops the oldest ones beyond [`CALLS_MAX`].
pub(super) fn add(db: &Connection, call: &Call) -> rusqlite::Result<()> {
    db.prepare(
        "INSERT INTO calls (at, method, key, idempotency_key, version, status, applied, switch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        call.at,
        call.method,
        call.key,
        call.idempotency_key,
        call.version,
        call.status,
        call.applied,
        call.switch
    ])?;
    db.prepare("DELETE FROM calls WHERE seq <= ?1 - ?2")?.execute(params![db.last_insert_rowid(), CALLS_MAX]).map(drop)
}

/// Lists the calls about one record, or all calls, oldest first.
pub(super) fn list(db: &Connection, key: Option<&str>) -> rusqlite::Result<Vec<Call>> {
    let sql = "SELECT at, method, key, idempotency_key, version, status, applied, switch FROM calls
               WHERE ?1 IS NULL OR key = ?1 ORDER BY seq";
    db.prepare(sql)?.query_map([key], from_row)?.collect()
}

/// Lists the last `limit` calls, newest first.
pub(super) fn latest(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Call>> {
    let sql = "SELECT at, method, key, idempotency_key, version, status, applied, switch FROM calls
               ORDER BY seq DESC LIMIT ?1";
    db.prepare(sql)?.query_map([limit], from_row)?.collect()
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Call> {
    Ok(Call {
        at: row.get(0)?,
        method: row.get(1)?,
        key: row.get(2)?,
        idempotency_key: row.get(3)?,
        version: row.get(4)?,
        status: row.get(5)?,
        applied: row.get(6)?,
        switch: row.get(7)?,
    })
}
