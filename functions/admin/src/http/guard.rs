//! Middleware around every handler: authenticates and authorizes the caller, then writes errors and the log line.

use std::sync::Arc;

use app::{
    admin::{AdminPorts, Caller, tokens},
    error::AppError,
    ports::Role,
    problem::{MEDIA_TYPE, Problem},
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use lambda_http::Context;

use super::reply::Failed;
use crate::routes;

/// Lets a request through to its handler, or answers itself. Nothing of the body has been read by then.
pub(crate) async fn guard<P: AdminPorts>(State(ports): State<Arc<P>>, mut request: Request, next: Next) -> Response {
    let began = ports.now();
    let mut line = Line::of(&request);
    // Owned: the request's body cannot be shared between threads, so no borrow of it may live across an await.
    let authorization = request.headers().get(header::AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let admitted = match role_needed(&request) {
        Ok(None) => Ok(None),
        Ok(Some(needs)) => admit(&*ports, authorization.as_deref(), needs).await.map(Some),
        Err(error) => Err(error),
    };
    let mut response = match admitted {
        Ok(None) => next.run(request).await,
        Ok(Some(caller)) => {
            line.caller = Some(caller.clone());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => Failed(error).into_response(),
    };
    let failed = response.extensions_mut().remove::<AppError>();
    if let Some(error) = &failed {
        response = told(error, line.request_id.clone());
    }
    line.write(response.status(), ports.now().ms_since(began), failed.as_ref());
    response
}

/// The role that the request's route needs; `None`: nobody is asked.
fn role_needed(request: &Request) -> Result<Option<Role>, AppError> {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let route = routes::find(request.method(), path).map_err(|methods| match &*methods {
        [] => AppError::UnknownRoute,
        methods => AppError::MethodNotAllowed { allow: methods.join(", ") },
    })?;
    Ok(route.role)
}

/// Who is asking, if they may.
async fn admit<P: AdminPorts>(ports: &P, authorization: Option<&str>, needs: Role) -> Result<Caller, AppError> {
    let caller = tokens::authenticate(ports, authorization).await?;
    if caller.role < needs { Err(AppError::Forbidden { needs }) } else { Ok(caller) }
}

/// An error as the caller is told it.
fn told(error: &AppError, request_id: Option<String>) -> Response {
    let problem = Problem { request_id, ..Problem::from(error) };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let headers = [(header::CONTENT_TYPE, MEDIA_TYPE), (header::CACHE_CONTROL, "no-store")];
    let mut response = (status, headers, Body::from(body)).into_response();
    for (name, value) in problem.headers {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// One line of the log. No bodies, no tokens; a path holds nothing but names that operators gave.
struct Line {
    method: Method,
    route: String,
    path: Option<String>,
    request_id: Option<String>,
    caller: Option<Caller>,
}

impl Line {
    fn of(request: &Request) -> Self {
        let matched = request.extensions().get::<MatchedPath>();
        Self {
            method: request.method().clone(),
            route: matched.map_or("unknown", MatchedPath::as_str).to_owned(),
            path: matched.map(|_| request.uri().path().to_owned()),
            request_id: request.extensions().get::<Context>().map(|context| context.request_id.clone()),
            caller: None,
        }
    }

    fn write(self, status: StatusCode, duration_ms: u64, failed: Option<&AppError>) {
        let (role, actor) = self.caller.map(|caller| (caller.role.as_str(), caller.name)).unzip();
        // Audit changes only, not reads.
        let changed = !self.method.is_safe() && status.is_success();
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
