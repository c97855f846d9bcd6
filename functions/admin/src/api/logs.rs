//! `/log`: errors and activity.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts, Caller,
        logs::{self, GroupBy, MAX_PAGE},
        view::{
            Activities, ActivityView, ErrorGroup, ErrorGroups, ErrorView, ErrorsResolved, FailedEvent, FailedEvents,
            LoggedErrors,
        },
    },
    error::AppError,
};
use axum::{Extension, extract::State, http::StatusCode};
use domain::{LogId, Timestamp};

use crate::{
    bodies::Reason,
    http::{
        error_filter::{FILTER_PARAMS, read_filter, read_maps, read_time},
        extract::{Json, Name, Params},
        page::page_limit,
        reply::{Reply, json, nothing},
    },
};

const DEFAULT_PAGE: u64 = 100;

pub(crate) async fn activity<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&["map", "from", "before", "limit"])?;
    let (maps, from) = (read_maps(&params)?, read_time(&params, "from")?.unwrap_or(Timestamp(0)));
    let page = logs::activities(&*ports, &maps, from, params.parsed("before")?, log_limit(&params)?).await?;
    let lines = page.lines.into_iter().map(ActivityView::from).collect();
    json(StatusCode::OK, &Activities { lines, next: page.next.map(|id| id.to_string()) })
}

pub(crate) async fn errors<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&[&FILTER_PARAMS[..], &["limit"]].concat())?;
    let page = logs::errors(&*ports, &read_filter(&params)?, params.parsed("before")?, log_limit(&params)?).await?;
    let errors = page.lines.into_iter().map(ErrorView::from).collect();
    json(StatusCode::OK, &LoggedErrors { errors, next: page.next.map(|id| id.to_string()) })
}

pub(crate) async fn groups<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&[&FILTER_PARAMS[..8], &["by"]].concat())?;
    let by: GroupBy = params.named("by")?.unwrap_or(GroupBy::Message);
    let (groups, complete) = logs::groups(&*ports, &read_filter(&params)?, by).await?;
    json(StatusCode::OK, &ErrorGroups { groups: groups.into_iter().map(ErrorGroup::from).collect(), complete })
}

/// Resolves the errors that match the filter.
pub(crate) async fn resolve<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    params: Params,
    Json(reason): Json<Reason>,
) -> Reply {
    params.known(&FILTER_PARAMS[..8])?;
    let query = params.to_query();
    let (resolved, more) = logs::resolve(&*ports, &caller, read_filter(&params)?, &query, &reason.reason).await?;
    json(StatusCode::OK, &ErrorsResolved { resolved, more })
}

pub(crate) async fn failed<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&["before", "limit"])?;
    let (events, next) = logs::failed(&*ports, params.parsed("before")?, page_limit(&params)?).await?;
    let events = events.into_iter().map(FailedEvent::from).collect();
    let batches = ports.failed_batches().await;
    json(StatusCode::OK, &FailedEvents { events, next: next.map(|id| id.to_string()), batches })
}

/// Removes an event from the list.
pub(crate) async fn dismiss<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    Extension(caller): Extension<Caller>,
    Name(id): Name<LogId>,
    Json(reason): Json<Reason>,
) -> Reply {
    logs::dismiss(&*ports, &caller, id, &reason.reason).await?;
    nothing()
}

fn log_limit(params: &Params) -> Result<usize, AppError> {
    let limit = params.number("limit")?.unwrap_or(DEFAULT_PAGE);
    match usize::try_from(limit) {
        Ok(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        _ => Err(AppError::mistake("limit", &format!("must be 1 to {MAX_PAGE}"))),
    }
}
