//! `/commands/{command}`: run, pause, resume or stop one map or several. The page asks first, and says what it does to how much.

mod effect;

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts,
        console::{self, MapStatus, MapsToSwitch, SwitchRequest, read_command},
        view::MapResults,
    },
    error::AppError,
};
use axum::{extract::State, http::StatusCode};
use maud::{Markup, html};

use self::effect::{button, choices, effects, takes, title, undo};
use super::map;
use crate::{
    http::{
        params::{Form, Name, Params, SHOWN},
        reply::{Reply, page, see},
        visit::Visit,
    },
    parts::{
        ask::{Ask, ask as question},
        chip, layout, number,
    },
    router::App,
};

/// What is written below the question after a form that could not be carried out.
#[derive(Default)]
struct Said<'a> {
    reason: Option<&'a str>,
    wrong: Option<String>,
    results: Option<MapResults>,
}

pub(crate) async fn ask<P: AdminPorts>(
    State(app): State<Arc<App<P>>>,
    visit: Visit,
    Name(command): Name<String>,
    params: Params,
) -> Reply {
    read_command(&command, None)?;
    if params.text("map").is_none() {
        return Ok(page(StatusCode::OK, none_chosen(&visit)));
    }
    let found = console::prepare_switch(&*app.ports, &params.maps()?).await?;
    Ok(page(StatusCode::OK, render(&visit, &command, &found, &Said::default())))
}

pub(crate) async fn act<P: AdminPorts>(
    State(app): State<Arc<App<P>>>,
    visit: Visit,
    Name(command): Name<String>,
    Form(form): Form,
) -> Reply {
    let shown = form.shown_maps()?;
    let ids: Vec<_> = shown.iter().map(|(id, _)| id.clone()).collect();
    let reason = form.text("reason").unwrap_or_default();
    let request = SwitchRequest {
        command: read_command(&command, form.text("backlog"))?,
        maps: shown,
        reason: reason.to_owned(),
    };
    let said = match console::switch_maps(&*app.ports, &visit.caller, &request).await {
        Ok(done) if done.results.iter().all(|result| result.problem.is_none()) => {
            let only = if ids.len() == 1 { format!("maps/{}", ids[0]) } else { String::new() };
            return Ok(see(&visit.place.link(&format!("{only}?done={command}"))));
        }
        Ok(done) => Said { reason: Some(reason), wrong: None, results: Some(done) },
        Err(AppError::Invalid(mistakes)) if mistakes.iter().all(|mistake| mistake.field == "reason") => {
            let wrong = mistakes.first().map(|mistake| mistake.message.clone());
            Said { reason: Some(reason), wrong, results: None }
        }
        Err(error) => return Err(error.into()),
    };
    let status = if said.results.is_some() { StatusCode::CONFLICT } else { StatusCode::BAD_REQUEST };
    let found = console::prepare_switch(&*app.ports, &ids).await?;
    Ok(page(status, render(&visit, &command, &found, &said)))
}

/// What was done just now, as the address says.
pub(crate) fn done(params: &Params) -> Option<&'static str> {
    match params.text("done")? {
        "run" => Some("Done: changes flow from now on."),
        "pause" => Some("Done: changes are kept and none is written. Undo: resume."),
        "resume" => Some("Done: changes flow again."),
        "stop" => Some("Done: changes are skipped and counted from now on."),
        _ => None,
    }
}

fn none_chosen(visit: &Visit) -> Markup {
    let body = html! {
        section.panel { h1 { "No map is chosen" } p.row { a.btn href=(visit.place.link("")) { "Choose maps on the overview" } } }
    };
    layout::signed_in(visit, "No map is chosen", &body)
}

fn render(visit: &Visit, command: &str, found: &MapsToSwitch, said: &Said<'_>) -> Markup {
    let (taking, others): (Vec<_>, Vec<_>) = found.maps.iter().partition(|status| takes(command, status.map.state));
    let title = title(command, &taking);
    let names: Vec<_> = taking.iter().map(|status| format!("\"{}\"", status.map.id)).collect();
    let asked = Ask {
        title: title.clone(),
        effects: effects(visit, command, &taking),
        undo: undo(command).to_owned(),
        fields: html! {
            @for status in &taking { input type="hidden" name=(SHOWN) value={ (status.map.id) " " (status.map.epoch) }; }
            (choices(command, &taking))
        },
        reason: said.reason,
        wrong: said.wrong.as_deref(),
        button: button(command, taking.len()),
        is_danger: command == "stop",
        to: visit.place.link(&format!("commands/{command}")),
        back: visit.place.link(&back(found)),
        call: format!(
            "curl -X POST $TANDEM_ADMIN/commands/{command} -H \"authorization: Bearer $TOKEN\" -H \"content-type: application/json\" -d '{{\"maps\": [{}], \"reason\": \"…\"}}'",
            names.join(", ")
        ),
    };
    let body = html! {
        @if let Some(results) = &said.results { (failures(results)) }
        @if !taking.is_empty() { (question(visit, &asked)) }
        @if !others.is_empty() { (left_out(visit, command, &others)) }
    };
    layout::signed_in(visit, &title, &body)
}

/// Where somebody goes who does nothing.
fn back(found: &MapsToSwitch) -> String {
    match &found.maps[..] {
        [only] => format!("maps/{}", only.map.id),
        _ => String::new(),
    }
}

fn failures(results: &MapResults) -> Markup {
    html! {
        section.panel.say.bad role="alert" {
            h2 { "Not done for every map" }
            ul {
                @for result in &results.results {
                    li {
                        b { (result.id) } ": "
                        @match &result.problem {
                            Some(problem) if problem.code == "version_changed" => {
                                "somebody changed it after this page was opened. Below is how it is now."
                            }
                            Some(problem) => { (problem.title) ". " (problem.detail) }
                            None => { "done" }
                        }
                    }
                }
            }
        }
    }
}

/// Maps that do not take the command: they stay as they are.
fn left_out(visit: &Visit, command: &str, others: &[&MapStatus]) -> Markup {
    html! {
        section.panel {
            h2 { "Left alone: " (number::of(others.len() as u64, "map")) " cannot " (command) }
            ul {
                @for status in others {
                    li {
                        a href=(visit.place.link(&format!("maps/{}", status.map.id))) { (status.map.id) } " " (chip::state(status.map.state))
                        @for (other, name) in map::commands(status.map.state) {
                            " " a href=(visit.place.link(&format!("commands/{other}?map={}", status.map.id))) { (name) }
                        }
                    }
                }
            }
        }
    }
}
