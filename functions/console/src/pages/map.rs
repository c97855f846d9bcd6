//! The head of a map's pages: how it is doing, what can be done, and its pages as tabs.

use app::admin::console::MapStatus;
use maud::{Markup, html};

use crate::{
    http::visit::Visit,
    parts::{
        chip::{self, Tone},
        layout,
        number::{self, counted},
        say,
        time::{ago, lasting, time},
    },
};

/// The tabs: the path behind the map's, and the name.
const TABS: [(&str, &str); 3] = [("", "Activity log"), ("/errors", "Errors"), ("/queue", "Queued writes")];

/// A page of a map.
pub(crate) fn page(visit: &Visit, status: &MapStatus, tab: &str, done: Option<&str>, body: &Markup) -> Markup {
    let id = &status.map.id;
    let [one, other] = status.sides();
    let title = format!("{id}: {tab}");
    let body = html! {
        div.row {
            h1 { (id) }
            span #state data-live { (chip::state(status.map.state)) }
            span.soft.small { (one) " ⇄ " (other) }
            span.push.row { (buttons(visit, status)) }
        }
        @if let Some(done) = done { (say::done(done)) }
        div #facts data-live { (facts(visit, status)) }
        nav.tabs aria-label=(id) {
            @for (path, name) in TABS {
                a href=(visit.place.link(&format!("maps/{id}{path}"))) aria-current=[(name == tab).then_some("page")] { (name) }
            }
        }
        (body)
    };
    layout::signed_in(visit, &title, &body)
}

/// The commands that a map takes in its state, for those who may give them.
pub(crate) fn commands(state: &str) -> &'static [(&'static str, &'static str)] {
    match state {
        "Running" | "Initializing" => &[("pause", "Pause…"), ("stop", "Stop…")],
        "Paused" => &[("resume", "Resume…"), ("stop", "Stop…")],
        "CatchingUp" => &[("pause", "Pause…"), ("resume", "Skip the backlog…"), ("stop", "Stop…")],
        _ => &[("run", "Run…")],
    }
}

fn buttons(visit: &Visit, status: &MapStatus) -> Markup {
    let link = |command: &str| visit.place.link(&format!("commands/{command}?map={}", status.map.id));
    html! {
        @if visit.may_operate() {
            @for (command, name) in commands(status.map.state) { a.btn href=(link(command)) { (name) } }
        }
    }
}

fn facts(visit: &Visit, status: &MapStatus) -> Markup {
    let map = &status.map;
    html! {
        p.soft {
            "Since " (time(&map.since)) " (" (ago(&map.since, visit.at)) "), by " b { (map.actor) } ": " (map.reason)
        }
        @if let Some(incident) = &status.incident {
            p {
                (chip::chip(Tone::Bad, "Incident")) " " (incident.title) ": " (number::of(u64::from(incident.count), "error"))
                " from " (time(&incident.first_at)) " on. "
                @match &incident.acknowledged_by {
                    Some(who) => { "Acknowledged by " b { (who) } "." }
                    None => { "Nobody has acknowledged it yet." }
                }
            }
        }
        p.small { (waiting(visit, status)) " · " (for_you(status)) " · " (errors(status)) }
    }
}

/// The writes that wait, with the age of the oldest and the expected end.
pub(crate) fn waiting(visit: &Visit, status: &MapStatus) -> Markup {
    let Some(backlog) = &status.backlog else { return html! { "nothing waits in a queue" } };
    html! {
        @match backlog.depth {
            Some(depth) => { (number::of(depth, "write")) " wait" }
            None => { "writes wait, not counted yet" }
        }
        @if let Some(oldest) = &backlog.oldest {
            ", the oldest for " (if backlog.oldest_at_least == Some(true) { "at least " } else { "" }) (ago(oldest, visit.at))
        }
        @if let Some(seconds) = backlog.expected_seconds.filter(|_| map_is_draining(status)) { ", about " (lasting(seconds)) " to go" }
    }
}

fn map_is_draining(status: &MapStatus) -> bool {
    status.map.state == "CatchingUp"
}

fn for_you(status: &MapStatus) -> Markup {
    match status.for_you {
        Some(n) => html! { (counted(n)) " wait for a person" },
        None => html! { "catch-up errors could not be read" },
    }
}

fn errors(status: &MapStatus) -> Markup {
    match status.errors {
        Some(n) => html! { (counted(n)) " errors in the last hour" },
        None => html! { "the error log could not be read" },
    }
}
