//! `/maps/{map}/queue`: the writes that wait in a map.

use std::sync::Arc;

use app::admin::{
    AdminPorts,
    console::{self, QueuePage},
    view::EntryView,
};
use axum::{extract::State, http::StatusCode};
use maud::{Markup, html};

use super::map;
use crate::{
    http::{
        params::{MapName, Name, Params},
        reply::{Reply, page},
        visit::Visit,
    },
    parts::{
        filter::{self, Field},
        number,
        pagination::pagination,
        table::{figures, table, text},
        time::{ago, time},
    },
    router::App,
};

pub(crate) async fn show<P: AdminPorts>(
    State(app): State<Arc<App<P>>>,
    visit: Visit,
    Name(id): MapName,
    params: Params,
) -> Reply {
    let found = console::queue(&*app.ports, &id, params.parsed("key")?, params.text("after")).await?;
    Ok(page(StatusCode::OK, render(&visit, &params, &found)))
}

fn render(visit: &Visit, params: &Params, found: &QueuePage) -> Markup {
    let rows: Vec<_> = found.entries.entries.iter().map(|entry| row(visit, entry)).collect();
    let columns =
        [text("Record"), figures("Place"), text("Write"), text("Accepted"), figures("Attempts"), text("Last error")];
    let key = [Field::Text { name: "key", label: "Record", value: params.text("key") }];
    let body = html! {
        (filter::filter(&key, &visit.place.link(&format!("maps/{}/queue", found.status.map.id))))
        section.panel #rows data-live {
            (table("Queued writes, record by record", &columns, &rows, "Nothing waits."))
        }
        (pagination(params, "after", found.entries.next.as_deref()))
    };
    map::page(visit, &found.status, "Queued writes", None, &body)
}

fn row(visit: &Visit, entry: &EntryView) -> Vec<Markup> {
    let origin = entry.origin.as_ref().map(|origin| format!(" from {origin}")).unwrap_or_default();
    vec![
        html! { code { (entry.key) } },
        html! { (number::number(entry.seq)) },
        html! {
            (entry.op) (origin)
            @if let Some(parked) = entry.parked { div.small { b { "waits for a person" } ": " (parked.replace('_', " ")) } }
            @if entry.cancelled.is_some() { div.small { "cancelled: will not be written" } }
            @if entry.outcome_unknown { div.small { "an attempt ended without an answer: the app may have it" } }
        },
        html! {
            @match &entry.accepted_at {
                Some(at) => { (time(at)) div.small.soft { (ago(at, visit.at)) " ago" } }
                None => { (entry.unreadable.as_deref().unwrap_or("unknown")) }
            }
        },
        html! { (entry.attempts) },
        html! {
            @match &entry.last_failure {
                Some(failure) => { (failure.message) div.small.soft { (failure.class) " · " (failure.to) } }
                None => { "none" }
            }
        },
    ]
}
