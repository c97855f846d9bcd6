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
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use web::{Failed, LogLine};

use crate::routes;

/// Lets a request through to its handler, or answers itself. Nothing of the body has been read by then.
pub(crate) async fn guard<P: AdminPorts>(State(ports): State<Arc<P>>, mut request: Request, next: Next) -> Response {
    let began = ports.now();
    let mut line = LogLine::of(&request);
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
