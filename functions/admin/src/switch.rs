//! `/maps/{map}/run` and `/maps/{map}/stop`.

use std::sync::Arc;

use app::admin::{AdminPorts, Caller, switch::switch};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{MapId, map::MapCommand};

use crate::{
    answer::{Reply, versioned},
    read::{Json, Name},
    views::{Map, Reason},
};

pub(crate) async fn run<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(reason): Json<Reason>,
) -> Reply {
    to(&*ports, &caller, &id, MapCommand::Run, &reason).await
}

pub(crate) async fn stop<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(reason): Json<Reason>,
) -> Reply {
    to(&*ports, &caller, &id, MapCommand::Stop, &reason).await
}

async fn to<P: AdminPorts>(ports: &P, caller: &Caller, id: &MapId, command: MapCommand, why: &Reason) -> Reply {
    let map = switch(ports, caller, id, command, &why.reason).await?;
    versioned(StatusCode::OK, map.version, &Map::from(map))
}
