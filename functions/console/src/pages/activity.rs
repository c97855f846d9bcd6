//! `/maps/{map}`: a map's activity log.

use std::sync::Arc;

use app::admin::{
    AdminPorts,
    console::{self, ActivityPage},
};
use axum::{extract::State, http::StatusCode};
use maud::{Markup, html};

use super::{command, map};
use crate::{
    http::{
        params::{MapName, Name, Params},
        reply::{Reply, page},
        visit::Visit,
    },
    parts::{
        deed::deed,
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
    let found = console::activity(&*app.ports, &id, params.parsed("before")?).await?;
    Ok(page(StatusCode::OK, render(&visit, &params, &found)))
}

fn render(visit: &Visit, params: &Params, found: &ActivityPage) -> Markup {
    let rows: Vec<_> = found
        .activities
        .lines
        .iter()
        .map(|line| vec![time(&line.at), deed(line), html! { b { (line.actor) } }, html! { (line.reason) }])
        .collect();
    let columns = [text("When"), text("What"), text("Who"), text("Why")];
    let body = html! {
        section.panel #rows data-live {
            (table("Activity, newest first", &columns, &rows, "Nothing has happened yet."))
        }
        (pagination(params, "before", found.activities.next.as_deref()))
    };
    map::page(visit, &found.status, "Activity log", command::done(params), &body)
}
