//! `/maps/{map}/syncs/{run}/records/download`: records of a run, as a file.

use std::{convert::Infallible, sync::Arc};

use app::{
    admin::{AdminPorts, maps, syncs, view::SyncRecord},
    error::AppError,
    ports::FindingList,
};
use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use domain::{Map, Timestamp, id::SyncRunId, sync::Finding};
use futures::StreamExt;
use lambda_http::Context;
use serde_json::json;

use super::syncs::{read_list, read_names};
use crate::http::{
    csv,
    extract::{Names, Params},
    page::not_a_cursor,
    reply::Reply,
};

/// Records that are read for one chunk of the file: each may have a row of 32 KB.
const READ_AT_ONCE: usize = 100;
/// Time before the function's deadline at which the download ends, in milliseconds.
const RESERVE_MS: u64 = 5_000;

/// A download in progress.
struct Download<P> {
    ports: Arc<P>,
    map: Map,
    run: SyncRunId,
    list: FindingList,
    csv: bool,
    until: Option<Timestamp>,
}

/// Findings, and the place behind which the next ones are.
type Found = (Vec<Finding>, Option<String>);

/// Streams all records of a list. Only one chunk is in memory at a time.
pub(crate) async fn download<P: AdminPorts>(
    State(ports): State<Arc<P>>,
    context: Option<Extension<Context>>,
    Names(names): Names<2>,
    params: Params,
) -> Reply {
    params.known(&["list", "cause", "after", "format"])?;
    let csv = match params.text("format").unwrap_or("csv") {
        "csv" => true,
        "jsonl" => false,
        _ => return Err(AppError::mistake("format", "must be csv or jsonl").into()),
    };
    let (id, run) = read_names(&names)?;
    let (list, after) = (read_list(&params)?, params.text("after"));
    if after.is_some_and(|after| !list.begins(after)) {
        return Err(not_a_cursor().into());
    }
    let map = maps::get(&*ports, &id).await?;
    // The first chunk is read before the reply begins, so that an invalid request still gets a problem.
    let first = syncs::findings(&*ports, &id, run, list, (after, READ_AT_ONCE)).await?;
    let until = context.map(|Extension(context)| Timestamp(context.deadline.saturating_sub(RESERVE_MS)));
    let file = Download { ports, map, run, list, csv, until };
    let chunks = futures::stream::unfold(Some((first, file)), |state| async move {
        let (found, file) = state?;
        Some(file.chunk(found).await)
    });
    let began = futures::stream::iter(csv.then(SyncRecord::csv_header));
    let body = Body::from_stream(began.chain(chunks).map(Ok::<_, Infallible>));
    let (kind, ending) = if csv { ("text/csv; charset=utf-8", "csv") } else { ("application/x-ndjson", "jsonl") };
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"sync-records.{ending}\"")),
    ];
    Ok((StatusCode::OK, headers, body).into_response())
}

impl<P: AdminPorts> Download<P> {
    /// Returns records as text, and the records after them if there are any.
    async fn chunk(self, (found, next): Found) -> (String, Option<(Found, Self)>) {
        let text: String = found.into_iter().map(|finding| self.line(finding)).collect();
        let Some(next) = next else { return (text, None) };
        if self.until.is_some_and(|until| self.ports.now() >= until) {
            tracing::warn!(
                "could not finish a download before the function's deadline; its last line says where to go on"
            );
            return (text + &self.last_line("the download ran out of time", &next), None);
        }
        let page = (Some(&*next), READ_AT_ONCE);
        match syncs::findings(&*self.ports, &self.map.id, self.run, self.list, page).await {
            Ok(found) => (text, Some((found, self))),
            Err(error) => {
                tracing::error!(%error, "could not read records for a download; the last line of the file says where to go on");
                (text + &self.last_line("Tandem could not read the records", &next), None)
            }
        }
    }

    fn line(&self, finding: Finding) -> String {
        let record = SyncRecord::of(&self.map, finding);
        if self.csv {
            csv::line(&record.csv_cells())
        } else {
            serde_json::to_string(&record).unwrap_or_default() + "\n"
        }
    }

    /// Builds the last line of an incomplete file. It names the place where the rest begins.
    fn last_line(&self, why: &str, next: &str) -> String {
        if self.csv {
            // A record's key may have any character.
            let says = format!("# cut off: {why}; for the rest, download once more with this `after`");
            return csv::line(&[says, next.to_owned()]);
        }
        json!({ "cut_off": why, "after": next }).to_string() + "\n"
    }
}
