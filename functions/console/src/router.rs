//! The router: the same one under Lambda and in the tests.

use std::sync::Arc;

use app::admin::AdminPorts;
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};

use crate::{
    http::{assets, guard::guard},
    pages::{activity, command, errors, overview, queue, records, sign_in},
};

/// What pages know of the deployment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// The name of the stack, shown on each page.
    pub(crate) stack: String,
}

/// What pages work with.
pub(crate) struct App<P> {
    pub(crate) ports: Arc<P>,
    pub(crate) site: Site,
}

/// All pages, behind the guard. `pages::PAGES` says who may see which.
pub(crate) fn router<P: AdminPorts>(ports: Arc<P>, site: Site) -> Router {
    let app = Arc::new(App { ports, site });
    Router::new()
        .route("/", get(overview::show::<P>))
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in::<P>))
        .route("/sign-out", post(sign_in::sign_out::<P>))
        .route("/assets/{name}", get(assets::serve))
        .route("/maps/{map}", get(activity::show::<P>))
        .route("/maps/{map}/errors", get(errors::show::<P>))
        .route("/maps/{map}/errors/list", get(records::show::<P>))
        .route("/maps/{map}/errors/download", get(records::download::<P>))
        .route("/maps/{map}/queue", get(queue::show::<P>))
        .route("/commands/{command}", get(command::ask::<P>).post(command::act::<P>))
        .layer(from_fn_with_state(Arc::clone(&app), guard::<P>))
        .with_state(app)
}
