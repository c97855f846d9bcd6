//! The outbox: reports to Tandem that stand in the same transaction as the change they are about.
//!
//! A row is in one of three states. `waiting`: to be delivered, again and again until it is answered, in order per
//! record. `failed`: answered with a refusal that no repetition would change; kept for people to see. `doubt`: an edit
//! that has asked Tandem and has not committed yet. If the edit ends without an answer, or the process dies, Tandem may
//! have written the other app; the row then becomes a waiting report of the record as it really stands.

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
    /// What is reported.
    pub(super) write: Write,
    /// `waiting`, `failed` or `doubt`.
    pub(super) state: String,
    /// Deliveries tried so far.
    pub(super) attempts: u32,
    /// Whether the id has been replaced by a newer one.
    pub(super) renewed: bool,
    /// Why it is still here.
    pub(super) problem: Option<String>,
}

const COLUMNS: &str = "seq, id, body, state, attempts, renewed, problem";

/// Adds a report to be delivered.
pub(super) fn add(db: &Connection, id: &str, write: &Write) -> rusqlite::Result<()> {
    insert(db, id, write, "waiting").map(drop)
}

/// Notes, before Tandem is asked about an edit, what it must be told if the edit ends in doubt.
pub(super) fn begin_doubt(db: &Connection, write: &Write) -> rusqlite::Result<i64> {
    insert(db, "", write, "doubt")
}

/// Removes a row: it is delivered, or its edit had a clear end.
pub(super) fn remove(db: &Connection, seq: i64) -> rusqlite::Result<()> {
    db.prepare("DELETE FROM outbox WHERE seq = ?1")?.execute([seq]).map(drop)
}

/// Turns the note of an edit into a report, and gives the record the version that the report carries.
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

/// Does the same for every edit that the end of the process cut off.
pub(super) fn doubt_all(db: &Connection, mut new_id: impl FnMut() -> String) -> rusqlite::Result<()> {
    let open: Vec<i64> = db
        .prepare("SELECT seq FROM outbox WHERE state = 'doubt' ORDER BY seq")?
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    open.into_iter().try_for_each(|seq| doubt(db, seq, &new_id()))
}

/// The report that the record must deliver next.
pub(super) fn next(db: &Connection, key: &str) -> rusqlite::Result<Option<Report>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE key = ?1 AND state = 'waiting' ORDER BY seq LIMIT 1");
    db.prepare(&sql)?.query_row([key], from_row).optional()
}

/// Records with something to deliver, those tried least often first, so that none starves.
pub(super) fn waiting_keys(db: &Connection, limit: u32) -> rusqlite::Result<Vec<String>> {
    db.prepare("SELECT key FROM outbox WHERE state = 'waiting' GROUP BY key ORDER BY max(attempts), min(seq) LIMIT ?1")?
        .query_map([limit], |row| row.get(0))?
        .collect()
}

/// The oldest rows of all states but edits under way.
pub(super) fn list(db: &Connection, limit: u32) -> rusqlite::Result<Vec<Report>> {
    let sql = format!("SELECT {COLUMNS} FROM outbox WHERE state <> 'doubt' ORDER BY seq LIMIT ?1");
    db.prepare(&sql)?.query_map([limit], from_row)?.collect()
}

/// How many rows there are of all states but edits under way.
pub(super) fn count(db: &Connection) -> rusqlite::Result<u32> {
    db.query_row("SELECT count(*) FROM outbox WHERE state <> 'doubt'", [], |row| row.get(0))
}

/// Notes a delivery that must be repeated.
pub(super) fn attempted(db: &Connection, seq: i64, problem: &str) -> rusqlite::Result<()> {
    db.execute("UPDATE outbox SET attempts = attempts + 1, problem = ?2 WHERE seq = ?1", params![seq, problem])
        .map(drop)
}

/// Sets a report aside that Tandem refuses.
pub(super) fn failed(db: &Connection, seq: i64, problem: &str) -> rusqlite::Result<()> {
    db.execute(
        "UPDATE outbox SET attempts = attempts + 1, state = 'failed', problem = ?2 WHERE seq = ?1",
        params![seq, problem],
    )
    .map(drop)
}

/// Gives a report a newer id.
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
