//! The router: the same one under Lambda and in the tests.

use std::sync::Arc;

use app::admin::AdminPorts;
use axum::{
    Router,
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::{delete, get, post},
};

use crate::{
    answer::{Reply, json},
    archive, backlog, document, errors, guard, maps, openapi, sides, switch, tokens,
};

/// All routes, behind the guard.
pub(crate) fn router<P: AdminPorts>(ports: Arc<P>) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/openapi.json", get(openapi::serve))
        .route("/sides", get(sides::list::<P>))
        .route("/sides/{side}", get(sides::get::<P>).put(sides::put::<P>).delete(sides::delete::<P>))
        .route("/sides/{side}/test", post(sides::test::<P>))
        .route("/maps", get(maps::list::<P>))
        .route("/maps/{map}", get(maps::get::<P>).put(maps::put::<P>).delete(maps::delete::<P>))
        .route("/maps/{map}/run", post(switch::run::<P>))
        .route("/maps/{map}/stop", post(switch::stop::<P>))
        .route("/maps/{map}/pause", post(switch::pause::<P>))
        .route("/maps/{map}/resume", post(switch::resume::<P>))
        .route("/commands/{command}", post(switch::many::<P>))
        .route("/maps/{map}/queue", get(backlog::status::<P>))
        .route("/maps/{map}/queue/entries", get(backlog::list::<P>))
        .route("/maps/{map}/queue/entry", get(backlog::entry::<P>))
        .route("/maps/{map}/entries", post(errors::command::<P>))
        .route("/maps/{map}/errors", get(errors::list::<P>))
        .route("/maps/{map}/errors/preview", post(errors::preview::<P>))
        .route("/maps/{map}/errors/retry-all", post(errors::retry_all::<P>))
        .route("/maps/{map}/archive", get(archive::list::<P>))
        .route("/maps/{map}/archive/recover-all", post(archive::recover_all::<P>))
        .route("/maps/{map}/archive/{id}", get(archive::get::<P>))
        .route("/maps/{map}/archive/{id}/recover", post(archive::recover::<P>))
        .route("/maps/{map}/conflicts", get(archive::list_conflicts::<P>))
        .route("/maps/{map}/conflicts/{id}", get(archive::get_conflict::<P>))
        .route("/maps/{map}/conflicts/{id}/reverse", post(archive::reverse::<P>))
        .route("/maps/{map}/open", get(maps::open::<P>))
        .route("/maps/{map}/preview", post(maps::preview::<P>))
        .route("/config", get(document::export::<P>))
        .route("/config/plan", post(document::plan::<P>))
        .route("/config/apply", post(document::apply::<P>))
        .route("/tokens", get(tokens::list::<P>).post(tokens::issue::<P>))
        .route("/tokens/{token}", delete(tokens::delete::<P>))
        .layer(from_fn_with_state(Arc::clone(&ports), guard::guard::<P>))
        .with_state(ports)
}

async fn health() -> Reply {
    json(StatusCode::OK, &crate::views::Health { status: "ok" })
}
