//! Replies that are files: they are streamed, and end before the function does.

use std::convert::Infallible;

use app::admin::{AdminPorts, export::Export};
use axum::{
    Extension,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use futures::StreamExt;
use lambda_http::Context;

/// Returns when the function ends. `None`: it runs outside Lambda, and has no end.
#[must_use]
pub fn deadline(context: Option<Extension<Context>>) -> Option<Timestamp> {
    context.map(|Extension(context)| Timestamp(context.deadline))
}

/// Replies with a file.
pub fn file<P: AdminPorts>(export: Export<P>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, export.format().media_type().to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export.file_name())),
    ];
    let body = Body::from_stream(export.into_text().map(Ok::<_, Infallible>));
    (StatusCode::OK, headers, body).into_response()
}
