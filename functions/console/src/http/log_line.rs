//! One line of the log for each request. No bodies, no cookies; a path holds nothing but names that operators gave.

use app::{admin::Caller, error::AppError, problem::Problem};
use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
};
use lambda_http::Context;

/// One line of the log.
pub(crate) struct LogLine {
    method: Method,
    route: String,
    pub(crate) request_id: Option<String>,
    pub(crate) caller: Option<Caller>,
}

impl LogLine {
    pub(crate) fn of(request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>();
        Self {
            method: request.method().clone(),
            route: matched.map_or("unknown", MatchedPath::as_str).to_owned(),
            request_id: request.extensions().get::<Context>().map(|context| context.request_id.clone()),
            caller: None,
        }
    }

    pub(crate) fn method(&self) -> &Method {
        &self.method
    }

    pub(crate) fn write(self, status: StatusCode, duration_ms: u64, failed: Option<&AppError>) {
        let (role, actor) = self.caller.map(|caller| (caller.role.as_str(), caller.name)).unzip();
        // Audit changes only, not reads.
        let actor = actor.filter(|_| !self.method.is_safe());
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
                "request served"
            ),
        }
    }
}
