//! `/maps/{map}/syncs/{run}/records/download`: records of a run, as a file.

use std::sync::Arc;

use app::admin::{AdminPorts, cursor::not_a_cursor, export::Export};
use axum::{Extension, extract::State};
use lambda_http::Context;

use super::syncs::{read_list, read_names};
use web::{deadline, file};

use crate::http::{
    extract::{Names, Params},
    reply::Reply,
};

/// Streams all records of a list.
pub(crate) async fn download<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    context: Option<Extension<Context>>,
    Names(names): Names<2>,
    params: Params,
) -> Reply {
    params.known(&["list", "cause", "after", "format"])?;
    let format = params.parsed("format")?.unwrap_or_default();
    let (id, run) = read_names(&names)?;
    let (list, after) = (read_list(&params)?, params.text("after"));
    if after.is_some_and(|after| !list.begins(after)) {
        return Err(not_a_cursor().into());
    }
    Ok(file(Export::records(ports, (&id, run), (list, after), format, deadline(context)).await?))
}
