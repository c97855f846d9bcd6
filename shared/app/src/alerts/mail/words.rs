//! What a mail says first: what happened, what that means, and what comes next.

use domain::{
    Map, MapState,
    lane::ArchiveCause,
    map::{FlowStart, StartedBy},
    rule::{Action, Ending, Incident, NoticeKind},
};

use super::{Situation, clock, next, parts::Tone};

/// The beginning of a mail.
pub(super) struct Words {
    /// Follows the map's name in the subject.
    pub(super) subject: String,
    pub(super) headline: String,
    pub(super) lead: String,
    pub(super) tone: Tone,
}

/// The beginning of a mail about an incident.
pub(super) fn of(incident: &Incident, kind: NoticeKind, situation: &Situation) -> Words {
    match kind {
        NoticeKind::Recovered => over(incident),
        NoticeKind::Reminder => reminder(incident, situation),
        NoticeKind::Opened | NoticeKind::Again => opened(incident, kind, situation),
    }
}

fn opened(incident: &Incident, kind: NoticeKind, situation: &Situation) -> Words {
    let (map, title) = (&incident.map, &incident.config.title);
    let again = if kind == NoticeKind::Again { " again" } else { "" };
    let acted = incident.acted.as_ref().and_then(|acted| acted.state);
    let (subject, headline) = match acted.map(|state| state.as_str().to_lowercase()) {
        Some(state) => {
            (format!("{state}{again}"), format!("{map} was {state}{again} by the rule \u{201c}{title}\u{201d}"))
        }
        None => {
            let errors = if incident.count == 1 { "error" } else { "errors" };
            (format!("{} {errors}", incident.count), format!("{map} meets errors{again}: \u{201c}{title}\u{201d}"))
        }
    };
    Words { subject, headline, lead: means(incident, situation), tone: Tone::Alarm }
}

fn reminder(incident: &Incident, situation: &Situation) -> Words {
    let map = &incident.map;
    let (subject, headline) = match situation.state(incident) {
        Some(MapState::Paused) => ("still paused", format!("{map} is still paused")),
        Some(MapState::Stopped) => ("still stopped", format!("{map} is still stopped")),
        Some(MapState::CatchingUp) => ("still catching up", format!("{map} is still catching up")),
        _ => ("still failing", format!("{map} still meets errors")),
    };
    let unseen = match &incident.acknowledged {
        Some(_) => String::new(),
        None => format!(" Nobody has acknowledged this since {}.", clock(incident.opened_at)),
    };
    let lead = format!("{}{unseen}", means(incident, situation));
    Words { subject: subject.to_owned(), headline, lead, tone: Tone::Alarm }
}

/// What the map's state means, and what comes next.
fn means(incident: &Incident, situation: &Situation) -> String {
    let acted = incident.acted.as_ref().is_some_and(|acted| acted.state.is_some());
    match situation.state(incident) {
        Some(MapState::Paused) => {
            let by = situation.map.as_ref().filter(|_| !acted);
            let by = by.map(|map| format!("{} had paused it before. ", map.actor)).unwrap_or_default();
            format!(
                "{by}No change is lost: each is kept, and none is written while the map is paused. {}",
                next::resumes(incident, situation.map.as_ref())
            )
        }
        Some(MapState::Stopped) => "Changes are skipped, and counted: they do not reach the other app, and are not kept. \
             It stays stopped until somebody runs it; what was skipped needs an initial sync then."
            .to_owned(),
        Some(MapState::CatchingUp) => format!(
            "{} resumed it in the meantime: what waited is being written, each record in its order. A mail comes when that \
             is done.",
            beginner(situation.map.as_ref())
        ),
        _ if incident.config.action == Action::None => {
            "The map goes on: this rule pauses nothing. Look at what the app says, and pause the map if the errors do not end; \
             changes are kept then."
                .to_owned()
        }
        _ => "The map goes on. Look at what the app says, and pause the map if the errors do not end; changes are kept then."
            .to_owned(),
    }
}

fn beginner(map: Option<&Map>) -> String {
    let began = map.and_then(|map| map.began.as_ref());
    began.map_or_else(|| "Somebody".to_owned(), |began| began.actor.clone())
}

/// "Recovered" only says the mail about a map that runs: an incident is over, too, when its map was stopped or deleted,
/// or when nobody watches any more.
fn over(incident: &Incident) -> Words {
    let map = &incident.map;
    let ending = incident.ending.as_ref();
    let (subject, headline, then) = match ending {
        Some(Ending::FlowsAgain { began: FlowStart { how: StartedBy::Run, .. } }) => (
            "recovered, run again",
            format!("{map} was run again"),
            "Changes are written again. Those that came while it was stopped were skipped: an initial sync brings them.",
        ),
        Some(Ending::FlowsAgain { began: FlowStart { archived: None, .. } }) => (
            "recovered",
            format!("{map} runs again"),
            "What had waited was written, each record in its order. What the app refused for good stands in the map's \
             catch-up errors.",
        ),
        Some(Ending::FlowsAgain { began: FlowStart { archived: Some((ArchiveCause::Discarded, _)), .. } }) => (
            "recovered, what waited was discarded",
            format!("{map} runs again, without what had waited"),
            "New changes are written. What was discarded did not reach the other app; it is in the archive, and can be \
             recovered from there.",
        ),
        Some(Ending::FlowsAgain { .. }) => (
            "recovered, what waited was skipped",
            format!("{map} runs again, without what had waited"),
            "New changes are written. What was skipped did not reach the other app; it is in the archive, and can be \
             recovered from there.",
        ),
        Some(Ending::Quiet) => {
            ("recovered", format!("{map} meets few errors again"), "The map runs, and is watched as before.")
        }
        Some(Ending::Stopped { .. }) => (
            "stopped",
            format!("{map} was stopped"),
            "Nothing shows that the cause is mended. Changes are skipped, and counted: they do not reach the other app, and \
             are not kept. What is skipped needs an initial sync when the map is run.",
        ),
        Some(Ending::Deleted) => {
            ("deleted", format!("{map} was deleted"), "Nothing is kept in step by this map any more.")
        }
        Some(Ending::RuleOff) => (
            "is no longer watched",
            format!("{map} is no longer watched by this rule"),
            "Nothing shows that the cause is mended. The map goes on, and so may its errors.",
        ),
        None => {
            ("incident over", format!("{map}: this incident is over"), "Look at the map's state before you rely on it.")
        }
    };
    let how = incident.recovered.as_ref().map_or("it is closed", |(_, how)| how);
    let tone = if ending.is_some_and(Ending::is_recovery) { Tone::Calm } else { Tone::Grave };
    let lead = format!("This incident is over: {how}. {then} No more mails come about it.");
    Words { subject: subject.to_owned(), headline, lead, tone }
}
