//! `/log`: errors and activity.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        logs::{self, ErrorFilter, GroupBy, MAX_PAGE},
    },
    error::AppError,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{LogId, MapId, Timestamp, record::ContentHash};

use crate::{
    answer::{Reply, json, nothing},
    read::{Json, Name, Params},
    views::{
        Activities, ActivityView, ErrorGroup, ErrorGroups, ErrorView, ErrorsResolved, FailedEvent, FailedEvents,
        LoggedErrors, Reason,
    },
};

pub(crate) const FILTER: [&str; 9] =
    ["map", "class", "to", "key", "fingerprint", "resolved", "from", "until", "before"];
const DEFAULT_PAGE: u64 = 100;

pub(crate) async fn activity<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&["map", "from", "before", "limit"])?;
    let (maps, from) = (maps(&params)?, time(&params, "from")?.unwrap_or(Timestamp(0)));
    let page = logs::activities(&*ports, &maps, from, params.parsed("before")?, limit(&params)?).await?;
    let lines = page.lines.into_iter().map(ActivityView::from).collect();
    json(StatusCode::OK, &Activities { lines, next: page.next.map(|id| id.to_string()) })
}

pub(crate) async fn errors<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&[&FILTER[..], &["limit"]].concat())?;
    let page = logs::errors(&*ports, &filter(&params)?, params.parsed("before")?, limit(&params)?).await?;
    let errors = page.lines.into_iter().map(ErrorView::from).collect();
    json(StatusCode::OK, &LoggedErrors { errors, next: page.next.map(|id| id.to_string()) })
}

pub(crate) async fn groups<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&[&FILTER[..8], &["by"]].concat())?;
    let by: GroupBy = params.named("by")?.unwrap_or(GroupBy::Message);
    let (groups, complete) = logs::groups(&*ports, &filter(&params)?, by).await?;
    json(StatusCode::OK, &ErrorGroups { groups: groups.into_iter().map(ErrorGroup::from).collect(), complete })
}

/// Resolves what the same filter shows.
pub(crate) async fn resolve<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    params: Params,
    Json(reason): Json<Reason>,
) -> Reply {
    params.known(&FILTER[..8])?;
    let said = params.said();
    let (resolved, more) = logs::resolve(&*ports, &caller, filter(&params)?, &said, &reason.reason).await?;
    json(StatusCode::OK, &ErrorsResolved { resolved, more })
}

pub(crate) async fn failed<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&["before", "limit"])?;
    let (events, next) = logs::failed(&*ports, params.parsed("before")?, crate::backlog::limit(&params)?).await?;
    let events = events.into_iter().map(FailedEvent::from).collect();
    let batches = ports.failed_batches().await;
    json(StatusCode::OK, &FailedEvents { events, next: next.map(|id| id.to_string()), batches })
}

/// Takes one off the list.
pub(crate) async fn dismiss<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<LogId>,
    Json(reason): Json<Reason>,
) -> Reply {
    logs::dismiss(&*ports, &caller, id, &reason.reason).await?;
    nothing()
}

pub(crate) fn filter(params: &Params) -> Result<ErrorFilter, AppError> {
    let fingerprint = params.text("fingerprint").map(|text| {
        u64::from_str_radix(text, 16)
            .map(ContentHash)
            .map_err(|_| AppError::mistake("fingerprint", "must be 16 hex digits"))
    });
    Ok(ErrorFilter {
        maps: maps(params)?,
        class: params.named("class")?,
        to: params.parsed("to")?,
        key: params.parsed("key")?,
        fingerprint: fingerprint.transpose()?,
        resolved: params.named("resolved")?,
        from: time(params, "from")?.unwrap_or(Timestamp(0)),
        until: time(params, "until")?,
    })
}

fn maps(params: &Params) -> Result<Vec<MapId>, AppError> {
    let names = params.text("map").unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| name.parse().map_err(|says: String| AppError::mistake("map", &says))).collect()
}

fn time(params: &Params, name: &str) -> Result<Option<Timestamp>, AppError> {
    params.text(name).map(|text| Timestamp::parse(text).map_err(|says| AppError::mistake(name, &says))).transpose()
}

fn limit(params: &Params) -> Result<usize, AppError> {
    let limit = params.number("limit")?.unwrap_or(DEFAULT_PAGE);
    match usize::try_from(limit) {
        Ok(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        _ => Err(AppError::mistake("limit", &format!("must be 1 to {MAX_PAGE}"))),
    }
}
