//! Counts errors by a common property.

use std::collections::{BTreeMap, BTreeSet};

use domain::{Timestamp, log::LoggedError};

use super::{ErrorFilter, Errors, MAX_LOOKED_AT, MAX_PAGE};
use crate::{admin::AdminPorts, error::AppError};

/// The property that errors are grouped by, from coarse to fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupBy {
    /// By map.
    Map,
    /// By the app that was called. `leg` is the deprecated name.
    #[serde(alias = "leg")]
    Target,
    /// By class.
    Class,
    /// By fingerprint of the message.
    Message,
    /// By record.
    Record,
}

impl GroupBy {
    fn value(self, error: &LoggedError) -> String {
        let event = &error.event;
        match self {
            Self::Map => event.map.to_string(),
            Self::Target => event.to.to_string(),
            Self::Class => event.class.to_string(),
            Self::Message => error.fingerprint.to_string(),
            Self::Record => event.key.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// Errors with the same value of a property.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The common value: a map, an app, a class, a fingerprint or a record.
    pub value: String,
    /// Number of errors.
    pub count: u64,
    /// Number of unresolved errors.
    pub unresolved: u64,
    /// Number of writes that met these errors.
    pub writes: u64,
    /// The newest error.
    pub newest: LoggedError,
    /// Time of the oldest error.
    pub since: Timestamp,
}

/// Groups errors by a property, the most frequent group first. Reads the newest [`MAX_LOOKED_AT`] lines at most, whether
/// they match the filter or not. Returns the groups, and whether they cover the whole log.
///
/// # Errors
/// The filter names too many maps, or the log cannot be read.
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
