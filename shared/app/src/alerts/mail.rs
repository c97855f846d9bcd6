//! What mails say. Everything that comes from apps or operators is text: escaped in HTML, on one line in headers.

mod html;
mod parts;

use domain::{
    IncidentId, Timestamp,
    failure::shorten,
    rule::{Action, Address, Incident, NoticeKind, Rule},
};

use self::parts::{Facts, Row};
use super::evaluate::sentence;
use crate::ports::{AlertPorts, Config, Gauges, Mail, Queues};

/// Longest subject, in characters: many readers cut off sooner.
const MAX_SUBJECT_CHARS: usize = 120;

/// How many changes of the incident's map wait; `None`: that is not known.
pub(super) async fn depth<P: AlertPorts>(ports: &P, incident: &Incident) -> Option<u64> {
    let map = ports.config().map(&incident.map).await.ok()??;
    if let Ok(depth) = ports.queues().depth(&map.map).await {
        return Some(depth);
    }
    let samples = ports.lanes().depths(&map.map).await.ok()?;
    samples.first().map(|sample| sample.depth)
}

/// A mail about an incident to one person.
#[must_use]
pub fn of_incident(incident: &Incident, kind: NoticeKind, to: &Address, depth: Option<u64>, console: &str) -> Mail {
    let link = format!("{}/#/incidents/{}", console.trim_end_matches('/'), incident.id);
    let facts = facts(incident, kind, depth, link);
    let subject = subject(incident, kind);
    Mail {
        to: to.clone(),
        subject,
        text: facts.text(),
        html: html::page(&facts),
        headers: headers(incident.id, kind, &incident.rule.to_string(), console),
        incident: Some(incident.id),
    }
}

/// A mail that only shows that mails arrive.
#[must_use]
pub fn of_test(rule: &Rule, to: &Address, actor: &str, console: &str) -> Mail {
    let link = format!("{}/#/rules/{}", console.trim_end_matches('/'), rule.id);
    let config = &rule.config;
    let facts = Facts {
        headline: format!("This is a test of the alert setting \u{201c}{}\u{201d}", config.title),
        lead: format!("{actor} sent it to see whether mails arrive. Nothing is wrong, and nothing was paused."),
        tone: parts::Tone::Calm,
        rows: vec![Row::new("Rule", format!("{} ({})", config.title, rule.id)), Row::new("Fires at", fires_at(config))],
        top: Vec::new(),
        link,
        link_text: "Open the alert setting",
    };
    let unsubscribe = unsubscribe(&rule.id.to_string(), console);
    Mail {
        to: to.clone(),
        subject: one_line(&format!("[Tandem] test: {}", config.title)),
        text: facts.text(),
        html: html::page(&facts),
        headers: vec![("List-Unsubscribe", unsubscribe), ("Auto-Submitted", "auto-generated".to_owned())],
        incident: None,
    }
}

fn fires_at(config: &domain::rule::RuleConfig) -> String {
    sentence(config, config.threshold).split_once(": ").map_or_else(String::new, |(_, rest)| rest.to_owned())
}

fn subject(incident: &Incident, kind: NoticeKind) -> String {
    let state = incident.acted.as_ref().and_then(|acted| acted.state).map(|state| state.as_str().to_lowercase());
    let what = match (kind, state) {
        (NoticeKind::Recovered, _) => "recovered".to_owned(),
        (NoticeKind::Reminder, Some(state)) => format!("still {state}"),
        (NoticeKind::Reminder, None) => "still failing".to_owned(),
        (NoticeKind::Opened | NoticeKind::Again, Some(state)) => state,
        (NoticeKind::Opened | NoticeKind::Again, None) => format!("{} errors", incident.count),
    };
    one_line(&format!("[Tandem] {} {what}: {}", incident.map, incident.config.title))
}

/// One line for a header, whatever is in it.
fn one_line(text: &str) -> String {
    shorten(text, MAX_SUBJECT_CHARS)
}

/// Mail readers keep mails together that refer to the same one, though nobody ever got that.
fn headers(incident: IncidentId, kind: NoticeKind, rule: &str, console: &str) -> Vec<(&'static str, String)> {
    let thread = format!("<{incident}@incidents.tandem>");
    let mut headers = vec![("References", thread.clone()), ("In-Reply-To", thread)];
    headers.push(("List-Unsubscribe", unsubscribe(rule, console)));
    headers.push(("List-Id", format!("<{rule}.rules.tandem>")));
    headers.push(("Auto-Submitted", "auto-generated".to_owned()));
    headers.push(("X-Tandem-Notice", kind.as_str().to_owned()));
    headers
}

/// Where somebody takes themselves off the rule's recipients: the console asks who they are.
fn unsubscribe(rule: &str, console: &str) -> String {
    format!("<{}/#/rules/{rule}/recipients>", console.trim_end_matches('/'))
}

fn facts(incident: &Incident, kind: NoticeKind, depth: Option<u64>, link: String) -> Facts {
    let config = &incident.config;
    let map = &incident.map;
    let state = incident.acted.as_ref().and_then(|acted| acted.state);
    let title = &config.title;
    let headline = match (kind, state) {
        (NoticeKind::Recovered, _) => format!("{map}: this incident is over"),
        (NoticeKind::Reminder, Some(state)) => format!("{map} is still {}", state.as_str().to_lowercase()),
        (NoticeKind::Reminder, None) => format!("{map} still meets errors"),
        (_, Some(state)) => format!("{map} was {} by the rule \u{201c}{title}\u{201d}", state.as_str().to_lowercase()),
        (_, None) => format!("{map} meets errors: \u{201c}{title}\u{201d}"),
    };
    let mut rows = vec![
        Row::new("Map", map.to_string()),
        Row::new("Leg", legs(incident)),
        Row::new("Rule", format!("{title} ({}): {}", incident.rule, fires_at(config))),
        Row::new(
            "Counted",
            format!(
                "{} {} from {} to {}",
                incident.count,
                counted(incident),
                second(incident.first_at),
                second(incident.last_at)
            ),
        ),
        Row::new("Action", action(incident)),
    ];
    if let Some(depth) = depth {
        rows.push(Row::new("Waiting", waiting(depth)));
    }
    if let Some(by) = &incident.acknowledged {
        rows.push(Row::new("Seen by", format!("{} at {}: {}", by.actor, second(by.at), by.reason)));
    }
    if let Some((at, how)) = &incident.recovered {
        rows.push(Row::new("Over", format!("at {}: {how}", second(*at))));
    }
    let calm = kind == NoticeKind::Recovered;
    Facts {
        headline,
        lead: lead(incident, kind),
        tone: if calm { parts::Tone::Calm } else { parts::Tone::Alarm },
        rows,
        top: incident.top.clone(),
        link,
        link_text: "Open the incident",
    }
}

fn legs(incident: &Incident) -> String {
    let mut to: Vec<_> = incident.top.iter().map(|top| format!("to {}", top.to)).collect();
    to.sort();
    to.dedup();
    to.join(", ")
}

fn counted(incident: &Incident) -> &'static str {
    match (incident.config.count, incident.count) {
        (domain::rule::Count::Writes, 1) => "failed write",
        (domain::rule::Count::Writes, _) => "failed writes",
        (domain::rule::Count::Attempts, 1) => "failed attempt",
        (domain::rule::Count::Attempts, _) => "failed attempts",
    }
}

/// A time for people: without the part of a second.
fn second(at: Timestamp) -> Timestamp {
    Timestamp(at.0 / 1_000 * 1_000)
}

fn action(incident: &Incident) -> String {
    match (&incident.acted, incident.config.action) {
        (_, Action::None) => "none: this rule only tells people".to_owned(),
        (None, action) => format!("{}: under way", action.as_str()),
        (Some(acted), action) => match (&acted.state, &acted.left) {
            (Some(state), _) => format!("{}: the map is {state} since {}", action.as_str(), second(acted.at)),
            (None, Some(why)) => format!("{}: not done, {why}", action.as_str()),
            (None, None) => action.as_str().to_owned(),
        },
    }
}

fn waiting(depth: u64) -> String {
    match depth {
        0 => "no change waits".to_owned(),
        1 => "1 change waits in the queue".to_owned(),
        many => format!("about {many} changes wait in the queue"),
    }
}

/// No all-clear that nobody has seen to: an incident is over, too, when its map was stopped or its rule switched off.
fn over(incident: &Incident) -> String {
    let how = incident.recovered.as_ref().map_or("it is closed", |(_, how)| how);
    format!(
        "It is over because {how}. No more mails come about it. Look whether changes were refused or discarded in the \
         meantime: they stand in the map's catch-up errors and archive. What came while a map was stopped needs an initial sync."
    )
}

fn lead(incident: &Incident, kind: NoticeKind) -> String {
    let stopped = incident.config.action == Action::Stop;
    let acted = incident.acted.as_ref().is_some_and(|acted| acted.state.is_some());
    match (kind, acted) {
        (NoticeKind::Recovered, _) => over(incident),
        (_, true) if stopped => {
            "Changes are skipped from now on, and counted. When the cause is mended, run the map and its initial sync."
                .to_owned()
        }
        (_, true) => {
            "Every change is kept from now on and none is written. When the cause is mended, resume the map: what waits is \
             written then, each record in its order."
                .to_owned()
        }
        (_, false) => "The map goes on. Look at the errors below, and pause it if they do not end.".to_owned(),
    }
}

#[cfg(test)]
mod tests;
