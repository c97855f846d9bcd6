//! Replies that are files: they are streamed, and end before the function does.

use std::convert::Infallible;

use app::{
    admin::{
        AdminPorts,
        export::{Export, Format},
    },
    error::AppError,
};
use axum::{
    Extension,
    body::Body,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::Timestamp;
use futures::StreamExt;
use lambda_http::Context;

use super::params::Params;

/// Reads the parameter `format`: CSV if there is none.
pub(crate) fn read_format(params: &Params) -> Result<Format, AppError> {
    Ok(params.parsed("format")?.unwrap_or(Format::Csv))
}

/// When the function ends.
pub(crate) fn deadline(context: Option<Extension<Context>>) -> Option<Timestamp> {
    context.map(|Extension(context)| Timestamp(context.deadline))
}

/// Replies with a file.
pub(crate) fn file<P: AdminPorts>(export: Export<P>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, export.format().media_type().to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", export.file_name())),
    ];
    let body = Body::from_stream(export.into_text().map(Ok::<_, Infallible>));
    (StatusCode::OK, headers, body).into_response()
}
