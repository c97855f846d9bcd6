//! Replies: JSON, or an error that the guard turns into problem+json.

use app::{admin::SaveResult, error::AppError};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use serde::Serialize;

pub(crate) use web::{Failed, Reply};

/// Replies with JSON.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Reply {
    typed(status, "application/json", serde_json::to_vec(body).map_err(unwritable)?)
}

/// Replies with JSON, and with the version of the item as `ETag`.
pub(crate) fn versioned<T: Serialize>(status: StatusCode, version: u64, body: &T) -> Reply {
    let mut response = json(status, body)?;
    let tag = HeaderValue::try_from(format!("\"{version}\"")).map_err(unwritable)?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// Returns the status of a reply to a save.
pub(crate) fn saved_status(saved: SaveResult) -> StatusCode {
    match saved {
        SaveResult::Created => StatusCode::CREATED,
        SaveResult::Updated | SaveResult::Unchanged => StatusCode::OK,
    }
}

/// Replies with YAML.
pub(crate) fn yaml<T: Serialize>(body: &T) -> Reply {
    typed(StatusCode::OK, "application/yaml", serde_yaml_ng::to_string(body).map_err(unwritable)?.into_bytes())
}

/// Replies with 204.
pub(crate) fn nothing() -> Reply {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Replies with a body of any media type. Caches must not store replies of the API.
pub(crate) fn typed(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Reply {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    Ok((status, headers, Body::from(body)).into_response())
}

fn unwritable(error: impl std::fmt::Display) -> Failed {
    Failed(AppError::Port(app::ports::PortError::Permanent(format!("could not serialize the reply: {error}"))))
}
