//! `/maps/{map}/queue`: what waits.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts,
        backlog::{self, Cursor, MAX_LISTED},
        maps,
    },
    error::AppError,
    ports::{LaneKey, OpenLane},
    problem::Problem,
};
use axum::{extract::State, http::StatusCode};
use domain::{MapId, RecordKey, Timestamp};

use crate::{
    answer::{Reply, json},
    read::{Name, Params},
    views::{BacklogView, Entries, EntryDetail, EntryView, MapQueue, Queues},
};

pub(crate) async fn status<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>) -> Reply {
    json(StatusCode::OK, &BacklogView::from(backlog::status(&*ports, &id).await?))
}

/// The same of every map that is paused or catches up.
pub(crate) async fn all<P: AdminPorts>(State(ports): State<Arc<P>>) -> Reply {
    let maps = backlog::all(&*ports).await?.into_iter().map(|(id, told)| {
        let (queue, problem) = match told {
            Ok(backlog) => (Some(backlog.into()), None),
            Err(error) => (None, Some(Problem::from(&error))),
        };
        MapQueue { id: id.to_string(), queue, problem }
    });
    json(StatusCode::OK, &Queues { maps: maps.collect() })
}

pub(crate) async fn list<P: AdminPorts>(State(ports): State<Arc<P>>, Name(id): Name<MapId>, params: Params) -> Reply {
    params.known(&["key", "after", "limit"])?;
    let limit = limit(&params)?;
    let key = params.parsed::<RecordKey>("key")?;
    let after = params.text("after").map(|text| cursor(&id, text)).transpose()?;
    let map = maps::get(&*ports, &id).await?;
    let (listed, next) = backlog::list(&*ports, &id, key, after, limit).await?;
    let entries = listed.into_iter().map(|(key, entry)| EntryView::of(&map, &key, entry)).collect();
    let next = next.map(|Cursor { open, seq }| format!("{seq}.{}", lane_cursor(&open)));
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

/// `limit`, within its bounds.
pub(crate) fn limit(params: &Params) -> Result<usize, AppError> {
    let wanted = format!("must be a number from 1 to {MAX_LISTED}");
    match params.number("limit")?.map(usize::try_from) {
        None => Ok(MAX_LISTED / 2),
        Some(Ok(limit @ 1..=MAX_LISTED)) => Ok(limit),
        Some(_) => Err(AppError::mistake("limit", &wanted)),
    }
}

/// A place in the list of lanes, as text: `time.key`.
pub(crate) fn lane_cursor(open: &OpenLane) -> String {
    format!("{}.{}", open.at.0, open.lane.key)
}

/// Reads it.
pub(crate) fn read_lane_cursor(map: &MapId, text: &str) -> Result<OpenLane, AppError> {
    let wrong = || AppError::mistake("after", "is no cursor that this list gave");
    let (at, key) = text.split_once('.').ok_or_else(wrong)?;
    let at = Timestamp(at.parse().map_err(|_| wrong())?);
    Ok(OpenLane { at, lane: LaneKey { map: map.clone(), key: key.parse().map_err(|_| wrong())? } })
}

fn cursor(map: &MapId, text: &str) -> Result<Cursor, AppError> {
    let wrong = || AppError::mistake("after", "is no cursor that this list gave");
    let (seq, lane) = text.split_once('.').ok_or_else(wrong)?;
    Ok(Cursor { seq: seq.parse().map_err(|_| wrong())?, open: read_lane_cursor(map, lane)? })
}
