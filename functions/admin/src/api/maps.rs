//! `/maps`.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller, DiscardPolicy, maps, open_lanes, preview,
        view::{Map, Maps, OpenLanes, Previewed},
    },
    error::AppError,
    ports::{ConfigStore, Lanes},
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{MapConfig, MapId};

use crate::{
    bodies::PreviewRequest,
    http::{
        extract::{Condition, Json, Name, Params},
        reply::{Reply, json, nothing, saved_status, versioned},
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let maps = ports.store().list_maps().await?;
    json(StatusCode::OK, &Maps { maps: maps.into_iter().map(Map::from).collect() })
}

pub(crate) async fn get<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>) -> Reply {
    let map = maps::get(&*ports, &id).await?;
    let skipped = ports.lanes().skipped(&map).await?;
    versioned(StatusCode::OK, map.version, &Map::with_skipped(map, skipped, ports.now()))
}

pub(crate) async fn put<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Condition(expects): Condition,
    params: Params,
    Json(config): Json<MapConfig>,
) -> Reply {
    let (map, saved) = maps::put(&*ports, &caller, id, config, expects, read_discard_policy(&params)?).await?;
    versioned(saved_status(saved), map.version, &Map::from(map))
}

pub(crate) async fn delete<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Condition(expects): Condition,
    params: Params,
) -> Reply {
    maps::delete(&*ports, &caller, &id, expects, read_discard_policy(&params)?).await?;
    nothing()
}

fn read_discard_policy(params: &Params) -> Result<DiscardPolicy, AppError> {
    let discard = params.only::<bool>("give_up_archive", "true or false")?.unwrap_or(false);
    Ok(if discard { DiscardPolicy::Discard } else { DiscardPolicy::Keep })
}

pub(crate) async fn open<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    let wanted = format!("a number from 1 to {}", open_lanes::MAX_OPEN);
    let limit = params.only::<usize>("limit", &wanted)?.unwrap_or(open_lanes::DEFAULT_OPEN);
    if limit == 0 || limit > open_lanes::MAX_OPEN {
        return Err(AppError::mistake("limit", &format!("must be {wanted}")).into());
    }
    let lanes = open_lanes::list(&*ports, &id, limit).await?;
    json(StatusCode::OK, &OpenLanes { lanes: lanes.into_iter().map(Into::into).collect() })
}

pub(crate) async fn preview<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<MapId>,
    Json(request): Json<PreviewRequest>,
) -> Reply {
    let PreviewRequest { from, key, record } = request;
    let preview = preview::preview(&*ports, &id, &from, key, record).await?;
    json(StatusCode::OK, &Previewed::from(preview))
}
