//! One line of the log for each request. No bodies, no tokens, no cookies; a path holds nothing but names that operators gave.

use app::{admin::Caller, error::AppError, problem::Problem};
use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
};
use lambda_http::Context;

/// The log line of a request.
pub struct LogLine {
    method: Method,
    route: String,
    path: Option<String>,
    /// The id that Lambda gave the request.
    pub request_id: Option<String>,
    /// Who asks, once that is known.
    pub caller: Option<Caller>,
}

impl LogLine {
    /// Begins the line of a request.
    #[must_use]
    pub fn of(request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>();
        Self {
            method: request.method().clone(),
            route: matched.map_or("unknown", MatchedPath::as_str).to_owned(),
            path: matched.map(|_| request.uri().path().to_owned()),
            request_id: request.extensions().get::<Context>().map(|context| context.request_id.clone()),
            caller: None,
        }
    }

    /// The request's method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Writes the line, once the request has its answer. `failed`: the error that it has got.
    pub fn write(self, status: StatusCode, duration_ms: u64, failed: Option<&AppError>) {
        let (role, actor) = self.caller.map(|caller| (caller.role.as_str(), caller.name)).unzip();
        // Audit changes only, not reads. A page leads to another page after a change.
        let changed = !self.method.is_safe() && (status.is_success() || status.is_redirection());
        let (actor, path) = if changed { (actor, self.path) } else { (None, None) };
        let code = failed.map(|error| Problem::from(error).code);
        let (method, status, request_id) = (self.method.as_str(), status.as_u16(), self.request_id);
        match failed.and_then(AppError::internal) {
            Some(error) => tracing::error!(
                http.method = method,
                http.route = self.route,
                http.status = status,
                duration_ms,
                auth.role = role,
                request_id,
                problem.code = code,
                error,
                "request failed"
            ),
            None => tracing::info!(
                http.method = method,
                http.route = self.route,
                http.status = status,
                duration_ms,
                auth.role = role,
                request_id,
                problem.code = code,
                actor,
                http.path = path,
                "request served"
            ),
        }
    }
}
