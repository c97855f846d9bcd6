//! `/log/errors/download`: all errors that match, as a file.

use std::{convert::Infallible, sync::Arc};

use app::{
    admin::{
        AdminPorts,
        logs::{Errors, MAX_PAGE, Page},
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

use crate::{
    answer::Reply,
    csv::{HEADER, row},
    logs::{FILTER, filter},
    read::Params,
    views::ErrorView,
};

/// Lines looked at for one piece of the file: a second's work at most, so that the end of the time is seen coming.
const LOOKED_AT_ONCE: usize = 2_000;
/// What is left of the function's time when a file is cut off: enough for a piece that has been begun, and the last line.
const RESERVE_MS: u64 = 5_000;

/// What is read from, and what the file is to be.
struct File<P> {
    ports: Arc<P>,
    errors: Errors,
    csv: bool,
    until: Option<Timestamp>,
}

/// All errors that match, newest first. The file is sent piece by piece: nothing holds all of it.
pub(crate) async fn download<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    context: Option<Extension<Context>>,
    params: Params,
) -> Reply {
    params.known(&[&FILTER[..], &["format"]].concat())?;
    let csv = match params.text("format").unwrap_or("csv") {
        "csv" => true,
        "jsonl" => false,
        _ => return Err(AppError::mistake("format", "must be csv or jsonl").into()),
    };
    let mut errors = Errors::open(&*ports, filter(&params)?, params.parsed("before")?).await?;
    // The first piece is read before the answer begins: what is wrong with the request is told as a problem.
    let first = errors.page(&*ports, MAX_PAGE, LOOKED_AT_ONCE).await?;
    let until = context.map(|Extension(context)| Timestamp(context.deadline.saturating_sub(RESERVE_MS)));
    let file = File { ports, errors, csv, until };
    let pieces = futures::stream::unfold(Some((first, file)), |state| async move {
        let (page, file) = state?;
        Some(file.piece(page).await)
    });
    let began = futures::stream::iter(csv.then(|| HEADER.to_owned()));
    let body = Body::from_stream(began.chain(pieces).map(Ok::<_, Infallible>));
    let (kind, name) =
        if csv { ("text/csv; charset=utf-8", "errors.csv") } else { ("application/x-ndjson", "errors.jsonl") };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

impl<P: AdminPorts> File<P> {
    /// A page as text, and what comes after it; `None`: that was the last.
    async fn piece(mut self, page: Page<LoggedError>) -> (String, Option<(Page<LoggedError>, Self)>) {
        let text: String = page.lines.into_iter().map(|error| self.line(error.into())).collect();
        let Some(next) = page.next else { return (text, None) };
        if self.until.is_some_and(|until| self.ports.now() >= until) {
            tracing::warn!("could not finish a download within the function's time; the file names where to go on");
            return (text + &self.cut("its time was up", next), None);
        }
        match self.errors.page(&*self.ports, MAX_PAGE, LOOKED_AT_ONCE).await {
            Ok(page) => (text, Some((page, self))),
            Err(error) => {
                tracing::error!(%error, "could not finish a download; the file names where to go on");
                (text + &self.cut("the log could not be read", next), None)
            }
        }
    }

    fn line(&self, error: ErrorView) -> String {
        if self.csv { row(&error) } else { serde_json::to_string(&error).unwrap_or_default() + "\n" }
    }

    /// The last line of a file that does not have all: it says so, and where the rest begins.
    fn cut(&self, why: &str, next: LogId) -> String {
        let says = format!("{why}; for the rest, download once more with before={next}");
        if self.csv {
            format!("# cut off: {says}\r\n")
        } else {
            json!({ "cut_off": says, "before": next.to_string() }).to_string() + "\n"
        }
    }
}
