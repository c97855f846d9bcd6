//! HTTP calls to what the tool started.

use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::Value;

/// Longer than any answer of a function may take.
const TIMEOUT: Duration = Duration::from_secs(70);

/// A client that goes straight to its target, whatever proxy the machine uses for the rest of the world.
pub(crate) fn client() -> anyhow::Result<Client> {
    Client::builder().no_proxy().timeout(TIMEOUT).build().context("no HTTP client can be made")
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

    /// The body of an answer that says yes; anything else is an error that tells what was said instead.
    pub(crate) fn accepted(self, what: &str) -> anyhow::Result<Value> {
        let accepted = StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success());
        anyhow::ensure!(accepted, "{what}: answered {} {}", self.status, self.body);
        Ok(self.body)
    }

    /// A text of the body, by name.
    pub fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}
