//! `/config`: maps as code.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        document::{self, Document},
        view::Plan,
    },
    error::AppError,
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
};

use crate::http::{
    extract::{JsonOrYaml, Params, wants_yaml},
    reply::{Reply, json, yaml},
};

pub(crate) async fn export<P: AdminPorts>(State(ports): State<Arc<P>>, headers: HeaderMap) -> Reply {
    let document = document::export(&*ports).await?;
    if wants_yaml(&headers) { yaml(&document) } else { json(StatusCode::OK, &document) }
}

pub(crate) async fn plan<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    params: Params,
    JsonOrYaml(wanted): JsonOrYaml<Document>,
) -> Reply {
    let plan = document::plan(&*ports, &caller, wanted, prune(&params)?).await?;
    json(StatusCode::OK, &Plan::from(plan))
}

pub(crate) async fn apply<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    params: Params,
    JsonOrYaml(wanted): JsonOrYaml<Document>,
) -> Reply {
    let done = document::apply(&*ports, &caller, wanted, prune(&params)?).await?;
    json(StatusCode::OK, &Plan::from(done))
}

fn prune(params: &Params) -> Result<bool, AppError> {
    Ok(params.only::<bool>("prune", "true or false")?.unwrap_or(false))
}
