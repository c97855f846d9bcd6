//! What comes next by itself, and what people can do.

use domain::{
    Map, MapState,
    lane::ArchiveCause,
    map::{FlowStart, StartedBy},
    rule::{Ending, Incident, NoticeKind},
};

use super::{Links, Situation, clock, parts::Step};

/// When a paused map is resumed.
pub(super) fn resumes(incident: &Incident, map: Option<&Map>) -> String {
    const BY_HAND: &str = "It stays paused until somebody resumes it.";
    let ours = map.is_none_or(|map| map.cause.incident() == Some(incident.id));
    let Some(auto) = incident.config.auto_resume.filter(|_| ours) else { return BY_HAND.to_owned() };
    let times = |n: u32| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let left = auto.at_most.saturating_sub(incident.auto_resumed);
    if left == 0 {
        return format!("It was resumed by itself {} already, and will not be again. {BY_HAND}", times(auto.at_most));
    }
    let paused = map.map(|map| map.since).or(incident.acted.as_ref().map(|acted| acted.at));
    let since = paused.unwrap_or(incident.opened_at).max(incident.probed_at.unwrap_or(incident.opened_at));
    let first = clock(since.plus_ms(u64::from(auto.after_minutes) * 60_000));
    let every = if auto.after_minutes == 1 { "minute".to_owned() } else { format!("{} minutes", auto.after_minutes) };
    format!(
        "At {first}, and every {every} after that, the app is asked with the oldest change that waits; when it takes it, the \
         map is resumed by itself. That may happen {} more ({} allowed); then somebody must resume it.",
        times(left),
        auto.at_most
    )
}

/// What people can do, each with the call that does it.
pub(super) fn steps(incident: &Incident, kind: NoticeKind, situation: &Situation, links: Links<'_>) -> Vec<Step> {
    let map = format!("/maps/{}", incident.map);
    let one = format!("/incidents/{}", incident.id);
    let on_map = |what: &'static str| format!("{map}{what}");
    let mut steps = vec![Step::new("See the incident and the errors it counted", links.call("GET", &one))];
    if kind == NoticeKind::Recovered {
        let (what, call) = match &incident.ending {
            Some(Ending::FlowsAgain { began: FlowStart { how: StartedBy::Run, .. } } | Ending::Quiet) | None => {
                ("See the map", links.call("GET", &map))
            }
            Some(Ending::FlowsAgain { began: FlowStart { archived: None, .. } }) => {
                ("See whether a change was refused for good", links.call("GET", &on_map("/errors")))
            }
            Some(Ending::FlowsAgain { began: FlowStart { archived: Some((cause, _)), .. } }) => {
                ("See what was not written", links.call("GET", &archive(&map, *cause)))
            }
            Some(Ending::Stopped { .. }) => ("When the cause is mended, run the map", links.because(&on_map("/run"))),
            Some(Ending::Deleted) => return steps,
            Some(Ending::RuleOff) => ("See whether errors go on", links.call("GET", &log(incident))),
        };
        steps.push(Step::new(what, call));
        return steps;
    }
    if incident.acknowledged.is_none() {
        let what = if incident.config.reminder_minutes.is_some() {
            "Say that you see to it, which ends the reminders"
        } else {
            "Say that you see to it"
        };
        steps.push(Step::new(what, links.because(&format!("{one}/acknowledge"))));
    }
    let (what, call) = match situation.state(incident) {
        Some(MapState::Paused) => (
            "When the cause is mended, resume the map: what waits is written then, each record in its order",
            links.because(&on_map("/resume")),
        ),
        Some(MapState::Stopped | MapState::NotRunning) => {
            ("When the cause is mended, run the map", links.because(&on_map("/run")))
        }
        Some(MapState::CatchingUp) => ("See how far it is", links.call("GET", &on_map("/queue"))),
        Some(MapState::Running | MapState::Initializing) | None => {
            steps.push(Step::new("See whether errors go on", links.call("GET", &log(incident))));
            ("If they do, pause the map: changes are kept then", links.because(&on_map("/pause")))
        }
    };
    steps.push(Step::new(what, call));
    steps
}

fn archive(map: &str, cause: ArchiveCause) -> String {
    format!("{map}/archive?cause={}", cause.as_str())
}

fn log(incident: &Incident) -> String {
    format!("/log/errors?map={}", incident.map)
}
