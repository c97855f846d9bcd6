//! Alert settings.

mod groups;

use std::collections::BTreeSet;

use domain::{
    LogId, MapId, RuleId, Timestamp,
    log::{Activity, ActivityKind, LoggedError, Order},
    map::Cause,
    rule::{Address, Exclusion, MAX_RECIPIENTS, MAX_RULES, Rule, RuleConfig},
    side::Mistake,
};

pub use self::groups::{delete_group, put_group};
use super::{AdminPorts, Caller, Precondition, SaveResult, diff::changes, lost, maps};
use crate::{
    alerts::{Counter, LATE_MS, RuleDecision, decide_rule, mail},
    error::{AppError, ResourceKind, StateConflict},
    ports::{Alerts, CommitError, ConfigStore, Mailer},
};

/// Most errors that an explanation lists.
const MAX_EXPLAINED: usize = 200;
/// Longest stretch of the log that a dry run judges: a week.
const MAX_DRY_RUN_MS: u64 = 7 * 24 * 60 * 60 * 1_000;
/// Most breaches that a dry run tells.
const MAX_BREACHES: usize = 100;

/// One rule.
///
/// # Errors
/// There is none, or the store does not answer.
pub async fn get<P: AdminPorts>(ports: &P, id: &RuleId) -> Result<Rule, AppError> {
    ports.alerts().rule(id).await?.ok_or(AppError::NotFound(ResourceKind::Rule))
}

/// Creates a rule or changes it. It holds from the next error on.
///
/// # Errors
/// The settings have mistakes or name maps, sides or groups that do not exist, there are too many rules, the caller is
/// not up to date, or the store does not answer.
pub async fn put<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: RuleId,
    config: RuleConfig,
    expects: Precondition,
) -> Result<(Rule, SaveResult), AppError> {
    let mistakes = mistakes(ports, &config).await?;
    if !mistakes.is_empty() {
        return Err(AppError::Invalid(mistakes));
    }
    let stored = ports.alerts().rule(&id).await?;
    if let Some(same) = stored.as_ref().filter(|rule| rule.config == config && expects != Precondition::Nothing) {
        return Ok((same.clone(), SaveResult::Unchanged));
    }
    let expected = expects.check(stored.as_ref().map(|rule| rule.version))?;
    if expected == 0 && ports.alerts().rules().await?.len() >= MAX_RULES {
        return Err(AppError::Conflict(StateConflict::TooManyRules));
    }
    let now = ports.now();
    let changes = changes(stored.as_ref().map(|rule| &rule.config), Some(&config))?;
    let rule = Rule { id, config, version: expected + 1, actor: caller.name.clone(), changed_at: now };
    let line = line(&rule.id, rule.version, caller, now, changes);
    match ports.alerts().save_rule(&rule, expected, &line).await {
        Ok(()) => {}
        Err(CommitError::Stale) if ports.alerts().rule(&rule.id).await?.as_ref() == Some(&rule) => {}
        Err(error) => return Err(lost(error)),
    }
    Ok((rule, if expected == 0 { SaveResult::Created } else { SaveResult::Updated }))
}

/// Every mistake in a rule, that it names what does not exist included.
async fn mistakes<P: AdminPorts>(ports: &P, config: &RuleConfig) -> Result<Vec<Mistake>, AppError> {
    let mut found = config.mistakes();
    let mut add = |field: &str, message: String| found.push(Mistake { field: field.to_owned(), message });
    let stored = ports.store().list_maps().await?;
    for id in config.maps.iter().filter(|id| stored.iter().all(|map| map.id != **id)) {
        add("maps", format!("there is no map {id}"));
    }
    for side in &config.to_sides {
        if stored.iter().all(|map| map.config.side_ix(side).is_none()) {
            add("to_sides", format!("no map has a side {side}"));
        }
    }
    let groups = ports.alerts().groups().await?;
    for id in config.groups.iter().filter(|id| groups.iter().all(|group| group.id != **id)) {
        add("groups", format!("there is no group {id}"));
    }
    let members = groups.iter().filter(|group| config.groups.contains(&group.id)).flat_map(|group| &group.members);
    let all: BTreeSet<_> = config.recipients.iter().chain(members).collect();
    if all.len() > MAX_RECIPIENTS && config.recipients.len() <= MAX_RECIPIENTS {
        add("groups", format!("make {} recipients with those named; at most {MAX_RECIPIENTS} may be told", all.len()));
    }
    Ok(found)
}

fn line(rule: &RuleId, version: u64, caller: &Caller, at: Timestamp, changes: Vec<domain::log::Change>) -> Activity {
    Activity {
        id: LogId::of(at, Order::Change(version), &[b"rule", rule.as_str().as_bytes(), &version.to_be_bytes()]),
        at,
        map: None,
        actor: caller.name.clone(),
        reason: String::new(),
        cause: Cause::Operator,
        what: ActivityKind::RuleChanged { rule: rule.clone(), changes },
    }
}

/// Deletes a rule. Its open incidents end with the next minute.
///
/// # Errors
/// There is none, the caller is not up to date, or the store does not answer.
pub async fn delete<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &RuleId,
    expects: Precondition,
) -> Result<(), AppError> {
    let rule = get(ports, id).await?;
    let version = expects.check_deletion(rule.version)?;
    let line = line(id, version + 1, caller, ports.now(), changes(Some(&rule.config), None)?);
    ports.alerts().delete_rule(id, version, &line).await.map_err(lost)
}

/// What became of a test mail to one address.
pub type TestMail = (Address, Result<String, String>);

/// Sends a test mail to each of a rule's recipients, the way its mails go, and tells what the mail service said. `api`: where
/// this call came to.
///
/// # Errors
/// There is no such rule, it tells nobody, or the store does not answer.
pub async fn send_test_mails<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &RuleId,
    api: &str,
) -> Result<Vec<TestMail>, AppError> {
    let rule = get(ports, id).await?;
    let groups = ports.alerts().groups().await?;
    let members = groups.iter().filter(|group| rule.config.groups.contains(&group.id)).flat_map(|group| &group.members);
    let all: BTreeSet<_> = rule.config.recipients.iter().chain(members).cloned().collect();
    if all.is_empty() {
        return Err(AppError::mistake("recipients", "name nobody who could be told"));
    }
    let links = mail::Links { api, ..mail::Links::of(ports) };
    let flagged = ports.alerts().flagged().await?;
    let mut tested = Vec::new();
    for to in all.into_iter().take(MAX_RECIPIENTS) {
        // As with its other mails: such an address gets none.
        if let Some(flagged) = flagged.iter().find(|flagged| flagged.address == to) {
            tested.push((to, Err(format!("not sent: mail came back on {}: {}", flagged.at, flagged.says))));
            continue;
        }
        let sent = ports.mailer().send(&mail::of_test(&rule, &to, &caller.name, links)).await;
        tested.push((to, sent.map_err(|error| error.refusal().says)));
    }
    Ok(tested)
}

/// Why a rule did, or did not, open an incident on a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What it comes to.
    pub decision: RuleDecision,
    /// When it was judged.
    pub at: Timestamp,
    /// How many errors count within the window that ends then.
    pub counted: u64,
    /// Whether all of them were read.
    pub complete: bool,
    /// Since when errors count: the last resume, or the end of the last incident.
    pub closed_at: Option<Timestamp>,
    /// The errors of the map, newest first, each with the reason why it counts or does not.
    pub errors: Vec<(LoggedError, Exclusion)>,
}

/// Explains a rule on a map.
///
/// # Errors
/// There is no such rule or map, or the log cannot be read.
pub async fn explain<P: AdminPorts>(ports: &P, id: &RuleId, map: &MapId) -> Result<Explanation, AppError> {
    let (rule, map) = (get(ports, id).await?, maps::get(ports, map).await?);
    let now = ports.now();
    let (window_ms, from) = (rule.config.window_ms(), now.minus_ms(LATE_MS));
    let mut counter = Counter::new(ports, &map, from.minus_ms(window_ms));
    let (decision, _) = decide_rule(ports, &mut counter, &rule, &map, from).await?;
    let watch = ports.alerts().watch(id, &map.id).await?.filter(|watch| watch.uid == map.uid);
    let closed_at = watch.and_then(|watch| watch.counted_until(&map));
    let (counted, complete) = counter.count(&rule.config, now.minus_ms(window_ms), closed_at).await?;
    let errors = counter.explain(&rule.config, closed_at, MAX_EXPLAINED).await?;
    Ok(Explanation { decision, at: now, counted, complete, closed_at, errors })
}

/// A breach that a rule would have made.
#[derive(Clone, Debug, PartialEq)]
pub struct DryBreach {
    /// The map.
    pub map: MapId,
    /// When its first counted error happened.
    pub first_at: Timestamp,
    /// When the threshold was reached.
    pub at: Timestamp,
    /// How many errors were counted.
    pub count: u64,
}

/// The breaches that a rule would have made in the stored log, oldest first, and whether these are all of them. Each ends with
/// the map's next change of epoch, or when its window is over: what an operator would have done is not known.
///
/// # Errors
/// The rule has mistakes, the stretch is too long, or the log cannot be read.
pub async fn dry_run<P: AdminPorts>(
    ports: &P,
    config: &RuleConfig,
    from: Timestamp,
    until: Timestamp,
) -> Result<(Vec<DryBreach>, bool), AppError> {
    let mistakes = mistakes(ports, config).await?;
    if !mistakes.is_empty() {
        return Err(AppError::Invalid(mistakes));
    }
    if until.ms_since(from) > MAX_DRY_RUN_MS || until <= from {
        return Err(AppError::mistake("from", "and `until` must be at most a week apart, `from` first"));
    }
    let (mut found, mut complete) = (Vec::new(), true);
    for map in ports.store().list_maps().await?.into_iter().filter(|map| config.watches(&map.id)) {
        let filter = super::logs::ErrorFilter {
            maps: vec![map.id.clone()],
            from,
            until: Some(until),
            ..super::logs::ErrorFilter::default()
        };
        let (mut errors, mut before) = (Vec::new(), None);
        loop {
            let page = super::logs::errors(ports, &filter, before, super::logs::MAX_PAGE).await?;
            errors.extend(page.lines);
            match page.next {
                Some(_) if errors.len() >= super::logs::MAX_LOOKED_AT => {
                    complete = false;
                    break;
                }
                None => break,
                next => before = next,
            }
        }
        errors.reverse();
        found.extend(find_dry_breaches(config, &map.id, &errors));
    }
    found.sort_by_key(|breach| breach.at);
    complete &= found.len() <= MAX_BREACHES;
    found.truncate(MAX_BREACHES);
    Ok((found, complete))
}

/// Breaches in errors that are sorted, oldest first.
fn find_dry_breaches(config: &RuleConfig, map: &MapId, errors: &[LoggedError]) -> Vec<DryBreach> {
    let matches = |error: &&LoggedError| {
        let event = &error.event;
        (config.classes.is_empty() || config.classes.contains(&event.class))
            && (config.to_sides.is_empty() || config.to_sides.contains(&event.to))
    };
    let (mut window, mut found): (Vec<&LoggedError>, Vec<DryBreach>) = (Vec::new(), Vec::new());
    let mut silent_until = Timestamp(0);
    for error in errors.iter().filter(matches) {
        window.retain(|known| {
            error.event.at.ms_since(known.event.at) <= config.window_ms() && known.event.epoch == error.event.epoch
        });
        if error.event.at < silent_until {
            continue;
        }
        window.push(error);
        let units: BTreeSet<_> = window.iter().map(|error| config.unit(&error.event)).collect();
        if units.len() >= config.threshold as usize {
            let (first_at, at) = (window[0].event.at, error.event.at);
            found.push(DryBreach { map: map.clone(), first_at, at, count: units.len() as u64 });
            silent_until = at.plus_ms(config.window_ms().max(u64::from(config.cool_down_minutes) * 60_000));
            window.clear();
        }
    }
    found
}
