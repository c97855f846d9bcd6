//! The router: the same one under Lambda and in the tests.

use std::sync::Arc;

use app::admin::AdminPorts;
use axum::{
    Router,
    http::StatusCode,
    middleware::from_fn_with_state,
    routing::{delete, get, post, put},
};

use crate::{
    api::{
        archive, backlog, document, download, logs, map_commands, maps, parked, rules, sides, sync_download, syncs,
        tokens,
    },
    http::{
        guard::guard,
        reply::{Reply, json},
    },
    openapi,
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
        .route("/maps/{map}/run", post(map_commands::run::<P>))
        .route("/maps/{map}/stop", post(map_commands::stop::<P>))
        .route("/maps/{map}/pause", post(map_commands::pause::<P>))
        .route("/maps/{map}/resume", post(map_commands::resume::<P>))
        .route("/commands/{command}", post(map_commands::many::<P>))
        .route("/queues", get(backlog::all::<P>))
        .route("/maps/{map}/queue", get(backlog::status::<P>))
        .route("/maps/{map}/queue/entries", get(backlog::list::<P>))
        .route("/maps/{map}/queue/entry", get(backlog::entry::<P>))
        .route("/maps/{map}/entries", post(parked::command::<P>))
        .route("/maps/{map}/errors", get(parked::list::<P>))
        .route("/maps/{map}/errors/preview", post(parked::preview::<P>))
        .route("/maps/{map}/errors/retry-all", post(parked::retry_all::<P>))
        .route("/maps/{map}/errors/hold-all", post(parked::hold_all::<P>))
        .route("/maps/{map}/archive", get(archive::list::<P>))
        .route("/maps/{map}/archive/recover-all", post(archive::recover_all::<P>))
        .route("/maps/{map}/archive/{id}", get(archive::get::<P>))
        .route("/maps/{map}/archive/{id}/recover", post(archive::recover::<P>))
        .route("/maps/{map}/conflicts", get(archive::list_conflicts::<P>))
        .route("/maps/{map}/conflicts/{id}", get(archive::get_conflict::<P>))
        .route("/maps/{map}/conflicts/{id}/reverse", post(archive::reverse::<P>))
        .route("/maps/{map}/open", get(maps::open::<P>))
        .route("/maps/{map}/preview", post(maps::preview::<P>))
        .route("/maps/{map}/syncs", get(syncs::list::<P>).post(syncs::start::<P>))
        .route("/syncs", post(syncs::start_in_order::<P>))
        .route("/maps/{map}/syncs/check", post(syncs::check::<P>))
        .route("/maps/{map}/syncs/{run}", get(syncs::get::<P>))
        .route("/maps/{map}/syncs/{run}/records", get(syncs::records::<P>))
        .route("/maps/{map}/syncs/{run}/records/download", get(sync_download::download::<P>))
        .route("/maps/{map}/syncs/{run}/deletions/{decision}", post(syncs::decide::<P>))
        .route("/maps/{map}/syncs/{run}/{command}", post(syncs::command::<P>))
        .route("/config", get(document::export::<P>))
        .route("/config/plan", post(document::plan::<P>))
        .route("/config/apply", post(document::apply::<P>))
        .route("/log/activity", get(logs::activity::<P>))
        .route("/log/errors", get(logs::errors::<P>))
        .route("/log/errors/groups", get(logs::groups::<P>))
        .route("/log/errors/download", get(download::download::<P>))
        .route("/log/errors/resolve", post(logs::resolve::<P>))
        .route("/log/failed", get(logs::failed::<P>))
        .route("/log/failed/{event}/dismiss", post(logs::dismiss::<P>))
        .route("/rules", get(rules::list::<P>))
        .route("/rules/{rule}", get(rules::get::<P>).put(rules::put::<P>).delete(rules::delete::<P>))
        .route("/rules/{rule}/test", post(rules::test::<P>))
        .route("/rules/{rule}/explain", get(rules::explain::<P>))
        .route("/dry-run", post(rules::dry_run::<P>))
        .route("/groups", get(rules::groups::<P>))
        .route("/groups/{group}", put(rules::put_group::<P>).delete(rules::delete_group::<P>))
        .route("/incidents", get(rules::incidents::<P>))
        .route("/incidents/{incident}", get(rules::incident::<P>))
        .route("/incidents/{incident}/acknowledge", post(rules::acknowledge::<P>))
        .route("/mail/flagged", get(rules::flagged::<P>))
        .route("/mail/flagged/{address}", delete(rules::unflag::<P>))
        .route("/tokens", get(tokens::list::<P>).post(tokens::issue::<P>))
        .route("/tokens/{token}", delete(tokens::delete::<P>))
        .layer(from_fn_with_state(Arc::clone(&ports), guard::<P>))
        .with_state(ports)
}

async fn health() -> Reply {
    json(StatusCode::OK, &crate::bodies::Health { status: "ok" })
}
