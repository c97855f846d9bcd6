//! Requests of `sync-write` and `admin` as they should not be, and calls of the emulator's own services.

use std::time::{SystemTime, UNIX_EPOCH};

use reqwest::Method;
use serde_json::Value;
use standardwebhooks::Webhook;

use crate::stack::World;

/// A request, put together by hand.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    for_admin: bool,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) kind: String,
    pub(crate) body: Value,
}

/// Seconds since 1970.
pub(crate) fn seconds() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since_1970.as_secs()).expect("a time")
}

impl Request {
    pub(crate) fn new(method: Method, path: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { method, path: path.to_owned(), headers: Vec::new(), body: body.into(), for_admin: false }
    }

    /// A JSON body for `sync-write`.
    pub(crate) fn post(path: &str, body: &Value) -> Self {
        Self::new(Method::POST, path, body.to_string()).header("content-type", "application/json")
    }

    /// For `admin`, with the token of a role.
    pub(crate) fn for_admin(self, world: &World, role: &str) -> Self {
        let token = &world.stack.endpoints().tokens[role];
        Self { for_admin: true, ..self }.header("authorization", &format!("Bearer {token}"))
    }

    /// With this header, in place of one of that name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// Signed as it is now, with the key that the apps have.
    pub(crate) fn signed(self, world: &World) -> Self {
        let key = world.stack.endpoints().hmac_secret.clone();
        self.signed_with(&key, seconds())
    }

    pub(crate) fn signed_with(self, key: &str, at: i64) -> Self {
        self.signed_as(key, "a-message", at)
    }

    /// Signed with this key, as the message of this id, at this time.
    pub(crate) fn signed_as(self, key: &str, message: &str, at: i64) -> Self {
        let signature = Webhook::new(key).and_then(|key| key.sign(message, at, &self.body)).expect("a good key");
        self.header("webhook-id", message)
            .header("webhook-timestamp", &at.to_string())
            .header("webhook-signature", &signature)
    }

    pub(crate) async fn send(self, world: &World) -> Told {
        let endpoints = world.stack.endpoints();
        let base = if self.for_admin { &endpoints.admin } else { &endpoints.sync_write };
        let mut request = world.http.request(self.method, format!("{base}{}", self.path)).body(self.body);
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        told(request).await
    }
}

/// Calls one of the emulator's JSON services.
pub(crate) async fn service(world: &World, service: &str, target: &str, body: &Value) -> Value {
    let request = world.http.post(&world.stack.endpoints().emulator).header("x-amz-target", target);
    let request = request.header("content-type", "application/x-amz-json-1.1").body(body.to_string());
    let told = told(request.header("authorization", owner_of(service))).await;
    assert_eq!(told.status, 200, "{target}: {told:?}");
    told.body
}

/// Calls the emulator's Lambda API; what it tells.
pub(crate) async fn lambda(world: &World, method: Method, path: &str, body: &Value) -> Value {
    // The version of the API that each kind of thing has.
    let version = if path.ends_with("/configuration") { "2015-03-31" } else { "2017-10-31" };
    let url = format!("{}/{version}/{path}", world.stack.endpoints().emulator);
    let mut request = world.http.request(method, url).header("authorization", owner_of("lambda"));
    if !body.is_null() {
        request = request.body(body.to_string());
    }
    let told = told(request).await;
    assert!((200..300).contains(&told.status), "{path}: {told:?}");
    told.body
}

/// By this the emulator takes a request for one of the account's owner, and knows the service.
fn owner_of(service: &str) -> String {
    let scope = format!("20260101/{}/{service}/aws4_request", local::REGION);
    format!("AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host, Signature=0")
}

async fn told(request: reqwest::RequestBuilder) -> Told {
    let answer = request.send().await.expect("it answers");
    let status = answer.status().as_u16();
    let kind = answer.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let text = answer.text().await.expect("it answers");
    Told { status, kind, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}
