//! Answers: JSON, or an error that the guard turns into problem+json.

use app::error::AppError;
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// What a handler answers.
pub(crate) type Reply = Result<Response, Failed>;

/// An error on its way out. It travels as it is, in the response's extensions, so that the guard, which knows the
/// request's id, says it to the caller and to the log.
pub(crate) struct Failed(pub(crate) AppError);

impl<E: Into<AppError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

/// A JSON answer.
pub(crate) fn json<T: Serialize>(status: StatusCode, body: &T) -> Reply {
    typed(status, "application/json", serde_json::to_vec(body).map_err(unwritable)?)
}

/// A JSON answer with the version of what it tells, as its `ETag`.
pub(crate) fn versioned<T: Serialize>(status: StatusCode, version: u64, body: &T) -> Reply {
    let mut response = json(status, body)?;
    let tag = HeaderValue::try_from(format!("\"{version}\"")).map_err(unwritable)?;
    response.headers_mut().insert(header::ETAG, tag);
    Ok(response)
}

/// A YAML answer.
pub(crate) fn yaml<T: Serialize>(body: &T) -> Reply {
    typed(StatusCode::OK, "application/yaml", serde_yaml_ng::to_string(body).map_err(unwritable)?.into_bytes())
}

/// 204.
pub(crate) fn nothing() -> Reply {
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// An answer of any kind. Nothing of the API may be kept by anything between it and the caller.
pub(crate) fn typed(status: StatusCode, kind: &'static str, body: Vec<u8>) -> Reply {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")];
    Ok((status, headers, Body::from(body)).into_response())
}

fn unwritable(error: impl std::fmt::Display) -> Failed {
    Failed(AppError::Port(app::ports::PortError::Permanent(format!("an answer cannot be written: {error}"))))
}
