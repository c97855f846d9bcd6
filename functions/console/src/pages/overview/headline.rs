//! The first line of the overview: what is wrong now, since when, what was done, what you can do. In plain words.

use app::admin::{
    console::{MapStatus, Overview},
    view::Incident,
};
use maud::{Markup, html};

use super::since;
use crate::{
    http::visit::Visit,
    pages::map::waiting,
    parts::{
        chip::Tone,
        number::{counted, of},
        say::say,
        time::{ago, time},
    },
};

/// The panel. What comes first is the worst.
pub(super) fn headline(visit: &Visit, found: &Overview) -> Markup {
    let incident = found.maps.iter().find_map(|status| status.incident.as_ref().map(|incident| (status, incident)));
    let paused: Vec<_> = found.maps.iter().filter(|status| status.map.state == "Paused").collect();
    let for_you: Vec<_> = found.maps.iter().filter(|status| status.for_you.is_some_and(|n| n.count > 0)).collect();
    let catching_up = found.maps.iter().find(|status| status.map.state == "CatchingUp");
    if found.total == 0 {
        return nothing_yet();
    }
    if let Some((status, incident)) = incident {
        return of_incident(visit, found, status, incident);
    }
    if let [first, others @ ..] = &paused[..] {
        return of_pause(visit, first, others.len());
    }
    if let [first, ..] = &for_you[..] {
        return waits_for_you(visit, first, for_you.len());
    }
    if let Some(status) = catching_up {
        let title = html! { (status.map.id) " is catching up." };
        return say(
            Tone::Work,
            &title,
            &html! { p { (waiting(visit, status)) ". Nothing is lost, and nothing needs you." } },
        );
    }
    say(Tone::Fine, &html! { "Nothing is wrong, " (since(visit, found)) "." }, &html! {})
}

fn nothing_yet() -> Markup {
    let more = html! {
        ol {
            li { "Name the two apps, each as a side, and test the connection." }
            li { "Make a map: which records are kept in step, and how their fields are called." }
            li { "Run an initial sync, or run the map if both apps have the same already." }
        }
        p.soft.small { "For now, the API does the first two: PUT /sides/{side}, PUT /maps/{map}." }
    };
    say(Tone::Off, &html! { "There is no map yet. Three steps:" }, &more)
}

fn of_incident(visit: &Visit, found: &Overview, status: &MapStatus, incident: &Incident) -> Markup {
    let id = &status.map.id;
    let word = match status.map.state {
        "Paused" => "is paused",
        "CatchingUp" => "is catching up",
        "Stopped" => "is stopped",
        _ => "has errors",
    };
    let others = found.maps.iter().filter(|status| status.incident.is_some()).count() - 1;
    let people: usize = incident
        .notices
        .iter()
        .filter(|notice| notice.to.iter().any(|to| to.state == "taken"))
        .map(|notice| notice.to.len())
        .max()
        .unwrap_or(0);
    let title = html! {
        (id) " " (word) ": " (of(u64::from(incident.count), "error")) " from " (time(&incident.first_at)) " on (" (ago(&incident.first_at, visit.at)) " ago)."
    };
    let more = html! {
        @if let Some(top) = incident.top.first() {
            p { (top.to) " says: “" (top.message) "” (" (top.count) " of " (incident.count) ")." }
        }
        p {
            "The alert setting " b { (incident.title) } " "
            @match &incident.acted {
                Some(acted) => {
                    @match acted.state {
                        Some("Paused") => { "paused the map at " (time(&acted.at)) }
                        Some("Stopped") => { "stopped the map at " (time(&acted.at)) }
                        _ => { "changed nothing" @if let Some(left) = &acted.left { ": " (left) } }
                    }
                }
                None => { "is being acted on" }
            }
            @if people > 0 { " and told " (of(people as u64, "person").replace("persons", "people")) }
            ". " (waiting(visit, status)) "; nothing is lost. "
            @match &incident.acknowledged_by {
                Some(who) => { (who) " is on it." }
                None => { "Nobody has acknowledged it yet." }
            }
        }
        @if others > 0 { p { (of(others as u64, "more map")) " with an incident: see below." } }
        p.row {
            a.btn.main href=(visit.place.link(&format!("maps/{id}/errors?resolved=false"))) { "See the cause" }
            (resume(visit, status))
        }
    };
    say(Tone::Bad, &title, &more)
}

fn of_pause(visit: &Visit, status: &MapStatus, others: usize) -> Markup {
    let map = &status.map;
    let title = html! {
        (map.id) @if others > 0 { " and " (of(others as u64, "more map")) " are" } @else { " is" } " paused, since " (time(&map.since)) "."
    };
    let more = html! {
        p { b { (map.actor) } " paused " (map.id) ": " (map.reason) }
        p { (waiting(visit, status)) "; nothing is lost, and a pause has no limit of time." }
        p.row { (resume(visit, status)) }
    };
    say(Tone::Held, &title, &more)
}

fn waits_for_you(visit: &Visit, status: &MapStatus, maps: usize) -> Markup {
    let count = status.for_you.map(counted).unwrap_or_default();
    let title = html! { "Everything flows. " (count) " in " (status.map.id) " wait for a person." };
    let more = html! {
        p { "An app refused these changes for good. Only their own records stand still." }
        @if maps > 1 { p { (of(maps as u64 - 1, "more map")) " with such changes: see below." } }
        p.row { a.btn.main href=(visit.place.link(&format!("maps/{}/queue", status.map.id))) { "See them" } }
    };
    say(Tone::Held, &title, &more)
}

fn resume(visit: &Visit, status: &MapStatus) -> Markup {
    let can = visit.may_operate() && status.map.state == "Paused";
    html! {
        @if can {
            a.btn href=(visit.place.link(&format!("commands/resume?map={}", status.map.id))) { "Resume " (status.map.id) "…" }
        }
    }
}
