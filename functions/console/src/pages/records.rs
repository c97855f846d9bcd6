//! `/maps/{map}/errors/list`: a map's errors one by one, and all that match as a file.

use std::sync::Arc;

use app::admin::{
    AdminPorts,
    console::{self, MapStatus, RecordsPage},
    export::Export,
    view::ErrorView,
};
use axum::{Extension, extract::State, http::StatusCode};
use lambda_http::Context;
use maud::{Markup, html};

use super::map;
use web::{deadline, file};

use crate::{
    http::{
        params::{MapName, Name, Params},
        reply::{Reply, page},
        visit::Visit,
    },
    parts::{
        filter::{self, Field},
        pagination::pagination,
        table::{table, text},
        time::time,
    },
    router::App,
};

pub(crate) async fn show<P: AdminPorts>(
    State(app): State<Arc<App<P>>>,
    visit: Visit,
    Name(id): MapName,
    params: Params,
) -> Reply {
    let before = params.parsed("before")?;
    let found = console::records(&*app.ports, &id, params.error_filter()?, before).await?;
    Ok(page(StatusCode::OK, render(&visit, &params, &found)))
}

/// All errors that match, as a file.
pub(crate) async fn download<P: AdminPorts>(
    State(app): State<Arc<App<P>>>,
    context: Option<Extension<Context>>,
    Name(id): MapName,
    params: Params,
) -> Reply {
    let filter = params.error_filter()?.of_map(id);
    let list = (filter, params.parsed("before")?);
    Ok(file(
        Export::errors(Arc::clone(&app.ports), list, params.parsed("format")?.unwrap_or_default(), deadline(context))
            .await?,
    ))
}

fn render(visit: &Visit, params: &Params, found: &RecordsPage) -> Markup {
    let rows: Vec<_> = found.errors.errors.iter().map(row).collect();
    let columns = [text("Record"), text("When"), text("Error"), text("To"), text("What became of it")];
    let causes = visit.place.link(&format!("maps/{}/errors?{}", found.status.map.id, params.with("fingerprint", None)));
    let body = html! {
        (filter(visit, params, &found.status, "errors/list"))
        section.panel #rows data-live { (table("Errors, newest first", &columns, &rows, "No error matches.")) }
        (pagination(params, "before", found.errors.next.as_deref()))
        p.row.small { a href=(causes) { "By cause" } (downloads(visit, params, &found.status)) }
    };
    map::page(visit, &found.status, "Errors", None, &body)
}

fn row(error: &ErrorView) -> Vec<Markup> {
    let key = error.key.as_deref().unwrap_or("no record");
    let settled = match (&error.resolved_at, error.resolved_by) {
        (Some(at), Some(how)) => html! { (how) ", " (time(at)) },
        _ => html! { b { "unresolved" } },
    };
    vec![
        html! { code { (key) } },
        time(&error.at),
        html! { (error.message) div.small.soft { (error.class) @if let Some(code) = &error.code { " · " (code) } } },
        html! { (error.to) },
        html! { (error.fate) ", attempt " (error.attempt) div.small { (settled) } },
    ]
}

/// The filter of errors.
pub(super) fn filter(visit: &Visit, params: &Params, status: &MapStatus, page: &str) -> Markup {
    let classes = filter::classes();
    let sides = status.sides().map(|side| (side.clone(), format!("to {side}"))).into();
    let resolved = [("false", "unresolved"), ("true", "resolved")];
    let resolved = resolved.map(|(value, called)| (value.to_owned(), called.to_owned())).into();
    let choice = |name, label, all, values| Field::Choice { name, label, all, values, value: params.text(name) };
    let fields = [
        Field::Text { name: "key", label: "Record", value: params.text("key") },
        choice("class", "Class", "all classes", classes),
        choice("to", "Direction", "both directions", sides),
        choice("resolved", "Settled", "settled or not", resolved),
    ];
    filter::filter(&fields, &visit.place.link(&format!("maps/{}/{page}", status.map.id)))
}

/// Links to files with all errors that match.
pub(super) fn downloads(visit: &Visit, params: &Params, status: &MapStatus) -> Markup {
    let link = |format: &str| {
        let query = params.with("format", Some(format));
        visit.place.link(&format!("maps/{}/errors/download?{query}", status.map.id))
    };
    html! { a href=(link("csv")) download { "Download CSV" } a href=(link("jsonl")) download { "Download JSONL" } }
}
