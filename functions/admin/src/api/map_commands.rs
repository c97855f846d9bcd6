//! `/maps/{map}/run`, `pause`, `resume`, `stop`, and the same for several maps.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        map_commands::{find_in_flight_writes, pause as pause_map, switch},
        view::{Map, MapResult, MapResults, Paused},
    },
    error::AppError,
    problem::Problem,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{MapId, map::MapCommand};

use crate::{
    bodies::{ManyMaps, Reason, Resume},
    http::{
        extract::{Json, Name, Names, Params},
        reply::{Reply, json, versioned},
        wait::read_wait,
    },
};

/// Most maps of one request.
const MAX_MAPS: usize = 50;

pub(crate) async fn run<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(reason): Json<Reason>,
) -> Reply {
    to(&*ports, &caller, &id, MapCommand::Run, &reason.reason).await
}

pub(crate) async fn stop<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(reason): Json<Reason>,
) -> Reply {
    to(&*ports, &caller, &id, MapCommand::Stop, &reason.reason).await
}

pub(crate) async fn resume<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(resume): Json<Resume>,
) -> Reply {
    to(&*ports, &caller, &id, MapCommand::Resume(resume.backlog), &resume.reason).await
}

/// 200 when nothing is being written any more, 202 when something is, after waiting as long as the caller wants.
pub(crate) async fn pause<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    params: Params,
    Json(reason): Json<Reason>,
) -> Reply {
    let wait_s = read_wait(&params)?;
    let (map, quiet) = pause_map(&*ports, &caller, &id, &reason.reason, wait_s * 1_000).await?;
    let status = if quiet.is_quiet() { StatusCode::OK } else { StatusCode::ACCEPTED };
    versioned(status, map.version, &Paused::of(map, quiet))
}

async fn to<P: AdminPorts>(ports: &P, caller: &Caller, id: &MapId, command: MapCommand, why: &str) -> Reply {
    let map = switch(ports, caller, id, command, why).await?;
    versioned(StatusCode::OK, map.version, &Map::from(map))
}

/// The same command for several maps. The answer is for each: one that does not take it does not stop the others.
pub(crate) async fn many<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Names([command]): Names<1>,
    Json(many): Json<ManyMaps>,
) -> Reply {
    let command = match &*command {
        "run" => MapCommand::Run,
        "pause" => MapCommand::Pause,
        "resume" => MapCommand::Resume(many.backlog.unwrap_or_default()),
        "stop" => MapCommand::Stop,
        _ => return Err(AppError::mistake("command", "must be run, pause, resume or stop").into()),
    };
    if many.backlog.is_some() && !matches!(command, MapCommand::Resume(_)) {
        return Err(AppError::mistake("backlog", "goes with resume alone").into());
    }
    if many.maps.is_empty() || many.maps.len() > MAX_MAPS {
        return Err(AppError::mistake("maps", &format!("must be 1 to {MAX_MAPS} maps")).into());
    }
    let mut results = Vec::with_capacity(many.maps.len());
    for id in &many.maps {
        let result = match switch(&*ports, &caller, id, command, &many.reason).await {
            Ok(map) => {
                // The map is paused, whether or not it can be told what is still going on.
                let quiet = match command {
                    MapCommand::Pause => find_in_flight_writes(&*ports, &map).await.ok().map(|quiet| quiet.is_quiet()),
                    _ => None,
                };
                MapResult { id: id.to_string(), map: Some(map.into()), quiet, problem: None }
            }
            Err(error @ AppError::Invalid(_)) => return Err(error.into()), // the reason is wrong for all of them
            Err(error) => {
                MapResult { id: id.to_string(), map: None, quiet: None, problem: Some(Problem::from(&error)) }
            }
        };
        results.push(result);
    }
    json(StatusCode::OK, &MapResults { results })
}
