//! `/log/errors/download`: all errors that match a filter, as a file.

use std::{convert::Infallible, sync::Arc};

use app::{
    admin::{
        AdminPorts,
        logs::{Errors, MAX_PAGE, Page},
        view::ErrorView,
    },
    error::AppError,
};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use domain::{LogId, Timestamp, log::LoggedError};
use futures::StreamExt;
use lambda_http::Context;
use serde_json::json;

use crate::http::{
    csv::{HEADER, row},
    error_filter::{FILTER_PARAMS, read_filter},
    extract::Params,
    reply::Reply,
};

/// Lines that are read for one chunk of the file. That takes a second at most, so the download notices its deadline in
/// time.
const LOOKED_AT_ONCE: usize = 2_000;
/// Time before the function's deadline at which the download ends, in milliseconds. It is enough for one chunk and the
/// last line.
const RESERVE_MS: u64 = 5_000;

/// A download in progress.
struct Download<P> {
    ports: Arc<P>,
    errors: Errors,
    csv: bool,
    until: Option<Timestamp>,
}

/// Streams all errors that match, newest first. Only one chunk is in memory at a time.
pub(crate) async fn download<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    context: Option<Extension<Context>>,
    params: Params,
) -> Reply {
    params.known(&[&FILTER_PARAMS[..], &["format"]].concat())?;
    let csv = match params.text("format").unwrap_or("csv") {
        "csv" => true,
        "jsonl" => false,
        _ => return Err(AppError::mistake("format", "must be csv or jsonl").into()),
    };
    let mut errors = Errors::open(&*ports, read_filter(&params)?, params.parsed("before")?).await?;
    // The first chunk is read before the reply begins, so that an invalid request still gets a problem.
    let first = errors.page(&*ports, MAX_PAGE, LOOKED_AT_ONCE).await?;
    let until = context.map(|Extension(context)| Timestamp(context.deadline.saturating_sub(RESERVE_MS)));
    let file = Download { ports, errors, csv, until };
    let chunks = futures::stream::unfold(Some((first, file)), |state| async move {
        let (page, file) = state?;
        Some(file.chunk(page).await)
    });
    let began = futures::stream::iter(csv.then(|| HEADER.to_owned()));
    let body = Body::from_stream(began.chain(chunks).map(Ok::<_, Infallible>));
    let (kind, name) =
        if csv { ("text/csv; charset=utf-8", "errors.csv") } else { ("application/x-ndjson", "errors.jsonl") };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

impl<P: AdminPorts> Download<P> {
    /// Returns a page as text, and the page after it if there is one.
    async fn chunk(mut self, page: Page<LoggedError>) -> (String, Option<(Page<LoggedError>, Self)>) {
        let text: String = page.lines.into_iter().map(|error| self.line(error.into())).collect();
        let Some(next) = page.next else { return (text, None) };
        if self.until.is_some_and(|until| self.ports.now() >= until) {
            tracing::warn!(
                "could not finish a download before the function's deadline; its last line says where to go on"
            );
            return (text + &self.last_line("the download ran out of time", next), None);
        }
        match self.errors.page(&*self.ports, MAX_PAGE, LOOKED_AT_ONCE).await {
            Ok(page) => (text, Some((page, self))),
            Err(error) => {
                tracing::error!(%error, "could not read the log for a download; the last line of the file says where to go on");
                (text + &self.last_line("Tandem could not read the log", next), None)
            }
        }
    }

    fn line(&self, error: ErrorView) -> String {
        if self.csv { row(&error) } else { serde_json::to_string(&error).unwrap_or_default() + "\n" }
    }

    /// Builds the last line of an incomplete file. It names the place where the rest begins.
    fn last_line(&self, why: &str, next: LogId) -> String {
        let says = format!("{why}; for the rest, download once more with before={next}");
        if self.csv {
            format!("# cut off: {says}\r\n")
        } else {
            json!({ "cut_off": says, "before": next.to_string() }).to_string() + "\n"
        }
    }
}
