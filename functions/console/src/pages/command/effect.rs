//! What a command does, in plain words and with numbers, and how it is undone.

use app::admin::console::MapStatus;
use maud::{Markup, html};

use crate::{
    http::visit::Visit,
    pages::map::{commands, waiting},
    parts::number::{counted, of},
};

/// Whether a map takes a command in its state.
pub(super) fn takes(command: &str, state: &str) -> bool {
    commands(state).iter().any(|(known, _)| *known == command)
}

/// The question.
pub(super) fn title(command: &str, maps: &[&MapStatus]) -> String {
    let verb = verb(command);
    match maps {
        [only] => format!("{verb} {}?", only.map.id),
        _ => format!("{verb} {}?", of(maps.len() as u64, "map")),
    }
}

/// The words on the button.
pub(super) fn button(command: &str, maps: usize) -> String {
    if maps == 1 { verb(command).to_owned() } else { format!("{} {}", verb(command), of(maps as u64, "map")) }
}

fn verb(command: &str) -> &'static str {
    match command {
        "run" => "Run",
        "pause" => "Pause",
        "resume" => "Resume",
        _ => "Stop",
    }
}

/// What it does: first to all of them, then to each.
pub(super) fn effects(visit: &Visit, command: &str, maps: &[&MapStatus]) -> Vec<Markup> {
    let general = match command {
        "run" => html! {
            "Changes of both apps flow from now on. What the apps had before is not copied: an initial sync does that. "
            "Changes that were skipped while the map did not run are not brought, either."
        },
        "pause" => html! {
            "Changes of both apps are accepted and kept in order. None is written to the other app. A pause has no limit of time or size."
        },
        "resume" => html! { "Changes flow again. Records that nobody changed during the pause flow at once." },
        _ => html! {
            b { "Changes of both apps are skipped from now on" } ": they are counted, not kept, and the apps drift apart until an initial sync."
        },
    };
    let each = maps.iter().map(|status| {
        html! {
            b { (status.map.id) } ": " (waiting(visit, status))
            @if let Some(n) = status.for_you.filter(|n| n.count > 0) { "; " (counted(n)) " wait for a person" }
        }
    });
    std::iter::once(general).chain(each).collect()
}

/// How it is undone.
pub(super) fn undo(command: &str) -> &'static str {
    match command {
        "run" => "stop the map. What was written by then stays.",
        "pause" => "resume. Nothing is lost.",
        "resume" => {
            "pause again. What was written by then stays. Skipped changes can be recovered from the archive; discarded ones for 90 days."
        }
        _ => "none for what is skipped. Run the map again, then an initial sync brings the records in step.",
    }
}

/// What becomes of the backlog on resume.
pub(super) fn choices(command: &str, maps: &[&MapStatus]) -> Markup {
    let waiting: u64 = maps.iter().filter_map(|status| status.backlog.as_ref()?.depth).sum();
    let is_draining = maps.iter().any(|status| status.map.state == "CatchingUp");
    let options = [
        ("catch_up", "Write them, each record in its order"),
        ("skip_to_live", "Put them aside: to the archive, from which each can be recovered. New changes flow at once"),
        ("discard", "Discard them: to the archive for 90 days, then they are gone. New changes flow at once"),
    ];
    html! {
        @if command == "resume" {
            fieldset {
                legend { "What becomes of the " (of(waiting, "queued write")) "?" }
                @for (value, called) in options.into_iter().filter(|(value, _)| !(is_draining && *value == "catch_up")) {
                    label.option { input type="radio" name="backlog" value=(value) required checked[value == "catch_up"]; " " (called) }
                }
            }
        }
    }
}
