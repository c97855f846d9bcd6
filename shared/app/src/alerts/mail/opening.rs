//! What a mail says first: what happened, what that means, and what comes next.

use domain::{
    Map, MapState,
    lane::ArchiveCause,
    map::{FlowStart, StartedBy},
    rule::{Action, Ending, Incident, NoticeKind},
};

use super::{Situation, clock, next_steps, parts::Tone};

/// The beginning of a mail.
pub(super) struct Opening {
    /// Follows the map's name in the subject.
    pub(super) subject: String,
    pub(super) headline: String,
    pub(super) lead: String,
    pub(super) tone: Tone,
}

/// The beginning of a mail about an incident.
pub(super) fn of(incident: &Incident, kind: NoticeKind, situation: &Situation) -> Opening {
    match kind {
        NoticeKind::Recovered => over(incident),
        NoticeKind::Reminder => reminder(incident, situation),
        NoticeKind::Opened | NoticeKind::Again => opened(incident, kind, situation),
    }
}

fn opened(incident: &Incident, kind: NoticeKind, situation: &Situation) -> Opening {
    let (map, title) = (&incident.map, &incident.config.title);
    let again = if kind == NoticeKind::Again { " again" } else { "" };
    let acted = incident.acted.as_ref().and_then(|acted| acted.state);
    let (subject, headline) = match acted.map(|state| state.as_str().to_lowercase()) {
        Some(state) => {
            (format!("{state}{again}"), format!("{map} was {state}{again} by the rule \u{201c}{title}\u{201d}"))
        }
        None => {
            let errors = if incident.count == 1 { "error" } else { "errors" };
            (format!("{} {errors}", incident.count), format!("{map} has errors{again}: \u{201c}{title}\u{201d}"))
        }
    };
    Opening { subject, headline, lead: means(incident, situation), tone: Tone::Alarm }
}

fn reminder(incident: &Incident, situation: &Situation) -> Opening {
    let map = &incident.map;
    let (subject, headline) = match situation.state(incident) {
        Some(MapState::Paused) => ("still paused", format!("{map} is still paused")),
        Some(MapState::Stopped) => ("still stopped", format!("{map} is still stopped")),
        Some(MapState::CatchingUp) => ("still catching up", format!("{map} is still catching up")),
        _ => ("still failing", format!("{map} still has errors")),
    };
    let unseen = match &incident.acknowledged {
        Some(_) => String::new(),
        None => format!(" Nobody has acknowledged the incident since {}.", clock(incident.opened_at)),
    };
    let lead = format!("{}{unseen}", means(incident, situation));
    Opening { subject: subject.to_owned(), headline, lead, tone: Tone::Alarm }
}

/// What the map's state means, and what comes next.
fn means(incident: &Incident, situation: &Situation) -> String {
    let acted = incident.acted.as_ref().is_some_and(|acted| acted.state.is_some());
    match situation.state(incident) {
        Some(MapState::Paused) => {
            let by = situation.map.as_ref().filter(|_| !acted);
            let by = by.map(|map| format!("{} had already paused it. ", map.actor)).unwrap_or_default();
            format!(
                "{by}No change is lost: Tandem queues every change and writes none while the map is paused. {}",
                next_steps::say_when_resumed(incident, situation.map.as_ref())
            )
        }
        Some(MapState::Stopped) => "Tandem skips and counts changes: they do not reach the other app, and Tandem does not keep them. The map stays \
             stopped until somebody runs it. The skipped changes then need an initial sync."
            .to_owned(),
        Some(MapState::CatchingUp) => format!(
            "{} has resumed it. Tandem is writing the backlog, each record in order. You get another mail when that is done.",
            beginner(situation.map.as_ref())
        ),
        _ if incident.config.action == Action::None => {
            "The map keeps running: this rule does not pause it. Check the app's messages below. If the errors continue, pause \
             the map: Tandem then queues the changes."
                .to_owned()
        }
        _ => "The map keeps running. Check the app's messages below. If the errors continue, pause the map: Tandem then queues the \
              changes."
            .to_owned(),
    }
}

fn beginner(map: Option<&Map>) -> String {
    let began = map.and_then(|map| map.began.as_ref());
    began.map_or_else(|| "Somebody".to_owned(), |began| began.actor.clone())
}

/// Only the mail about a running map says "recovered". An incident is also over when its map was stopped or deleted, or when
/// its rule was switched off.
fn over(incident: &Incident) -> Opening {
    let map = &incident.map;
    let ending = incident.ending.as_ref();
    let (subject, headline, then) = match ending {
        Some(Ending::FlowsAgain { began: FlowStart { how: StartedBy::Run, .. } }) => (
            "recovered, run again",
            format!("{map} was run again"),
            "Tandem writes changes again. It skipped the changes made while the map was stopped: an initial sync copies them.",
        ),
        Some(Ending::FlowsAgain { began: FlowStart { archived: None, .. } }) => (
            "recovered",
            format!("{map} is running again"),
            "Tandem has written the backlog, each record in order. Changes that the app refused for good are in the map's \
             catch-up errors.",
        ),
        Some(Ending::FlowsAgain { began: FlowStart { archived: Some((ArchiveCause::Discarded, _)), .. } }) => (
            "recovered, backlog discarded",
            format!("{map} is running again, and its backlog was discarded"),
            "Tandem writes new changes. The discarded changes did not reach the other app. They are in the archive, and can \
             be recovered from there.",
        ),
        Some(Ending::FlowsAgain { .. }) => (
            "recovered, backlog skipped",
            format!("{map} is running again, and its backlog was skipped"),
            "Tandem writes new changes. The skipped changes did not reach the other app. They are in the archive, and can \
             be recovered from there.",
        ),
        Some(Ending::Quiet) => (
            "recovered",
            format!("{map} is below the threshold again"),
            "The map is running, and the rule still watches it.",
        ),
        Some(Ending::Stopped { .. }) => (
            "stopped",
            format!("{map} was stopped"),
            "The cause may not be fixed. Tandem skips and counts changes: they do not reach the other app, and Tandem does not \
             keep them. The skipped changes need an initial sync when somebody runs the map.",
        ),
        Some(Ending::Deleted) => {
            ("deleted", format!("{map} was deleted"), "Tandem no longer keeps these records in step.")
        }
        Some(Ending::RuleOff) => (
            "is no longer watched",
            format!("{map} is no longer watched by this rule"),
            "The cause may not be fixed. The map keeps running, and its errors may continue.",
        ),
        None => (
            "incident over",
            format!("{map}: this incident is over"),
            "Check the state of the map before you rely on it.",
        ),
    };
    let how = incident.recovered.as_ref().map_or("it is closed", |(_, how)| how);
    let tone = if ending.is_some_and(Ending::is_recovery) { Tone::Calm } else { Tone::Grave };
    let lead = format!("This incident is over: {how}. {then} You get no more mails about it.");
    Opening { subject: subject.to_owned(), headline, lead, tone }
}
