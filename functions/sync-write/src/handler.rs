//! Parse, one call, answer.

use std::{collections::BTreeMap, time::Instant};

use app::{
    Ports,
    error::{AppError, ResourceKind},
    lookup, problem,
    request::WriteRequest,
    write::write,
};
use aws::metrics::{Metrics, Unit};
use domain::{
    MapId, RecordKey, WriteId,
    limits::{MAX_BATCH_BODY_BYTES, MAX_BODY_BYTES},
};
use lambda_http::{
    Body, Error, Request, RequestExt, Response,
    http::{Method, header},
};
use serde_json::Value;

use crate::{
    answer::{Reply, answer_status, answer_write},
    batch::batch,
    deps::Deps,
};

/// Serves one request.
pub(crate) async fn handle(deps: &Deps, request: Request) -> Result<Response<Body>, Error> {
    let began = Instant::now();
    let (method, route) = (request.method().clone(), route(request.raw_http_path()));
    let reply = match deps.callers.check(&request).await {
        Err(problem) => Reply::problem(*problem),
        Ok(()) => answer(&deps.world, &request, &route).await,
    };
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = reply.body.get("status").and_then(Value::as_str);
    tracing::info!(http.method = %method, http.route = route.name(), http.status = reply.status, write.status = status,
                   duration_ms, "request served");
    count(&reply);
    respond(reply)
}

/// Counts writes by their answer.
fn count(reply: &Reply) {
    let said = |body: &Value| {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        text("status").or_else(|| text("code"))
    };
    let mut by_answer: BTreeMap<String, u64> = BTreeMap::new();
    let answers = reply.body.get("answers").and_then(Value::as_array);
    let all = answers.into_iter().flatten().map(|one| &one["answer"]).chain(answers.is_none().then_some(&reply.body));
    for answer in all.filter_map(said) {
        *by_answer.entry(answer).or_default() += 1;
    }
    for (answer, writes) in by_answer {
        Metrics::of(&[("Answer", &answer)]).add("Writes", writes, Unit::Count).emit();
    }
}

/// Where a request goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Writes,
    Batch,
    Write(String),
    Unknown,
}

impl Route {
    fn name(&self) -> &'static str {
        match self {
            Self::Writes => "/writes",
            Self::Batch => "/writes/batch",
            Self::Write(_) => "/writes/{id}",
            Self::Unknown => "unknown",
        }
    }
}

pub(crate) fn route(path: &str) -> Route {
    match path.trim_end_matches('/').strip_prefix("/writes") {
        Some("") => Route::Writes,
        Some("/batch") => Route::Batch,
        Some(rest) => match rest.strip_prefix('/') {
            Some(id) if !id.contains('/') => Route::Write(id.to_owned()),
            _ => Route::Unknown,
        },
        None => Route::Unknown,
    }
}

/// Serves a request whose caller is known.
pub(crate) async fn answer<P: Ports>(ports: &P, request: &Request, route: &Route) -> Reply {
    let allow = |allow: &str| Err(AppError::MethodNotAllowed { allow: allow.to_owned() });
    let served = match (route, request.method()) {
        (Route::Writes, &Method::POST) => one(ports, request).await,
        (Route::Batch, &Method::POST) => match json(request, MAX_BATCH_BODY_BYTES) {
            Ok(body) => batch(ports, body).await,
            Err(error) => Err(error),
        },
        (Route::Write(id), &Method::GET) => look_up(ports, request, id).await,
        (Route::Writes | Route::Batch, _) => allow("POST"),
        (Route::Write(_), _) => allow("GET"),
        (Route::Unknown, _) => Err(AppError::UnknownRoute),
    };
    served.unwrap_or_else(|error| Reply::error(&error))
}

async fn one<P: Ports>(ports: &P, request: &Request) -> Result<Reply, AppError> {
    let mut body = json(request, MAX_BODY_BYTES)?;
    identify(request, &mut body)?;
    let write_request = WriteRequest::from_value(body).map_err(AppError::Invalid)?;
    Ok(answer_write(write_request.id, write(ports, &write_request).await))
}

/// A write's id may stand in the body or in a header; if it stands in both they must agree.
fn identify(request: &Request, body: &mut Value) -> Result<(), AppError> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let key = header("idempotency-key");
    let Some(fields) = body.as_object_mut() else { return Ok(()) };
    match (fields.get("id"), key) {
        (Some(Value::String(id)), Some(key)) if *id != key => {
            Err(AppError::mistake("id", "is another id than the header Idempotency-Key"))
        }
        (Some(_), _) => Ok(()),
        // A header that is not signed must not decide which write this is: the signed one must say the same.
        (None, Some(key)) if header("webhook-id").is_some_and(|signed| signed != key) => {
            Err(AppError::mistake("Idempotency-Key", "is another id than the signed webhook-id"))
        }
        (None, key) => {
            if let Some(id) = key.or_else(|| header("webhook-id")) {
                fields.insert("id".to_owned(), Value::String(id));
            }
            Ok(())
        }
    }
}

fn json(request: &Request, limit_bytes: usize) -> Result<Value, AppError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        return Err(AppError::UnsupportedMediaType { wanted: "application/json" });
    }
    let body: &[u8] = request.body();
    if body.len() > limit_bytes {
        return Err(AppError::TooLarge { limit_bytes });
    }
    crate::body::read(body).map_err(|says| AppError::mistake("body", &says))
}

async fn look_up<P: Ports>(ports: &P, request: &Request, id: &str) -> Result<Reply, AppError> {
    let id: WriteId = id.parse().map_err(|says: String| AppError::mistake("id", &says))?;
    let query = request.query_string_parameters();
    let Some(map) = query.first("map") else {
        return Err(AppError::mistake("map", "is missing: GET /writes/{id}?map=…&key=…"));
    };
    let map: MapId = map.parse().map_err(|_| AppError::NotFound(ResourceKind::Map))?;
    let key: Option<RecordKey> =
        query.first("key").map(str::parse).transpose().map_err(|says: String| AppError::mistake("key", &says))?;
    Ok(answer_status(id, lookup::find_write(ports, &map, key.as_ref(), id).await))
}

fn respond(reply: Reply) -> Result<Response<Body>, Error> {
    let kind = if reply.is_problem() { problem::MEDIA_TYPE } else { "application/json" };
    let mut response = Response::builder().status(reply.status).header(header::CONTENT_TYPE, kind);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    Ok(response.body(Body::Text(reply.body.to_string()))?)
}
