//! What Tandem does next, and what people can do.

use domain::{
    Map, MapState,
    lane::ArchiveCause,
    map::{FlowStart, StartedBy},
    rule::{Ending, Incident, NoticeKind},
};

use super::{Links, Situation, clock, parts::Step};

/// Says when a paused map is resumed, and by whom.
pub(super) fn say_when_resumed(incident: &Incident, map: Option<&Map>) -> String {
    const BY_HAND: &str = "It stays paused until somebody resumes it.";
    let ours = map.is_none_or(|map| map.cause.incident() == Some(incident.id));
    let Some(auto) = incident.config.auto_resume.filter(|_| ours) else { return BY_HAND.to_owned() };
    let times = |n: u32| if n == 1 { "once".to_owned() } else { format!("{n} times") };
    let left = auto.at_most.saturating_sub(incident.auto_resumed);
    if left == 0 {
        return format!("Tandem has already resumed it {} and will not do so again. {BY_HAND}", times(auto.at_most));
    }
    let paused = map.map(|map| map.since).or(incident.acted.as_ref().map(|acted| acted.at));
    let since = paused.unwrap_or(incident.opened_at).max(incident.probed_at.unwrap_or(incident.opened_at));
    let first = clock(since.plus_ms(u64::from(auto.after_minutes) * 60_000));
    let every = if auto.after_minutes == 1 { "minute".to_owned() } else { format!("{} minutes", auto.after_minutes) };
    format!(
        "At {first}, and every {every} after that, Tandem sends the oldest queued change as a probe. When the app accepts it, \
         Tandem resumes the map. It does so {} more ({} in all); after that, somebody must resume the map.",
        times(left),
        auto.at_most
    )
}

/// Lists what people can do, each step with its API call.
pub(super) fn list(incident: &Incident, kind: NoticeKind, situation: &Situation, links: Links<'_>) -> Vec<Step> {
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
            Some(Ending::Stopped { .. }) => ("When the cause is fixed, run the map", links.because(&on_map("/run"))),
            Some(Ending::Deleted) => return steps,
            Some(Ending::RuleOff) => ("See whether the errors continue", links.call("GET", &log(incident))),
        };
        steps.push(Step::new(what, call));
        return steps;
    }
    if incident.acknowledged.is_none() {
        let what = if incident.config.reminder_minutes.is_some() {
            "Acknowledge the incident, which ends the reminders"
        } else {
            "Acknowledge the incident"
        };
        steps.push(Step::new(what, links.because(&format!("{one}/acknowledge"))));
    }
    let (what, call) = match situation.state(incident) {
        Some(MapState::Paused) => (
            "When the cause is fixed, resume the map: Tandem then writes the backlog, each record in order",
            links.because(&on_map("/resume")),
        ),
        Some(MapState::Stopped | MapState::NotRunning) => {
            ("When the cause is fixed, run the map", links.because(&on_map("/run")))
        }
        Some(MapState::CatchingUp) => ("See the progress of the catch-up", links.call("GET", &on_map("/queue"))),
        Some(MapState::Running | MapState::Initializing) | None => {
            steps.push(Step::new("See whether the errors continue", links.call("GET", &log(incident))));
            ("If they do, pause the map: Tandem then queues the changes", links.because(&on_map("/pause")))
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
