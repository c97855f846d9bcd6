//! `/maps/{map}/archive` and `/maps/{map}/conflicts`.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        archive::{self, ArchiveFilter, OnNewer, RecoverResult},
        conflicts::{self, ConflictFilter},
        maps,
        view::{Archive, ArchivedView, ConflictView, Conflicts, Recovered, RecoveredAll},
    },
    error::AppError,
    problem::Problem,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{EntryId, MapId};

use crate::{
    bodies::{Reason, Recover, RecoverAll},
    http::{
        extract::{Json, Name, Names, Params},
        page::page_limit,
        reply::{Reply, json},
    },
};

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    params.known(&["cause", "key", "before", "limit"])?;
    let filter = ArchiveFilter { cause: params.named("cause")?, key: params.parsed("key")? };
    let before = params.named("before")?;
    let map = maps::get(&*ports, &id).await?;
    let (found, next) = archive::list(&*ports, &id, &filter, before, page_limit(&params)?).await?;
    let archived = found.into_iter().map(|one| ArchivedView::of(&map, one)).collect();
    json(StatusCode::OK, &Archive { archived, next: next.map(|id| id.to_string()) })
}

pub(crate) async fn get<P: AdminPorts>(State(ports): State<Arc<P>>, Names(names): Names<2>) -> Reply {
    let (id, archive_id) = read_names(&names)?;
    let map = maps::get(&*ports, &id).await?;
    json(StatusCode::OK, &ArchivedView::of(&map, archive::get(&*ports, &id, archive_id).await?))
}

pub(crate) async fn recover<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Names(names): Names<2>,
    Json(request): Json<Recover>,
) -> Reply {
    let (id, archive_id) = read_names(&names)?;
    let map = maps::get(&*ports, &id).await?;
    let newer = if request.force { OnNewer::Overwrite } else { OnNewer::Keep };
    let recovered = archive::recover(&*ports, &caller, &id, archive_id, newer, &request.reason).await?;
    json(StatusCode::OK, &ArchivedView::of(&map, recovered))
}

pub(crate) async fn recover_all<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<MapId>,
    Json(request): Json<RecoverAll>,
) -> Reply {
    let after = request.after.as_deref().map(|text| read_id("after", text)).transpose()?;
    let (each, next) = archive::recover_all(&*ports, &caller, &id, request.cause, after, &request.reason).await?;
    let result = |(id, result): RecoverResult| Recovered {
        archive_id: id.to_string(),
        done: result.is_ok(),
        problem: result.err().as_ref().map(Problem::from),
    };
    let results = each.into_iter().map(result).collect();
    json(StatusCode::OK, &RecoveredAll { results, next: next.map(|id| id.to_string()) })
}

pub(crate) async fn list_conflicts<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Name(id): Name<MapId>,
    params: Params,
) -> Reply {
    params.known(&["key", "reversed", "before", "limit"])?;
    let filter = ConflictFilter { key: params.parsed("key")?, reversed: params.named("reversed")? };
    let before = params.named("before")?;
    let map = maps::get(&*ports, &id).await?;
    let (found, next) = conflicts::list(&*ports, &id, &filter, before, page_limit(&params)?).await?;
    let conflicts = found.into_iter().map(|one| ConflictView::of(&map, one)).collect();
    json(StatusCode::OK, &Conflicts { conflicts, next: next.map(|id| id.to_string()) })
}

pub(crate) async fn get_conflict<P: AdminPorts>(State(ports): State<Arc<P>>, Names(names): Names<2>) -> Reply {
    let (id, entry) = read_names(&names)?;
    let map = maps::get(&*ports, &id).await?;
    json(StatusCode::OK, &ConflictView::of(&map, conflicts::get(&*ports, &id, entry).await?))
}

pub(crate) async fn reverse<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Names(names): Names<2>,
    Json(reason): Json<Reason>,
) -> Reply {
    let (id, entry) = read_names(&names)?;
    let map = maps::get(&*ports, &id).await?;
    let reversed = conflicts::reverse(&*ports, &caller, &id, entry, &reason.reason).await?;
    json(StatusCode::OK, &ConflictView::of(&map, reversed))
}

/// Reads a map and an id from the path.
fn read_names([map, id]: &[String; 2]) -> Result<(MapId, EntryId), AppError> {
    let map = map.parse().map_err(|says: String| AppError::mistake("map", &says))?;
    Ok((map, read_id("id", id)?))
}

fn read_id(field: &str, text: &str) -> Result<EntryId, AppError> {
    let id = serde_json::from_value(serde_json::Value::String(text.to_owned()));
    id.map_err(|_| AppError::mistake(field, "is not an id that a list returned"))
}
