//! HTTP calls to the emulator, the functions and the apps.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;

/// Longest wait for an answer: the template lets `sync-write` run for 60 s.
const TIMEOUT: Duration = Duration::from_secs(70);

/// Creates a client that ignores the machine's proxy settings: what it calls is on this machine.
pub(crate) fn client() -> anyhow::Result<Client> {
    Client::builder().no_proxy().timeout(TIMEOUT).build().context("the HTTP client cannot be created")
}

/// An answer with its body read as JSON; a body that is not JSON is kept as text.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Value,
}

impl Answer {
    /// Sends a request and reads the answer.
    pub(crate) async fn of(request: RequestBuilder) -> anyhow::Result<Self> {
        let answer = request.send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Self { status, body })
    }

    /// Returns the body of a success. Any other answer is an error that names the call (`what`), the status and the
    /// body.
    pub(crate) fn accepted(self, what: &str) -> anyhow::Result<Value> {
        let accepted = StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success());
        anyhow::ensure!(accepted, "{what}: answered {} {}", self.status, self.body);
        Ok(self.body)
    }

    /// The text member `name` of the body, or an empty text.
    pub fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}
