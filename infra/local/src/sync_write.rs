//! `sync-write`, called as an app calls it: signed after the Standard Webhooks specification.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use reqwest::{Client, RequestBuilder, Url};
use serde_json::Value;
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_SIGNATURE, HEADER_WEBHOOK_TIMESTAMP, Webhook};

use crate::http::{self, Answer};

/// Tandem's `sync-write`, with the key of one caller.
#[derive(Debug, Clone)]
pub struct SyncWrite {
    url: String,
    hmac_secret: String,
    client: Client,
}

impl SyncWrite {
    /// The function at `url`, called with signatures by `hmac_secret` (`whsec_…`).
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(url: String, hmac_secret: String) -> anyhow::Result<Self> {
        Ok(Self { url, hmac_secret, client: http::client()? })
    }

    /// Sends one write; its `id` is also the message id of the signature.
    ///
    /// # Errors
    /// When the function does not answer.
    pub async fn send(&self, write: &Value) -> anyhow::Result<Answer> {
        let id = write.get("id").and_then(Value::as_str).unwrap_or_default();
        self.post("writes", id, &write.to_string()).await
    }

    /// Sends a body to another address of a function that knows the same callers, e.g. `errors` of `log-ingest`.
    ///
    /// # Errors
    /// When the function does not answer.
    pub async fn post(&self, path: &str, id: &str, body: &str) -> anyhow::Result<Answer> {
        let request = self.client.post(format!("{}/{path}", self.url)).header("content-type", "application/json");
        Answer::of(self.signed(request, id, body)?.body(body.to_owned())).await
    }

    /// Asks what became of a write.
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
