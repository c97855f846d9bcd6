//! The operators' REST API, called with a bearer token.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::http::{self, Answer};

/// Tandem's `admin`, with the rights of one token.
#[derive(Debug, Clone)]
pub struct Admin {
    url: String,
    token: String,
    client: Client,
}

impl Admin {
    /// The API at `url`, called with `token`.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn new(url: String, token: String) -> anyhow::Result<Self> {
        Ok(Self { url, token, client: http::client()? })
    }

    /// Calls `path`, which begins with a slash; the answer may be a refusal.
    ///
    /// # Errors
    /// When the function does not answer.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
        let mut request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Answer::of(request).await
    }

    /// Creates or replaces something.
    ///
    /// # Errors
    /// When it is refused, or the function does not answer.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::PUT, path, Some(body)).await?.accepted(path)
    }

    /// Replaces something, whatever version it has.
    ///
    /// # Errors
    /// When it is refused, or the function does not answer.
    pub async fn overwrite(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.put(format!("{}{path}", self.url)).bearer_auth(&self.token);
        Answer::of(request.header("if-match", "*").json(body)).await?.accepted(path)
    }

    /// Has something done.
    ///
    /// # Errors
    /// When it is refused, or the function does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body)).await?.accepted(path)
    }

    /// Reads something.
    ///
    /// # Errors
    /// When it is refused, or the function does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await?.accepted(path)
    }

    /// Makes a token with a role (`operator` or `viewer`, say) and gives its text, which is told only once.
    ///
    /// # Errors
    /// When it is refused, or the function does not answer.
    pub async fn create_token(&self, name: &str, role: &str) -> anyhow::Result<String> {
        let made = self.post("/tokens", &json!({"name": name, "role": role})).await?;
        let token = made.get("token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| anyhow::anyhow!("/tokens: answered without a token"))
    }
}
