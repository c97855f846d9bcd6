//! Errors of the data API, in OData's form.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::json;

use super::super::field::Refusal;

/// A call that is not answered with success.
#[derive(Debug)]
pub(super) struct ODataError {
    status: StatusCode,
    code: &'static str,
    message: String,
    target: Option<String>,
    header: Option<(&'static str, String)>,
}

impl ODataError {
    /// An error about the call as a whole.
    pub(super) fn new(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self { status, code, message: message.to_owned(), target: None, header: None }
    }

    /// Adds a header to the answer.
    pub(super) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.header = Some((name, value.to_owned()));
        self
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<Refusal> for ODataError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, target, message } = refusal;
        Self { status: StatusCode::BAD_REQUEST, code, message, target, header: None }
    }
}

impl From<rusqlite::Error> for ODataError {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "could not use the database");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "DatabaseFailed", "The database failed")
    }
}

impl From<ODataError> for Response {
    fn from(error: ODataError) -> Self {
        let mut body = json!({"error": {"code": error.code, "message": error.message}});
        if let Some(target) = &error.target {
            body["error"]["target"] = json!(target);
            body["error"]["details"] = json!([{"code": error.code, "target": target, "message": error.message}]);
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = error.status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        response.headers_mut().insert("odata-version", HeaderValue::from_static("4.0"));
        if let Some((name, value)) = error.header
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
