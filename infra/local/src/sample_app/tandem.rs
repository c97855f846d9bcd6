//! The app's client of `sync-write`: builds, signs and sends writes.

mod answer;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use super::record::{Fields, Row};
use super::settings::Link;
pub(super) use answer::{Answer, Verdict};

/// How long the app waits for Tandem.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Longest wait for one answer to an edit, or to a report that is delivered in the background.
    pub(super) answer: Duration,
    /// Longest time for an edit with all its repetitions.
    pub(super) edit: Duration,
    /// Longest wait for the answer to a report while a caller of the data API waits, too.
    pub(super) inline: Duration,
    /// Wait before a write is sent again.
    pub(super) pause: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(20),
            edit: Duration::from_secs(45),
            inline: Duration::from_secs(3),
            pause: Duration::from_millis(500),
        }
    }
}

/// Whether the app can still roll the change back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// Yes: it keeps the row locked and commits after the answer.
    Sync,
    /// No: the change is committed.
    Committed,
}

/// One change, as `sync-write` takes it, without its id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Write {
    pub(super) map: String,
    pub(super) key: String,
    pub(super) op: String,
    pub(super) origin: String,
    pub(super) mode: Mode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) record: Option<Fields>,
    /// `None`: the app does not say. `Some(None)`, in JSON null: the record did not exist.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "told")]
    pub(super) before: Option<Option<Fields>>,
    pub(super) version: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) committed_at: Option<String>,
}

impl Write {
    /// Builds the write for the change of a record from `before` to `after`.
    pub(super) fn new(map: &str, origin: &str, key: &str, before: &Row, after: &Row, mode: Mode) -> Self {
        Self {
            map: map.to_owned(),
            key: key.to_owned(),
            op: if after.fields.is_some() { "upsert" } else { "delete" }.to_owned(),
            origin: origin.to_owned(),
            mode,
            record: after.fields.clone(),
            before: Some(before.fields.clone()),
            version: after.version,
            committed_at: (mode == Mode::Committed).then(now),
        }
    }
}

/// Reads a member that is present, so that null differs from a missing member.
fn told<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Fields>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// The HTTP client and the generator of write ids.
#[derive(Debug)]
pub(super) struct Tandem {
    client: reqwest::Client,
    ids: Mutex<ulid::Generator>,
}

#[derive(Serialize)]
struct Body<'a> {
    id: &'a str,
    #[serde(flatten)]
    write: &'a Write,
}

impl Tandem {
    /// Creates a client without a proxy and without redirects.
    pub(super) fn new() -> reqwest::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self { client, ids: Mutex::new(ulid::Generator::new()) })
    }

    /// Generates a write id that is later than all others of this process.
    pub(super) fn new_id(&self) -> String {
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.generate().unwrap_or_else(ulid::Overflow::commit_overflow_increment).to_string()
    }

    /// Posts one write and waits for the answer, at most `timeout`.
    pub(super) async fn send(&self, link: &Link, id: &str, write: &Write, timeout: Duration) -> Answer {
        match self.post(link, id, write, timeout).await {
            Ok((status, retry_after, body)) => Answer::new(status, retry_after, body),
            Err(why) => Answer::missing(why),
        }
    }

    async fn post(
        &self,
        link: &Link,
        id: &str,
        write: &Write,
        timeout: Duration,
    ) -> Result<(u16, Option<Duration>, Value), String> {
        let body = serde_json::to_string(&Body { id, write }).map_err(|error| error.to_string())?;
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let signature = Webhook::new(&link.secret)
            .and_then(|key| key.sign(id, seconds.cast_signed(), body.as_bytes()))
            .map_err(|error| format!("the call cannot be signed: {error}"))?;
        let request = self
            .client
            .post(&link.writes_url)
            .timeout(timeout)
            .header(CONTENT_TYPE, "application/json")
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, seconds.to_string())
            .header(HEADER_WEBHOOK_SIGNATURE, signature)
            .body(body);
        let answer = request.send().await.map_err(no_answer)?;
        let status = answer.status().as_u16();
        let retry_after = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let bytes = answer.bytes().await.map_err(no_answer)?;
        Ok((status, retry_after.map(Duration::from_secs), serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }
}

/// The current time as RFC 3339.
pub(super) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn no_answer(error: reqwest::Error) -> String {
    match error {
        error if error.is_timeout() => "Tandem did not answer in time".to_owned(),
        error if error.is_connect() => "Tandem cannot be reached".to_owned(),
        _ => "Tandem broke the connection off".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_in_order() {
        let tandem = Tandem::new().unwrap();
        let ids: Vec<String> = (0..1_000).map(|_| tandem.new_id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
    }
}
