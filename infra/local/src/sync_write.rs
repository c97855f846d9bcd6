//! A client of `sync-write` that signs its calls after the Standard Webhooks specification, as an app does.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use crate::http::{self, Answer};

/// A client of `sync-write` with the secret of one caller.
#[derive(Debug, Clone)]
pub struct SyncWrite {
    url: String,
    hmac_secret: String,
    client: Client,
}

impl SyncWrite {
    /// Creates a client of the function at `url` that signs with `hmac_secret` (`whsec_…`).
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(url: String, hmac_secret: String) -> anyhow::Result<Self> {
        Ok(Self { url, hmac_secret, client: http::client()? })
    }

    /// Sends one write. Its `id` is also the message id of the signature. Returns the answer whatever its status.
    ///
    /// # Errors
    /// When the function does not answer.
    pub async fn send(&self, write: &Value) -> anyhow::Result<Answer> {
        let id = write.get("id").and_then(Value::as_str).unwrap_or_default();
        self.post("writes", id, &write.to_string()).await
    }

    /// Sends a body to any path of a function with the same callers, e.g. `errors` of `log-ingest`.
    ///
    /// # Errors
    /// When the function does not answer.
    pub async fn post(&self, path: &str, id: &str, body: &str) -> anyhow::Result<Answer> {
        let request = self.client.post(format!("{}/{path}", self.url)).header("content-type", "application/json");
        Answer::of(self.signed(request, id, body)?.body(body.to_owned())).await
    }

    /// Asks for the status of a write.
    ///
    /// # Errors
    /// When the function does not answer.
    pub async fn look_up(&self, map: &str, key: &str, id: &str) -> anyhow::Result<Answer> {
        let mut url = Url::parse(&format!("{}/writes/{id}", self.url)).context("not an address")?;
        url.query_pairs_mut().append_pair("map", map).append_pair("key", key);
        Answer::of(self.signed(self.client.get(url), id, "")?).await
    }

    fn signed(&self, request: RequestBuilder, id: &str, body: &str) -> anyhow::Result<RequestBuilder> {
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs()).cast_signed();
        let signature = Webhook::new(&self.hmac_secret)?.sign(id, seconds, body.as_bytes())?;
        Ok(request
            .header(HEADER_WEBHOOK_ID, id)
            .header(HEADER_WEBHOOK_TIMESTAMP, seconds.to_string())
            .header(HEADER_WEBHOOK_SIGNATURE, signature))
    }
}
