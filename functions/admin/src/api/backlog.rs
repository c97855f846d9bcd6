//! `/maps/{map}/queue`: the entries that wait.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, backlog,
        cursor::{queue_cursor, read_queue_cursor},
        maps,
        view::{BacklogView, Entries, EntryDetail, EntryView, MapQueue, Queues},
    },
    error::AppError,
    problem::Problem,
};
use axum::{extract::State, http::StatusCode};
use domain::{MapId, RecordKey};

use crate::http::{
    extract::{Name, Params},
    page::page_limit,
    reply::{Reply, json},
};

pub(crate) async fn status<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>) -> Reply {
    json(StatusCode::OK, &BacklogView::from(backlog::status(&*ports, &id).await?))
}

/// Replies with the backlogs of all maps that are paused or catch up.
pub(crate) async fn all<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let maps = backlog::all(&*ports).await?.into_iter().map(|(id, backlog)| {
        let (queue, problem) = match backlog {
            Ok(backlog) => (Some(backlog.into()), None),
            Err(error) => (None, Some(Problem::from(&error))),
        };
        MapQueue { id: id.to_string(), queue, problem }
    });
    json(StatusCode::OK, &Queues { maps: maps.collect() })
}

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    params.known(&["key", "after", "limit"])?;
    let limit = page_limit(&params)?;
    let key = params.parsed::<RecordKey>("key")?;
    let after = params.text("after").map(|text| read_queue_cursor(&id, text)).transpose()?;
    let map = maps::get(&*ports, &id).await?;
    let (listed, next) = backlog::list(&*ports, &id, key, after, limit).await?;
    let entries = listed.into_iter().map(|(key, entry)| EntryView::of(&map, &key, entry)).collect();
    let next = next.as_ref().map(queue_cursor);
    json(StatusCode::OK, &Entries { entries, next })
}

pub(crate) async fn entry<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    params.known(&["key", "seq"])?;
    let key = params.parsed::<RecordKey>("key")?.ok_or_else(|| AppError::mistake("key", "must be given"))?;
    let seq = params.number("seq")?.ok_or_else(|| AppError::mistake("seq", "must be given"))?;
    let map = maps::get(&*ports, &id).await?;
    let (head, entry) = backlog::entry(&*ports, &id, key.clone(), seq).await?;
    json(StatusCode::OK, &EntryDetail::of(&map, &key, &head, entry))
}
