//! Errors of a map, as far as rules need them.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ErrorClass, Map, Timestamp,
    log::LoggedError,
    rule::{Breach, CountedError, Exclusion, RuleConfig, counts, judge},
};

use crate::ports::{AlertPorts, Log, LogRange, PortError};

/// Errors read at a time.
const PAGE: usize = 200;
/// Most errors of one class that are read to judge the rules of a map.
const MAX_READ: usize = 20_000;

/// Errors of a map, newest first, read as far as they are needed; several rules share what was read.
pub struct Counter<'a, P: AlertPorts> {
    ports: &'a P,
    map: &'a Map,
    /// Nothing before this time is read.
    from: Timestamp,
    classes: BTreeMap<ErrorClass, Read>,
}

#[derive(Default)]
struct Read {
    errors: Vec<LoggedError>,
    complete: bool,
    /// There are older ones that are not read.
    truncated: bool,
}

impl<'a, P: AlertPorts> Counter<'a, P> {
    /// Counts errors of this map, from this time on.
    pub fn new(ports: &'a P, map: &'a Map, from: Timestamp) -> Self {
        Self { ports, map, from, classes: BTreeMap::new() }
    }

    /// Reads another page of each class that is not known as far back as `since`; whether there was one.
    async fn more(&mut self, classes: &[ErrorClass], since: Timestamp) -> Result<bool, PortError> {
        let mut read_more = false;
        for class in classes {
            let read = self.classes.entry(*class).or_default();
            if read.complete || read.errors.last().is_some_and(|oldest| oldest.event.at < since) {
                continue;
            }
            let before = read.errors.last().map(|error| error.event.id);
            let range = LogRange { from: self.from, before };
            let page = self.ports.log().errors(&self.map.id, *class, range, PAGE).await?;
            read.truncated = read.errors.len() + page.len() >= MAX_READ;
            read.complete = page.len() < PAGE || read.truncated;
            read.errors.extend(page);
            read_more = true;
        }
        Ok(read_more)
    }

    /// What was read of these classes, newest first, as far back as all of them were.
    fn known(&self, classes: &[ErrorClass]) -> Vec<&LoggedError> {
        let read: Vec<_> = classes.iter().filter_map(|class| self.classes.get(class)).collect();
        let open = read.iter().filter(|read| !read.complete);
        let horizon = open.filter_map(|read| read.errors.last()).map(|error| error.event.id).max();
        let known = read.iter().flat_map(|read| &read.errors);
        let mut known: Vec<_> = known.filter(|error| horizon.is_none_or(|horizon| error.event.id >= horizon)).collect();
        if classes.len() > 1 {
            known.sort_by_key(|error| std::cmp::Reverse(error.event.id)); // which begins with the time
        }
        known
    }

    /// Finds a window, ending at `from` or later, in which the rule's threshold is reached. Errors until `closed` do not count.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn find_breach(
        &mut self,
        rule: &RuleConfig,
        from: Timestamp,
        closed: Option<Timestamp>,
    ) -> Result<Option<Breach>, PortError> {
        let classes = rule.counted_classes();
        let since = from.minus_ms(rule.window_ms()).max(closed.unwrap_or_default());
        loop {
            let more = self.more(&classes, since).await?;
            let counted = |error: &&LoggedError| counts(rule, self.map, closed, &error.event) == Exclusion::Counts;
            let as_counted = |error: &LoggedError| {
                let event = &error.event;
                CountedError { id: event.id, at: event.at, unit: event.unit() }
            };
            let known = self.known(&classes);
            if let Some(breach) = judge(rule, from, known.into_iter().filter(counted).map(as_counted)) {
                return Ok(Some(breach));
            }
            if !more {
                return Ok(None);
            }
        }
    }

    /// How many errors count since this time, and whether all of them were read.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn count(
        &mut self,
        rule: &RuleConfig,
        since: Timestamp,
        closed: Option<Timestamp>,
    ) -> Result<(u64, bool), PortError> {
        let classes = rule.counted_classes();
        while self.more(&classes, since).await? {}
        let counted = self.known(&classes).into_iter().filter(|error| {
            error.event.at >= since && counts(rule, self.map, closed, &error.event) == Exclusion::Counts
        });
        let units: BTreeSet<_> = counted.map(|error| rule.unit(&error.event)).collect();
        let far = |read: &Read| !read.truncated || read.errors.last().is_some_and(|oldest| oldest.event.at < since);
        Ok((units.len() as u64, classes.iter().filter_map(|class| self.classes.get(class)).all(far)))
    }

    /// The errors of a breach, newest first.
    #[must_use]
    pub fn of(&self, rule: &RuleConfig, breach: &Breach) -> Vec<&LoggedError> {
        let named: BTreeSet<_> = breach.errors.iter().collect();
        self.known(&rule.counted_classes()).into_iter().filter(|error| named.contains(&error.event.id)).collect()
    }

    /// Every error of the rule's classes that was read, with the reason why it counts or does not.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn explain(
        &mut self,
        rule: &RuleConfig,
        closed: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<(LoggedError, Exclusion)>, PortError> {
        let classes = ErrorClass::ALL;
        while self.more(&classes, self.from).await? && self.known(&classes).len() < limit {}
        let reasons = self.known(&classes).into_iter().take(limit);
        Ok(reasons.map(|error| (error.clone(), counts(rule, self.map, closed, &error.event))).collect())
    }
}
