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
    /// Creates a client of the API at `url` (without a slash at the end) that sends `token` as its bearer token.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(url: String, token: String) -> anyhow::Result<Self> {
        Ok(Self { url, token, client: http::client()? })
    }

    /// Sends one request to `path`, which begins with a slash. Returns the answer whatever its status.
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

    /// Creates or replaces the resource at `path`, and returns the body of the answer.
    ///
    /// # Errors
    /// When the status is not a success, or the function does not answer.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::PUT, path, Some(body)).await?.accepted(path)
    }

    /// Replaces the resource at `path` whatever its version (`If-Match: *`), and returns the body of the answer.
    ///
    /// # Errors
    /// When the status is not a success, or the function does not answer.
    pub async fn overwrite(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.put(format!("{}{path}", self.url)).bearer_auth(&self.token);
        Answer::of(request.header("if-match", "*").json(body)).await?.accepted(path)
    }

    /// Sends a command by `POST`, and returns the body of the answer.
    ///
    /// # Errors
    /// When the status is not a success, or the function does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        self.call(Method::POST, path, Some(body)).await?.accepted(path)
    }

    /// Reads the resource at `path`, and returns the body of the answer.
    ///
    /// # Errors
    /// When the status is not a success, or the function does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.call(Method::GET, path, None).await?.accepted(path)
    }

    /// Creates a token with a role (`admin`, `operator` or `viewer`). Returns its text, which the API shows only once.
    ///
    /// # Errors
    /// When the status is not a success, or the function does not answer.
    pub async fn create_token(&self, name: &str, role: &str) -> anyhow::Result<String> {
        let made = self.post("/tokens", &json!({"name": name, "role": role})).await?;
        let token = made.get("token").and_then(Value::as_str);
        token.map(str::to_owned).ok_or_else(|| anyhow::anyhow!("/tokens: answered without a token"))
    }
}
