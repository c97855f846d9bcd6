//! `/`: all maps at a glance. The first line says what is wrong now.

mod headline;

use std::sync::Arc;

use app::admin::{
    AdminPorts,
    console::{self, MapStatus, Overview, OverviewFilter},
};
use axum::{extract::State, http::StatusCode};
use maud::{Markup, html};

use super::{command, map};
use crate::{
    http::{
        params::Params,
        reply::{Reply, page},
        visit::Visit,
    },
    parts::{
        chip::{self, Tone},
        filter::{self, Field},
        layout,
        number::{self, counted},
        say,
        table::{Column, figures, table, text},
        time::{ago, time},
    },
    router::App,
};

const STATES: [(&str, &str); 6] = [
    ("Running", "running"),
    ("Paused", "paused"),
    ("CatchingUp", "catching up"),
    ("Initializing", "in the initial sync"),
    ("NotRunning", "not running"),
    ("Stopped", "stopped"),
];
const COLUMNS: [Column; 5] =
    [text("Map"), text("State"), figures("Errors, last hour"), text("Waiting"), figures("For you")];

pub(crate) async fn show<P: AdminPorts>(State(app): State<Arc<App<P>>>, visit: Visit, params: Params) -> Reply {
    let text = |name| params.text(name).map(str::to_owned);
    let filter = OverviewFilter { state: text("state"), name: text("name") };
    let found = console::overview(&*app.ports, &filter).await?;
    Ok(page(StatusCode::OK, render(&visit, &params, &found)))
}

fn render(visit: &Visit, params: &Params, found: &Overview) -> Markup {
    let body = html! {
        @if let Some(done) = command::done(params) { (say::done(done)) }
        (headline::headline(visit, found))
        @if found.total > 0 {
            (filter(visit, params))
            (maps(visit, found))
        }
    };
    layout::signed_in(visit, "Overview", &body)
}

fn filter(visit: &Visit, params: &Params) -> Markup {
    let states = STATES.map(|(value, called)| (value.to_owned(), called.to_owned())).into();
    let fields = [
        Field::Text { name: "name", label: "Map", value: params.text("name") },
        Field::Choice { name: "state", label: "State", all: "all states", values: states, value: params.text("state") },
    ];
    filter::filter(&fields, &visit.place.link(""))
}

/// The maps; several can be chosen for one command. The form is sent by GET: the next page asks first.
fn maps(visit: &Visit, found: &Overview) -> Markup {
    let rows: Vec<_> = found.maps.iter().map(|status| row(visit, status)).collect();
    let action = |command: &str| visit.place.link(&format!("commands/{command}"));
    let list = html! {
        div.row {
            h2 { "Maps" }
            span.push.small.soft {
                (number::of(found.found as u64, "map"))
                @if found.found > found.maps.len() { ", the first " (found.maps.len()) " are shown: narrow the list by name or state" }
            }
        }
        div #rows data-live { (table("Maps, those that need you first", &COLUMNS, &rows, "No map matches.")) }
    };
    if !visit.may_operate() {
        return html! { section.panel { (list) } };
    }
    html! {
        form.panel method="get" action=(action("pause")) {
            (list)
            @if !rows.is_empty() {
                div.row.together {
                    span.soft.small { "The chosen maps together:" }
                    button.btn formaction=(action("pause")) { "Pause…" }
                    button.btn formaction=(action("resume")) { "Resume…" }
                    button.btn formaction=(action("run")) { "Run…" }
                    button.btn formaction=(action("stop")) { "Stop…" }
                }
            }
        }
    }
}

fn row(visit: &Visit, status: &MapStatus) -> Vec<Markup> {
    let id = &status.map.id;
    let [one, other] = status.sides();
    let link = |path: &str| visit.place.link(&format!("maps/{id}{path}"));
    vec![
        html! {
            @if visit.may_operate() { input.choose type="checkbox" name="map" value=(id) aria-label={ "choose " (id) }; }
            a href=(link("")) { (id) }
            div.small.soft { (one) " ⇄ " (other) }
        },
        html! {
            (chip::state(status.map.state))
            @if status.incident.is_some() { " " (chip::chip(Tone::Bad, "Incident")) }
            div.small.soft { "since " (time(&status.map.since)) ", by " (status.map.actor) }
        },
        html! {
            @match status.errors {
                Some(n) if n.count > 0 => { a href=(link("/errors")) { (counted(n)) } }
                Some(_) => { "0" }
                None => { "unknown" }
            }
        },
        html! {
            @if status.backlog.is_some() { a href=(link("/queue")) { (map::waiting(visit, status)) } } @else { "nothing" }
        },
        html! {
            @match status.for_you {
                Some(n) if n.count > 0 => { a href=(link("/queue")) { (counted(n)) } }
                Some(_) => { "0" }
                None => { "unknown" }
            }
        },
    ]
}

/// Since when nothing has changed.
fn since(visit: &Visit, found: &Overview) -> Markup {
    html! { @if let Some(at) = &found.since { "since " (time(at)) " (" (ago(at, visit.at)) ")" } }
}
