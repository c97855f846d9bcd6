//! Rules, groups and incidents in memory, a mail service, and a bus.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use app::ports::{Alerts, CommitError, Event, Events, Flagged, IncidentChange, Mail, MailError, Mailer, PortError};
use domain::{
    GroupId, IncidentId, MapId, RuleId,
    log::{Activity, LogEvent},
    rule::{Address, Count, Group, Incident, Rule, Watch},
};

use crate::{
    bug::Bug,
    executor::{Executor, lock},
};

#[derive(Default)]
struct Tables {
    rules: BTreeMap<RuleId, Rule>,
    groups: BTreeMap<GroupId, Group>,
    watches: BTreeMap<(RuleId, MapId), Watch>,
    incidents: BTreeMap<IncidentId, Incident>,
    flagged: BTreeMap<Address, Flagged>,
    logged: Vec<LogEvent>,
    breaches: Vec<(RuleId, u64, u32)>,
}

/// Rules, groups and incidents in memory. Every call lets others go first, and may fail or lose its answer.
pub struct MemoryAlerts {
    world: Arc<Executor>,
    tables: Mutex<Tables>,
    failing_per_mille: Mutex<u64>,
    unreadable: AtomicBool,
}

impl MemoryAlerts {
    /// No rules.
    #[must_use]
    pub fn new(world: Arc<Executor>) -> Self {
        Self {
            world,
            tables: Mutex::default(),
            failing_per_mille: Mutex::default(),
            unreadable: AtomicBool::new(false),
        }
    }

    /// From now on calls fail with this chance in a thousand.
    pub fn set_failing(&self, per_mille: u64) {
        *lock(&self.failing_per_mille) = per_mille;
    }

    /// From now on the rules cannot be read, however often that is tried.
    pub fn set_unreadable(&self, unreadable: bool) {
        self.unreadable.store(unreadable, Ordering::SeqCst);
    }

    /// Puts a rule in, as it is.
    pub fn put_rule(&self, rule: Rule) {
        lock(&self.tables).rules.insert(rule.id.clone(), rule);
    }

    /// Every incident.
    #[must_use]
    pub fn all_incidents(&self) -> Vec<Incident> {
        lock(&self.tables).incidents.values().cloned().collect()
    }

    /// Every breach that became an incident or opened one again: the rule, the epoch whose errors were counted, how many.
    #[must_use]
    pub fn breaches(&self) -> Vec<(RuleId, u64, u32)> {
        lock(&self.tables).breaches.clone()
    }

    /// What commits logged, as the table's stream tells it.
    pub fn take_log(&self) -> Vec<LogEvent> {
        std::mem::take(&mut lock(&self.tables).logged)
    }

    async fn call<T>(&self, method: &'static str, effect: impl FnOnce(&mut Tables) -> T) -> Result<T, PortError> {
        self.world.turn_at(method).await;
        let per_mille = *lock(&self.failing_per_mille);
        let fails = || per_mille > 0 && self.world.chance(|rng| rng.happens(per_mille));
        if fails() {
            return Err(PortError::Transient("simulated: throttled".to_owned()));
        }
        let done = effect(&mut lock(&self.tables));
        self.world.turn_at(method).await;
        if fails() {
            return Err(PortError::Transient("simulated: the answer was lost".to_owned()));
        }
        Ok(done)
    }

    async fn conditional(
        &self,
        method: &'static str,
        effect: impl FnOnce(&mut Tables) -> Result<(), CommitError>,
    ) -> Result<(), CommitError> {
        self.call(method, effect).await.map_err(CommitError::from)?
    }
}

fn logged(line: &Activity) -> LogEvent {
    LogEvent::Activity(Box::new(line.clone()))
}

fn expect(stored: Option<u64>, expected: u64) -> Result<(), CommitError> {
    if stored.unwrap_or(0) == expected { Ok(()) } else { Err(CommitError::Stale) }
}

fn lie_about_rule(mut rule: Rule, bug: Option<Bug>) -> Rule {
    match bug {
        Some(Bug::ThresholdIsExceeded) => rule.config.threshold += 1,
        Some(Bug::AttemptsAreWrites) => rule.config.count = Count::Attempts,
        _ => {}
    }
    rule
}

impl Alerts for MemoryAlerts {
    async fn rules(&self) -> Result<Vec<Rule>, PortError> {
        if self.unreadable.load(Ordering::SeqCst) {
            return Err(PortError::Permanent("simulated: RULES cannot be read".to_owned()));
        }
        let rules: Vec<Rule> = self.call("Alerts.rules", |tables| tables.rules.values().cloned().collect()).await?;
        let bug = self.world.bug();
        Ok(rules
            .into_iter()
            .filter(|_| bug != Some(Bug::NothingIsJudged))
            .map(|rule| lie_about_rule(rule, bug))
            .collect())
    }

    async fn rule(&self, id: &RuleId) -> Result<Option<Rule>, PortError> {
        self.call("Alerts.rule", |tables| tables.rules.get(id).cloned()).await
    }

    async fn save_rule(&self, rule: &Rule, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.conditional("Alerts.save_rule", |tables| {
            expect(tables.rules.get(&rule.id).map(|rule| rule.version), expected)?;
            tables.rules.insert(rule.id.clone(), rule.clone());
            tables.logged.push(logged(line));
            Ok(())
        })
        .await
    }

    async fn delete_rule(&self, id: &RuleId, expected: u64, line: &Activity) -> Result<(), CommitError> {
        self.conditional("Alerts.delete_rule", |tables| {
            expect(tables.rules.get(id).map(|rule| rule.version), expected)?;
            tables.rules.remove(id);
            tables.logged.push(logged(line));
            Ok(())
        })
        .await
    }

    async fn groups(&self) -> Result<Vec<Group>, PortError> {
        self.call("Alerts.groups", |tables| tables.groups.values().cloned().collect()).await
    }

    async fn save_group(&self, group: &Group, expected: u64) -> Result<(), CommitError> {
        self.conditional("Alerts.save_group", |tables| {
            expect(tables.groups.get(&group.id).map(|group| group.version), expected)?;
            tables.groups.insert(group.id.clone(), group.clone());
            Ok(())
        })
        .await
    }

    async fn delete_group(&self, id: &GroupId, expected: u64) -> Result<(), CommitError> {
        self.conditional("Alerts.delete_group", |tables| {
            expect(tables.groups.get(id).map(|group| group.version), expected)?;
            tables.groups.remove(id);
            Ok(())
        })
        .await
    }

    async fn watch(&self, rule: &RuleId, map: &MapId) -> Result<Option<Watch>, PortError> {
        self.call("Alerts.watch", |tables| tables.watches.get(&(rule.clone(), map.clone())).cloned()).await
    }

    async fn save_incident(&self, change: &IncidentChange) -> Result<(), CommitError> {
        self.conditional("Alerts.save_incident", |tables| {
            let IncidentChange { incident, expected, watch, line } = change;
            assert_eq!(incident.version, expected + 1, "every change raises the version by one");
            expect(tables.incidents.get(&incident.id).map(|known| known.version), *expected)?;
            if let Some((watch, expected)) = watch {
                let key = (watch.rule.clone(), watch.map.clone());
                expect(tables.watches.get(&key).map(|known| known.version), *expected)?;
                tables.watches.insert(key, watch.clone());
            }
            let before = tables.incidents.insert(incident.id, incident.clone());
            if before.is_none_or(|before| before.live_epoch != incident.live_epoch) {
                tables.breaches.push((incident.rule.clone(), incident.live_epoch, incident.count));
            }
            tables.logged.extend(line.as_ref().map(logged));
            Ok(())
        })
        .await
    }

    async fn incident(&self, id: IncidentId) -> Result<Option<Incident>, PortError> {
        self.call("Alerts.incident", |tables| tables.incidents.get(&id).cloned()).await
    }

    async fn open_incidents(&self) -> Result<Vec<Incident>, PortError> {
        self.call("Alerts.open_incidents", |tables| {
            tables.incidents.values().filter(|incident| incident.is_open()).cloned().collect()
        })
        .await
    }

    async fn incidents(&self, before: Option<IncidentId>, limit: usize) -> Result<Vec<Incident>, PortError> {
        let older = |id: &IncidentId| before.is_none_or(|before| *id < before);
        self.call("Alerts.incidents", |tables| {
            tables.incidents.iter().rev().filter(|(id, _)| older(id)).take(limit).map(|(_, one)| one.clone()).collect()
        })
        .await
    }

    async fn flagged(&self) -> Result<Vec<Flagged>, PortError> {
        self.call("Alerts.flagged", |tables| tables.flagged.values().cloned().collect()).await
    }

    async fn flag(&self, flagged: &Flagged) -> Result<(), PortError> {
        self.call("Alerts.flag", |tables| drop(tables.flagged.insert(flagged.address.clone(), flagged.clone()))).await
    }

    async fn unflag(&self, address: &Address) -> Result<bool, PortError> {
        self.call("Alerts.unflag", |tables| tables.flagged.remove(address).is_some()).await
    }
}

/// A mail service that remembers what it took.
pub struct MemoryMailer {
    world: Arc<Executor>,
    taken: Mutex<Vec<Mail>>,
    refuses: Mutex<Option<MailError>>,
    refuses_for: Mutex<BTreeMap<Address, MailError>>,
    takes_ms: Mutex<u64>,
}

impl MemoryMailer {
    /// It takes everything.
    #[must_use]
    pub fn new(world: Arc<Executor>) -> Self {
        Self {
            world,
            taken: Mutex::default(),
            refuses: Mutex::default(),
            refuses_for: Mutex::default(),
            takes_ms: Mutex::default(),
        }
    }

    /// From now on it refuses mail to this address.
    pub fn set_refuses_for(&self, to: Address, error: MailError) {
        lock(&self.refuses_for).insert(to, error);
    }

    /// From now on it answers after so many milliseconds.
    pub fn set_takes_ms(&self, ms: u64) {
        *lock(&self.takes_ms) = ms;
    }

    /// From now on it refuses everything so; `None`: it takes everything.
    pub fn set_refuses(&self, error: Option<MailError>) {
        *lock(&self.refuses) = error;
    }

    /// What it took.
    #[must_use]
    pub fn taken(&self) -> Vec<Mail> {
        lock(&self.taken).clone()
    }
}

impl Mailer for MemoryMailer {
    async fn send(&self, mail: &Mail) -> Result<String, MailError> {
        self.world.turn_at("Mailer.send").await;
        let ms = *lock(&self.takes_ms);
        if ms > 0 {
            self.world.sleep(ms).await;
        }
        let refuses = lock(&self.refuses).clone();
        if let Some(error) = refuses.or_else(|| lock(&self.refuses_for).get(&mail.to).cloned()) {
            return Err(error);
        }
        let id = {
            let mut taken = lock(&self.taken);
            taken.push(mail.clone());
            format!("mail-{}", taken.len())
        };
        self.world.turn_at("Mailer.send").await;
        Ok(id)
    }
}

/// A bus that remembers what was published.
pub struct MemoryEvents {
    world: Arc<Executor>,
    published: Mutex<Vec<Event>>,
}

impl MemoryEvents {
    /// Nothing was published.
    #[must_use]
    pub fn new(world: Arc<Executor>) -> Self {
        Self { world, published: Mutex::default() }
    }

    /// What was published since this was last asked.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut lock(&self.published))
    }
}

impl Events for MemoryEvents {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        self.world.turn_at("Events.publish").await;
        lock(&self.published).extend_from_slice(events);
        self.world.turn_at("Events.publish").await;
        Ok(())
    }
}
