//! `/log/errors/download`: all errors that match a filter, as a file.

use std::sync::Arc;

use app::admin::{AdminPorts, export::Export};
use axum::{Extension, extract::State};
use lambda_http::Context;

use web::{deadline, file};

use crate::http::{
    error_filter::{FILTER_PARAMS, read_filter},
    extract::Params,
    reply::Reply,
};

/// Streams all errors that match, newest first.
pub(crate) async fn download<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    context: Option<Extension<Context>>,
    params: Params,
) -> Reply {
    params.known(&[&FILTER_PARAMS[..], &["format"]].concat())?;
    let format = params.parsed("format")?.unwrap_or_default();
    let list = (read_filter(&params)?, params.parsed("before")?);
    Ok(file(Export::errors(ports, list, format, deadline(context)).await?))
}
