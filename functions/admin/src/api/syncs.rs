//! `/maps/{map}/syncs`: dry runs, initial syncs and reconciles.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        cursor::not_a_cursor,
        maps,
        syncs::{self, RunCommand, StartInOrder, StartSync},
        view::{SyncCheck, SyncRecord, SyncRecords, SyncRunView, SyncRuns},
    },
    error::{AppError, ResourceKind},
    ports::FindingList,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{ContentHash, MapId, id::SyncRunId};

use crate::{
    bodies::{DecideDeletionsRequest, Reason, StartSyncRun, StartSyncRuns},
    http::{
        extract::{Json, Name, Names, Params},
        page::page_limit,
        reply::{Reply, json},
        wait::read_wait,
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    params.known(&["before", "limit"])?;
    let (before, limit) = (params.parsed("before")?, page_limit(&params)?);
    let map = maps::get(&*ports, &id).await?;
    let runs = syncs::list(&*ports, &id, before, limit).await?;
    let next = runs.last().filter(|_| runs.len() == limit).map(|run| run.id.to_string());
    let now = ports.now();
    let runs = runs.into_iter().map(|run| SyncRunView::of(&map, run, now)).collect();
    json(StatusCode::OK, &SyncRuns { runs, next })
}

pub(crate) async fn start<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<StartSyncRun>,
) -> Reply {
    let wanted = StartSync::try_from(request)?;
    let run = syncs::start(&*ports, &caller, &id, &wanted).await?;
    let map = maps::get(&*ports, &id).await?;
    json(StatusCode::CREATED, &SyncRunView::of(&map, run, ports.now()))
}

/// Starts runs of several maps, in the order of their lookups.
pub(crate) async fn start_in_order<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Json(request): Json<StartSyncRuns>,
) -> Reply {
    let wanted = StartInOrder::from(request);
    let now = ports.now();
    let mut runs = Vec::new();
    for run in syncs::start_in_order(&*ports, &caller, &wanted).await? {
        let map = maps::get(&*ports, &run.map).await?;
        runs.push(SyncRunView::of(&map, run, now));
    }
    json(StatusCode::CREATED, &SyncRuns { runs, next: None })
}

pub(crate) async fn check<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<MapId>,
    Json(request): Json<StartSyncRun>,
) -> Reply {
    let wanted = StartSync::try_from(request)?;
    let problems = syncs::check(&*ports, &id, &wanted).await?;
    json(StatusCode::OK, &SyncCheck::of(problems, &wanted.despite))
}

/// One run, after waiting for its end as long as the caller wants.
pub(crate) async fn get<P: AdminPorts>(State(ports): State<Arc<P>>, Names(names): Names<2>, params: Params) -> Reply {
    let wait_s = read_wait(&params)?;
    let (id, run) = read_names(&names)?;
    let run = syncs::wait_for_end(&*ports, &id, run, wait_s * 1_000).await?;
    let reruns = syncs::reruns(&*ports, &id, &run).await?;
    let map = maps::get(&*ports, &id).await?;
    json(StatusCode::OK, &SyncRunView::of(&map, run, ports.now()).with_reruns(&reruns))
}

pub(crate) async fn command<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Names([map, run, command]): Names<3>,
    Json(reason): Json<Reason>,
) -> Reply {
    let (id, run) = read_names(&[map, run])?;
    let command = match &*command {
        "pause" => RunCommand::Pause,
        "resume" => RunCommand::Resume,
        "cancel" => RunCommand::Cancel,
        _ => return Err(AppError::mistake("command", "must be pause, resume or cancel").into()),
    };
    let run = syncs::command(&*ports, &caller, &id, run, (command, &reason.reason)).await?;
    let map = maps::get(&*ports, &id).await?;
    json(StatusCode::OK, &SyncRunView::of(&map, run, ports.now()))
}

/// Approves or rejects deletions that a run has proposed: another run carries that out.
pub(crate) async fn decide<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Names([map, run, decision]): Names<3>,
    Json(request): Json<DecideDeletionsRequest>,
) -> Reply {
    let (id, run) = read_names(&[map, run])?;
    let wanted = request.read(&decision)?;
    let run = syncs::decide_deletions(&*ports, &caller, &id, run, &wanted).await?;
    let map = maps::get(&*ports, &id).await?;
    json(StatusCode::CREATED, &SyncRunView::of(&map, run, ports.now()))
}

pub(crate) async fn records<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Names(names): Names<2>,
    params: Params,
) -> Reply {
    params.known(&["list", "cause", "after", "limit"])?;
    let (id, run) = read_names(&names)?;
    let list = read_list(&params)?;
    let after = params.text("after");
    if after.is_some_and(|after| !list.begins(after)) {
        return Err(not_a_cursor().into());
    }
    let map = maps::get(&*ports, &id).await?;
    let page = (after, page_limit(&params)?);
    let (found, next) = syncs::findings(&*ports, &id, run, list, page).await?;
    let records = found.into_iter().map(|finding| SyncRecord::of(&map, finding)).collect();
    json(StatusCode::OK, &SyncRecords { records, next })
}

/// Reads the list of records that a request asks for.
pub(super) fn read_list(params: &Params) -> Result<FindingList, AppError> {
    let cause = params.text("cause").map(|text| read_cause("cause", text)).transpose()?;
    syncs::list_named(params.text("list").unwrap_or("failed"), cause)
        .ok_or_else(|| AppError::mistake("list", "must be failed, differs, changing, deletions or not_reached"))
}

pub(super) fn read_names(names: &[String; 2]) -> Result<(MapId, SyncRunId), AppError> {
    let map = names[0].parse().map_err(|says: String| AppError::mistake("map", &says))?;
    // Whatever is no id names no run.
    let run = names[1].parse().map_err(|_| AppError::NotFound(ResourceKind::SyncRun))?;
    Ok((map, run))
}

/// Reads a cause, as runs show it.
pub(crate) fn read_cause(field: &str, text: &str) -> Result<ContentHash, AppError> {
    let hash = u64::from_str_radix(text, 16).ok().filter(|_| text.len() == 16);
    hash.map(ContentHash).ok_or_else(|| AppError::mistake(field, "must be a cause as the run shows it, 16 hex digits"))
}
