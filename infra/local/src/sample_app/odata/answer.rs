//! Answers of the data API, and the JSON of an entity.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::flavor::Flavor;
use super::super::record::{Fields, Row};
use super::super::store;

/// A successful answer. It can be stored and given again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Answer {
    /// HTTP status.
    pub(super) status: u16,
    /// Headers, in addition to those that every answer has.
    pub(super) headers: Vec<(String, String)>,
    /// JSON body.
    pub(super) body: Option<Value>,
    /// Whether this call changed something. Then the transaction of the change has logged it.
    #[serde(skip)]
    pub(super) applied: bool,
}

impl Answer {
    /// Creates an answer without additional headers.
    pub(super) fn new(status: StatusCode, body: Option<Value>) -> Self {
        Self { status: status.as_u16(), headers: Vec::new(), body, applied: false }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &str, value: String) -> Self {
        self.headers.push((name.to_owned(), value));
        self
    }
}

/// The JSON of an entity in an answer.
pub(super) fn entity(flavor: &Flavor, key: &str, row: &Row, fields: &Fields) -> Value {
    let mut entity = fields.clone();
    let (own, fixed) = flavor.own;
    entity.insert(own.to_owned(), fixed.map_or_else(|| json!(store::id_of(key)), |fixed| json!(fixed)));
    entity.insert(flavor.key.to_owned(), json!(key));
    entity.insert("@odata.etag".to_owned(), json!(row.etag()));
    Value::Object(entity)
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        let body = answer.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let has_body = answer.status != StatusCode::NO_CONTENT.as_u16();
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if has_body {
            headers.insert("content-type", HeaderValue::from_static("application/json; odata.metadata=minimal"));
        }
        headers.insert("odata-version", HeaderValue::from_static("4.0"));
        for (name, value) in answer.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<axum::http::HeaderName>(), HeaderValue::from_str(&value)) {
                headers.insert(name, value);
            }
        }
        response
    }
}
