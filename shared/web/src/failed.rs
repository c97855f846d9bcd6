//! Errors on their way from a handler to the guard.

use app::error::AppError;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// The result of a handler.
pub type Reply = Result<Response, Failed>;

/// An error of a handler. The response carries it in its extensions to the guard, which knows the id of the request, turns the
/// error into an answer, and writes the log line.
pub struct Failed(pub AppError);

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
