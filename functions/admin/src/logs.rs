//! `/log`: errors and activity.

use std::{convert::Infallible, sync::Arc};

use app::{
    admin::{
        AdminPorts,
        logs::{self, ErrorFilter, GroupBy, MAX_PAGE},
    },
    error::AppError,
    ports::Log,
};
use axum::{
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use domain::{MapId, Timestamp, record::ContentHash};

use crate::{
    answer::{Reply, json},
    csv::{HEADER, row},
    read::Params,
    views::{Activities, ActivityView, ErrorGroup, ErrorGroups, ErrorView, FailedEvent, FailedEvents, LoggedErrors},
};

const FILTER: [&str; 9] = ["map", "class", "to", "key", "fingerprint", "resolved", "from", "until", "before"];
const DEFAULT_PAGE: u64 = 100;
/// Events that could not be logged, at most.
const MAX_FAILED: usize = 200;

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

pub(crate) async fn failed<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&[])?;
    let (events, batches) = (ports.log().failed(MAX_FAILED).await?, ports.failed_batches().await);
    json(StatusCode::OK, &FailedEvents { events: events.into_iter().map(FailedEvent::from).collect(), batches })
}

/// All errors that match, newest first, as a file. It is sent page by page: nothing holds all of it.
pub(crate) async fn download<P: AdminPorts>(State(ports): State<Arc<P>>, params: Params) -> Reply {
    params.known(&[&FILTER[..8], &["format"]].concat())?;
    let filter = filter(&params)?;
    let csv = match params.text("format").unwrap_or("csv") {
        "csv" => true,
        "jsonl" => false,
        _ => return Err(AppError::mistake("format", "must be csv or jsonl").into()),
    };
    // The first page is read before the answer begins: what is wrong with the request is told as a problem.
    let first = logs::errors(&*ports, &filter, None, MAX_PAGE).await?;
    let began = futures::stream::iter(csv.then(|| Ok(HEADER.to_owned())));
    let pages = futures::stream::unfold(Some((first, ports, filter)), move |state| async move {
        let (page, ports, filter) = state?;
        let text: String = page.lines.into_iter().map(|error| line(error.into(), csv)).collect();
        let next = match page.next {
            None => None,
            before => match logs::errors(&*ports, &filter, before, MAX_PAGE).await {
                Ok(page) => Some((page, ports, filter)),
                Err(error) => {
                    // The file is cut off, and says so in its last line.
                    tracing::error!(%error, "a download was cut off");
                    let cut = "# cut off: the log could not be read to its end; download it again\n";
                    return Some((Ok(text + cut), None));
                }
            },
        };
        Some((Ok::<_, Infallible>(text), next))
    });
    let (kind, name) =
        if csv { ("text/csv; charset=utf-8", "errors.csv") } else { ("application/x-ndjson", "errors.jsonl") };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    let body = Body::from_stream(futures::StreamExt::chain(began, pages));
    Ok((StatusCode::OK, headers, body).into_response())
}

fn line(error: ErrorView, csv: bool) -> String {
    if csv { row(&error) } else { serde_json::to_string(&error).unwrap_or_default() + "\n" }
}

fn filter(params: &Params) -> Result<ErrorFilter, AppError> {
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
