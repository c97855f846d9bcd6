//! The outbox: reports to Tandem, stored in the transaction of the change that they are about.
//!
//! A row is in one of three states:
//! - `waiting`: the app delivers it again and again until Tandem answers, in order for each record.
//! - `failed`: Tandem refused it, and would refuse it again. The app keeps it for people to see.
//! - `doubt`: an edit has asked Tandem and has not committed yet. If the edit ends without an answer, or the process
//!   dies, Tandem may have written to the other app. The row then becomes a waiting report of the record as it is.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use super::record::Row;
use super::store;
use super::tandem::{Write, now};

/// A row of the outbox.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    /// Place in the order of changes.
    pub(super) seq: i64,
    /// Write id.
    pub(super) id: String,
    /// The change that it reports.
    pub(super) write: Write,
    /// `waiting`, `failed` or `doubt`.
    pub(super) state: String,
    /// Number of deliveries so far.
    pub(super) attempts: u32,
    /// Whether a newer id has replaced the first one.
    pub(super) renewed: bool,
    /// Why it is still here.
    pub(super) problem: Option<String>,
}

const COLUMNS: &str = "seq, id, body, state, attempts, renewed, problem";

/// Adds a report to be delivered.
pub(super) fn add(db: &Connection, id: &str, write: &Write) -> rusqlite::Result<()> {
    insert(db, id, write, "waiting").map(drop)
}

/// Stores the report that an edit must send if it ends in doubt, before the edit asks Tandem.
pub(super) fn begin_doubt(db: &Connection, write: &Write) -> rusqlite::Result<i64> {
    insert(db, "", write, "doubt")
}

/// Removes a row whose report was delivered, or whose edit did not end in doubt.
pub(super) fn remove(db: &Connection, seq: i64) -> rusqlite::Result<()> {
    db.prepare("DELETE FROM outbox WHERE seq = ?1")?.execute([seq]).map(drop)
}

/// Turns the row of an edit that ended in doubt into a report, and gives the record the version of that report.
pub(super) fn doubt(db: &Connection, seq: i64, id: &str) -> rusqlite::Result<()> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE seq = ?1 AND state = 'doubt'");
    let mut report = db.query_row(&sql, [seq], from_row)?;
    report.write.committed_at = Some(now());
    let row = Row { fields: report.write.record.clone(), version: report.write.version };
    store::save(db, &report.write.key, &row)?;
    db.execute(
        "UPDATE outbox SET state = 'waiting', id = ?2, body = ?3 WHERE seq = ?1",
        params![seq, id, to_text(&report.write)?],
    )
    .map(drop)
}

/// Does the same as [`doubt`] for every edit that the end of the process interrupted.
pub(super) fn doubt_all(db: &Connection, mut new_id: impl FnMut() -> String) -> rusqlite::Result<()> {
    let open: Vec<i64> = db
        .prepare("SELECT seq FROM outbox WHERE state = 'doubt' ORDER BY seq")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    open.into_iter().try_for_each(|seq| doubt(db, seq, &new_id()))
}

/// Finds the report of a record that must be delivered next.
pub(super) fn next(db: &Connection, key: &str) -> rusqlite::Result<Option<Report>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE key = ?1 AND state = 'waiting' ORDER BY seq LIMIT 1");
    db.prepare(&sql)?.query_row([key], from_row).optional()
}

/// Lists the records with waiting reports. Those that were tried least often come first, so that none starves.
pub(super) fn waiting_keys(db: &Connection, limit: u32) -> rusqlite::Result<Vec<String>> {
    db.prepare("SELECT key FROM outbox WHERE state = 'waiting' GROUP BY key ORDER BY max(attempts), min(seq) LIMIT ?1")?
        .query_map([limit], |row| row.get(0))?
        .collect()
}

/// Lists the oldest rows in all states but `doubt`.
pub(super) fn list(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Report>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE state <> 'doubt' ORDER BY seq LIMIT ?1");
    db.prepare(&sql)?.query_map([limit], from_row)?.collect()
}

/// Counts the rows in all states but `doubt`.
pub(super) fn count(db: &Connection) -> rusqlite::Result<u32> {
    db.query_row("SELECT count(*) FROM outbox WHERE state <> 'doubt'", [], |row| row.get(0))
}

/// Stores that a delivery failed and must be repeated.
pub(super) fn attempted(db: &Connection, seq: i64, problem: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE outbox SET attempts = attempts + 1, problem = ?2 WHERE seq = ?1", params![seq, problem])
        .map(drop)
}

/// Stores that Tandem refuses a report, so that it is not delivered again.
pub(super) fn failed(db: &Connection, seq: i64, problem: &str) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE outbox SET attempts = attempts + 1, state = 'failed', problem = ?2 WHERE seq = ?1",
        params![seq, problem],
    )
    .map(drop)
}

/// Replaces the id of a report by a newer one.
pub(super) fn renew(db: &Connection, seq: i64, id: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE outbox SET id = ?2, renewed = 1 WHERE seq = ?1", params![seq, id]).map(drop)
}

fn insert(db: &Connection, id: &str, write: &Write, state: &str) -> rusqlite::Result<i64> {
    db.prepare("INSERT INTO outbox (key, id, body, state) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
        write.key,
        id,
        to_text(write)?,
        state
    ])?;
    Ok(db.last_insert_rowid())
}

fn to_text(write: &Write) -> rusqlite::Result<String> {
    serde_json::to_string(write).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Report> {
    let body: String = row.get(2)?;
    Ok(Report {
        seq: row.get(0)?,
        id: row.get(1)?,
        write: serde_json::from_str(&body).map_err(store::not_json)?,
        state: row.get(3)?,
        attempts: row.get(4)?,
        renewed: row.get(5)?,
        problem: row.get(6)?,
    })
}
