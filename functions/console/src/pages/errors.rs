//! `/maps/{map}/errors`: a map's errors, by cause.

use std::sync::Arc;

use app::admin::{
    AdminPorts,
    console::{self, CausesPage},
    view::ErrorGroup,
};
use axum::{extract::State, http::StatusCode};
use maud::{Markup, html};

use super::{map, records};
use crate::{
    http::{
        params::{MapName, Name, Params},
        reply::{Reply, page},
        visit::Visit,
    },
    parts::{number, time::time},
    router::App,
};

pub(crate) async fn show<P: AdminPorts>(
    State(app): State<Arc<App<P>>>,
    visit: Visit,
    Name(id): MapName,
    params: Params,
) -> Reply {
    let found = console::causes(&*app.ports, &id, params.error_filter()?).await?;
    Ok(page(StatusCode::OK, render(&visit, &params, &found)))
}

fn render(visit: &Visit, params: &Params, found: &CausesPage) -> Markup {
    let causes = &found.causes;
    let list = |query: &str| visit.place.link(&format!("maps/{}/errors/list?{query}", found.status.map.id));
    let body = html! {
        (records::filter(visit, params, &found.status, "errors"))
        section.panel #rows data-live {
            h2 { (number::of(causes.groups.len() as u64, "cause")) }
            @if causes.groups.is_empty() { p.soft { "No error matches." } }
            @if !causes.complete { p.soft.small { "Only the newest 20,000 lines of the log were looked at: numbers are “at least”." } }
            @for group in &causes.groups { (cause(group, &list(&params.with("fingerprint", Some(&group.value))))) }
        }
        p.row.small {
            a href=(list(&params.with("fingerprint", None))) { "One by one" }
            (records::downloads(visit, params, &found.status))
        }
    };
    map::page(visit, &found.status, "Errors", None, &body)
}

fn cause(group: &ErrorGroup, list: &str) -> Markup {
    let newest = &group.newest;
    html! {
        article.cause data-row {
            div.big { (number::number(group.count)) }
            div {
                h3 { a href=(list) { (newest.message) } }
                div.small.soft {
                    (newest.class)
                    @if let Some(code) = &newest.code { " · " (code) }
                    @if let Some(from) = &newest.from { " · " (from) " → " (newest.to) } @else { " · " (newest.to) }
                }
                div.small.soft { (time(&group.since)) " – " (time(&newest.at)) @if let Some(key) = &newest.key { " · last: " code { (key) } } }
            }
            div.act.small {
                @match group.unresolved {
                    0 => { "all settled since" }
                    open => { b { (number::number(open)) } " unresolved, " (number::of(group.writes, "write")) }
                }
            }
        }
    }
}
