//! The answers to requests with an `Idempotency-Key`, stored in the transaction of the change. A repeated request gets
//! the stored answer and changes nothing.

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension, params};

use super::super::store::not_json;
use super::answer::Answer;
use super::error::ODataError;

/// Most answers that are kept.
const ANSWERS_MAX: u32 = 100_000;

/// Finds the answer that was stored with this key. Fails if the key was used for another request.
pub(super) fn find(db: &Connection, idempotency_key: &str, request: &str) -> Result<Option<Answer>, ODataError> {
    let found: Option<(String, String)> = db
        .prepare("SELECT request, answer FROM answers WHERE idempotency_key = ?1")?
        .query_row([idempotency_key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        None => Ok(None),
        Some((known, answer)) if known == request => Ok(serde_json::from_str(&answer).map_err(not_json)?),
        Some(_) => Err(ODataError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "IdempotencyKeyReused",
            "This Idempotency-Key has been used for another request",
        )),
    }
}

/// Stores an answer. Refusals are not stored: they changed nothing, and a repeat may succeed.
pub(super) fn keep(db: &Connection, idempotency_key: &str, request: &str, answer: &Answer) -> rusqlite::Result<()> {
    let text =
        serde_json::to_string(answer).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    db.prepare("INSERT INTO answers (idempotency_key, request, answer) VALUES (?1, ?2, ?3)")?.execute(params![
        idempotency_key,
        request,
        text
    ])?;
    db.prepare("DELETE FROM answers WHERE seq <= ?1 - ?2")?
        .execute(params![db.last_insert_rowid(), ANSWERS_MAX])
        .map(drop)
}
