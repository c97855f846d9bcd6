//! Errors, counted by something they have in common.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Timestamp, log::LoggedError};

use super::{ErrorFilter, Errors, MAX_LOOKED_AT, MAX_PAGE};
use crate::{admin::AdminPorts, error::AppError};

/// What errors are counted by, from the coarse to the fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// By map.
    Map,
    /// By the app that was called.
    Leg,
    /// By class.
    Class,
    /// By what they say.
    Message,
    /// By record.
    Record,
}

impl GroupBy {
    fn value(self, error: &LoggedError) -> String {
        let event = &error.event;
        match self {
            Self::Map => event.map.to_string(),
            Self::Leg => event.to.to_string(),
            Self::Class => event.class.to_string(),
            Self::Message => error.fingerprint.to_string(),
            Self::Record => event.key.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// Errors that have something in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// What they have in common: a map, an app, a class, a fingerprint or a record.
    pub value: String,
    /// How many.
    pub count: u64,
    /// How many of them are not resolved.
    pub unresolved: u64,
    /// How many writes they are of.
    pub writes: u64,
    /// The newest of them.
    pub newest: LoggedError,
    /// When the oldest of them happened.
    pub since: Timestamp,
}

/// Counts errors by something they have in common, the most frequent first. The second part says whether the whole log
/// was counted: at most [`MAX_LOOKED_AT`] lines are looked at, the newest, whether they match or not.
///
/// # Errors
/// Too many maps are named, or the log cannot be read.
pub async fn groups<P: AdminPorts>(
    ports: &P,
    filter: &ErrorFilter,
    by: GroupBy,
) -> Result<(Vec<Group>, bool), AppError> {
    let mut groups: BTreeMap<String, (Group, BTreeSet<u128>)> = BTreeMap::new();
    let mut errors = Errors::open(ports, filter.clone(), None).await?;
    let mut looked_at = 0;
    let complete = loop {
        let page = errors.page(ports, MAX_PAGE, MAX_LOOKED_AT - looked_at).await?;
        looked_at += page.looked_at;
        for error in page.lines {
            let (value, event) = (by.value(&error), &error.event);
            let (at, unit, open) = (event.at, event.unit(), u64::from(error.resolved.is_none()));
            let (group, units) = groups.entry(value.clone()).or_insert_with(|| {
                let group = Group { value, count: 0, unresolved: 0, writes: 0, newest: error, since: at };
                (group, BTreeSet::new())
            });
            units.insert(unit);
            group.count += 1;
            group.unresolved += open;
            group.writes = units.len() as u64;
            group.since = group.since.min(at);
        }
        if page.next.is_none() || looked_at >= MAX_LOOKED_AT {
            break page.next.is_none();
        }
    };
    let mut groups: Vec<_> = groups.into_values().map(|(group, _)| group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.count, group.newest.event.at)));
    Ok((groups, complete))
}
