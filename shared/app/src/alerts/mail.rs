//! Writes the mails. Text from apps and operators is escaped in HTML and kept on one line in headers.

mod html;
mod next_steps;
mod opening;
mod parts;

use domain::{
    IncidentId, Map, MapState, SideId, Timestamp,
    failure::shorten,
    map::MapSide,
    rule::{Action, Address, Incident, NoticeKind, Rule},
};

use self::parts::{Facts, Row, Step, Tone};
use super::evaluate::sentence;
use crate::ports::{AlertPorts, Config, Gauges, Mail, MailPorts, Queues};

/// Longest subject, in characters: many readers cut off sooner.
const MAX_SUBJECT_CHARS: usize = 120;

/// Addresses that mails link to. Either may be empty: it is unknown, or there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Links<'a> {
    /// The console.
    pub console: &'a str,
    /// The admin API.
    pub api: &'a str,
}

impl<'a> Links<'a> {
    /// Reads the configured addresses.
    pub fn of<P: MailPorts>(ports: &'a P) -> Self {
        Self { console: ports.console_url(), api: ports.api_url() }
    }

    /// An API call, with the whole URL if the API's address is known.
    fn call(self, method: &str, path: &str) -> String {
        format!("{method} {}{path}", self.api.trim_end_matches('/'))
    }

    /// A `POST` with the reason that every change needs.
    fn because(self, path: &str) -> String {
        format!("{} {{\"reason\": \"\u{2026}\"}}", self.call("POST", path))
    }

    /// A page of the console, if there is one.
    fn page(self, path: &str) -> Option<String> {
        let console = self.console.trim_end_matches('/');
        (!console.is_empty()).then(|| format!("{console}/#{path}"))
    }
}

/// The state of an incident's map when a mail about it is written.
#[derive(Clone, Debug, Default)]
pub struct Situation {
    /// `None`: the map was deleted, or could not be read.
    pub map: Option<Map>,
    /// The number of queued changes. `None`: it could not be read.
    pub depth: Option<u64>,
    /// Which of the two apps does not answer, and since when; for people.
    pub trouble: Vec<String>,
}

impl Situation {
    /// Reads map and queue. What cannot be read is left out: the mail must go out.
    pub(super) async fn of<P: AlertPorts>(ports: &P, incident: &Incident) -> Self {
        let found = ports.config().fresh_map(&incident.map).await.ok().flatten();
        let Some(map) = found.map(|found| found.map).filter(|map| map.uid == incident.uid) else {
            return Self::default();
        };
        let depth = match ports.queues().depth(&map).await {
            Ok(depth) => depth,
            Err(_) => ports.lanes().depths(&map).await.ok().and_then(|all| all.first().map(|sample| sample.depth)),
        };
        let mut trouble = Vec::new();
        for MapSide { side, .. } in &map.config.sides {
            let health = ports.lanes().noted_health(side).await.unwrap_or_default();
            trouble.extend(health.current_trouble().map(|trouble| trouble.describe(side)));
        }
        Self { map: Some(map), depth, trouble }
    }

    /// The map's state: the one that the rule gave it, unless something else is known.
    fn state(&self, incident: &Incident) -> Option<MapState> {
        let acted = incident.acted.as_ref().and_then(|acted| acted.state);
        self.map.as_ref().map(|map| map.state).or(acted)
    }
}

/// Writes a mail about an incident to one person.
#[must_use]
pub fn of_incident(
    incident: &Incident,
    kind: NoticeKind,
    to: &Address,
    situation: &Situation,
    links: Links<'_>,
) -> Mail {
    let opening = opening::of(incident, kind, situation);
    let link = links.page(&format!("/incidents/{}", incident.id));
    let facts = Facts {
        headline: opening.headline,
        lead: opening.lead,
        tone: opening.tone,
        rows: rows(incident, kind, situation),
        top: incident.top.clone(),
        steps: next_steps::list(incident, kind, situation, links),
        link: link.map(|link| ("Open the incident", link)),
    };
    Mail {
        to: to.clone(),
        subject: one_line(&format!("[Tandem] {} {}: {}", incident.map, opening.subject, incident.config.title)),
        text: facts.text(),
        html: html::page(&facts),
        headers: headers(incident.id, kind, &incident.rule.to_string(), links),
        incident: Some(incident.id),
    }
}

/// Writes a test mail.
#[must_use]
pub fn of_test(rule: &Rule, to: &Address, actor: &str, links: Links<'_>) -> Mail {
    let config = &rule.config;
    let does = match config.action {
        Action::None => "notifies people, and does not change the map",
        Action::Pause => "pauses the map: Tandem queues changes, and writes none until somebody resumes it",
        Action::Stop => "stops the map: Tandem skips changes",
    };
    let maps: Vec<_> = config.maps.iter().map(ToString::to_string).collect();
    let maps = if maps.is_empty() { "all, each counted separately".to_owned() } else { maps.join(", ") };
    let facts = Facts {
        headline: format!("This is a test of the alert setting \u{201c}{}\u{201d}", config.title),
        lead: format!(
            "{actor} sent it to check that mails arrive. Nothing is wrong, and Tandem did not pause anything."
        ),
        tone: Tone::Calm,
        rows: vec![
            Row::new("Rule", format!("{} ({})", config.title, rule.id)),
            Row::new("Maps", maps),
            Row::new("Trigger", fires_at(config)),
            Row::new("Action", does.to_owned()),
        ],
        top: Vec::new(),
        steps: vec![Step::new("See the alert setting", links.call("GET", &format!("/rules/{}", rule.id)))],
        link: links.page(&format!("/rules/{}", rule.id)).map(|link| ("Open the alert setting", link)),
    };
    let mut headers = vec![("Auto-Submitted", "auto-generated".to_owned())];
    headers.extend(unsubscribe(&rule.id.to_string(), links));
    Mail {
        to: to.clone(),
        subject: one_line(&format!("[Tandem] test: {}", config.title)),
        text: facts.text(),
        html: html::page(&facts),
        headers,
        incident: None,
    }
}

fn fires_at(config: &domain::rule::RuleConfig) -> String {
    sentence(config, config.threshold).split_once(": ").map_or_else(String::new, |(_, rest)| rest.to_owned())
}

/// Shortens a text to one line for a header.
fn one_line(text: &str) -> String {
    shorten(text, MAX_SUBJECT_CHARS)
}

/// Mail readers group mails that refer to the same message id. No mail has that id.
fn headers(incident: IncidentId, kind: NoticeKind, rule: &str, links: Links<'_>) -> Vec<(&'static str, String)> {
    let thread = format!("<{incident}@incidents.tandem>");
    let mut headers = vec![("References", thread.clone()), ("In-Reply-To", thread)];
    headers.extend(unsubscribe(rule, links));
    headers.push(("List-Id", format!("<{rule}.rules.tandem>")));
    headers.push(("Auto-Submitted", "auto-generated".to_owned()));
    headers.push(("X-Tandem-Notice", kind.as_str().to_owned()));
    headers
}

/// The page on which recipients take themselves off the rule. The console asks them to sign in; without a console there is no
/// such page.
fn unsubscribe(rule: &str, links: Links<'_>) -> Option<(&'static str, String)> {
    links.page(&format!("/rules/{rule}/recipients")).map(|page| ("List-Unsubscribe", format!("<{page}>")))
}

fn rows(incident: &Incident, kind: NoticeKind, situation: &Situation) -> Vec<Row> {
    let mut rows = vec![
        Row::new("Map", incident.map.to_string()),
        Row::new("Leg", legs(incident, situation.map.as_ref())),
        Row::new("Counted", counted(incident)),
        Row::new("Rule", format!("{} ({}): {}", incident.config.title, incident.rule, fires_at(&incident.config))),
        Row::new("Action", action(incident)),
    ];
    let acted = incident.acted.as_ref().and_then(|acted| acted.state);
    if let Some(map) = situation.map.as_ref().filter(|map| acted != Some(map.state)) {
        let (state, since) = (map.state, clock(map.since));
        rows.push(Row::new("Now", format!("{state} since {since}, by {}: {}", map.actor, map.reason)));
    }
    if let Some(depth) = situation.depth {
        rows.push(Row::new("Waiting", waiting(depth)));
    }
    for trouble in situation.trouble.iter().filter(|_| kind != NoticeKind::Recovered) {
        rows.push(Row::new("App", trouble.clone()));
    }
    if let Some(by) = &incident.acknowledged {
        rows.push(Row::new("Seen by", format!("{} at {}: {}", by.actor, clock(by.at), by.reason)));
    }
    if let Some((at, how)) = incident.recovered.as_ref().filter(|_| kind == NoticeKind::Recovered) {
        rows.push(Row::new("Ended", format!("at {}: {how}", clock(*at))));
    }
    rows
}

fn legs(incident: &Incident, map: Option<&Map>) -> String {
    let from =
        |to: &SideId| map.map(|map| &map.config.sides).and_then(|sides| sides.iter().find(|end| end.side != *to));
    let leg = |to: &SideId| match from(to) {
        Some(from) => format!("{} \u{2192} {to}", from.side),
        None => format!("to {to}"),
    };
    let mut legs: Vec<_> = incident.top.iter().map(|top| leg(&top.to)).collect();
    legs.sort();
    legs.dedup();
    legs.join(", ")
}

fn counted(incident: &Incident) -> String {
    let what = match (incident.config.count, incident.count) {
        (domain::rule::Count::Writes, 1) => "failed write",
        (domain::rule::Count::Writes, _) => "failed writes",
        (domain::rule::Count::Attempts, 1) => "failed attempt",
        (domain::rule::Count::Attempts, _) => "failed attempts",
    };
    let mut classes: Vec<_> = incident.top.iter().map(|top| top.class.as_str()).collect();
    classes.sort_unstable();
    classes.dedup();
    let of = if classes.is_empty() { String::new() } else { format!(" of the type {}", classes.join(", ")) };
    let (first, last) = (clock(incident.first_at), clock(incident.last_at));
    let when = if first == last { format!("at {first}") } else { format!("from {first} to {last}") };
    format!("{} {what}{of}, {when}", incident.count)
}

/// Formats a time for people, in whole seconds.
fn clock(at: Timestamp) -> String {
    Timestamp(at.0 / 1_000 * 1_000).to_string().replacen('T', " ", 1).replacen('Z', " UTC", 1)
}

fn action(incident: &Incident) -> String {
    match (&incident.acted, incident.config.action) {
        (_, Action::None) => "none: this rule only notifies people".to_owned(),
        (None, action) => format!("{}: under way", action.as_str()),
        (Some(acted), action) => match (&acted.state, &acted.left) {
            (Some(MapState::Stopped), _) => format!("the rule stopped the map at {}", clock(acted.at)),
            (Some(_), _) => format!("the rule paused the map at {}", clock(acted.at)),
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

#[cfg(test)]
mod tests;
