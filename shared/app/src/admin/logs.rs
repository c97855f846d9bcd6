//! The logs, as operators read them: the activity of maps, and every error with what it is about.

use std::collections::BTreeMap;

use domain::{
    ErrorClass, LogId, MapId, RecordKey, SideId, Timestamp,
    log::{Activity, LoggedError},
    record::ContentHash,
};
use futures::{FutureExt, StreamExt, TryStreamExt, future::BoxFuture, stream};

use super::AdminPorts;
use crate::{
    error::AppError,
    ports::{ConfigStore, Log, LogRange, PortError},
};

/// Most lines of one page.
pub const MAX_PAGE: usize = 1_000;
/// Most lines that are looked at to fill a page that is filtered, or to count.
pub const MAX_LOOKED_AT: usize = 20_000;
/// Most maps that one request names.
pub const MAX_MAPS: usize = 50;
/// Partitions read at the same time.
const AT_ONCE: usize = 10;

/// Which errors.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorFilter {
    /// Of these maps. Empty: of all.
    pub maps: Vec<MapId>,
    /// Of this class.
    pub class: Option<ErrorClass>,
    /// Met when writing to this app.
    pub to: Option<SideId>,
    /// Of this record.
    pub key: Option<RecordKey>,
    /// That say the same.
    pub fingerprint: Option<ContentHash>,
    /// Only those that are (or are not) resolved.
    pub resolved: Option<bool>,
    /// At this time or later.
    pub from: Timestamp,
    /// Before this time.
    pub until: Option<Timestamp>,
}

impl ErrorFilter {
    fn passes(&self, error: &LoggedError) -> bool {
        let event = &error.event;
        self.to.as_ref().is_none_or(|to| event.to == *to)
            && self.key.as_ref().is_none_or(|key| event.key.as_ref() == Some(key))
            && self.fingerprint.is_none_or(|fingerprint| error.fingerprint == fingerprint)
            && self.resolved.is_none_or(|resolved| error.resolved.is_some() == resolved)
    }
}

/// A page of a log, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Its lines.
    pub lines: Vec<T>,
    /// Where the next page begins; `None`: there are no more.
    pub next: Option<LogId>,
}

/// Errors, newest first.
///
/// # Errors
/// Too many maps are named, or the log cannot be read.
pub async fn errors<P: AdminPorts>(
    ports: &P,
    filter: &ErrorFilter,
    before: Option<LogId>,
    limit: usize,
) -> Result<Page<LoggedError>, AppError> {
    let maps = maps(ports, &filter.maps).await?;
    let classes = filter.class.map_or_else(|| ErrorClass::ALL.to_vec(), |class| vec![class]);
    let parts: Vec<_> = maps.iter().flat_map(|map| classes.iter().map(move |class| (map.clone(), *class))).collect();
    let read = |(map, class): (MapId, ErrorClass), range: LogRange, limit: usize| {
        async move { ports.log().errors(&map, class, range, limit).await }.boxed()
    };
    let id = |error: &LoggedError| error.event.id;
    let from = start(before, filter.until);
    merged(&parts, read, id, |error| filter.passes(error), LogRange { from: filter.from, before: from }, limit).await
}

/// Lines of the activity log of some maps, and of what concerns all of them, newest first.
///
/// # Errors
/// Too many maps are named, or the log cannot be read.
pub async fn activities<P: AdminPorts>(
    ports: &P,
    named: &[MapId],
    from: Timestamp,
    before: Option<LogId>,
    limit: usize,
) -> Result<Page<Activity>, AppError> {
    let parts: Vec<_> = maps(ports, named).await?.into_iter().map(Some).chain([None]).collect();
    let read = |map: Option<MapId>, range: LogRange, limit: usize| {
        async move { ports.log().activities(map.as_ref(), range, limit).await }.boxed()
    };
    merged(&parts, read, |line: &Activity| line.id, |_| true, LogRange { from, before }, limit).await
}

fn start(before: Option<LogId>, until: Option<Timestamp>) -> Option<LogId> {
    match (before, until.map(LogId::first_at)) {
        (Some(before), Some(until)) => Some(before.min(until)),
        (before, until) => before.or(until),
    }
}

/// The maps that are named, or all of them. A map that was deleted still has its log.
async fn maps<P: AdminPorts>(ports: &P, named: &[MapId]) -> Result<Vec<MapId>, AppError> {
    if named.len() > MAX_MAPS {
        return Err(AppError::mistake("map", &format!("names {} maps; at most {MAX_MAPS}", named.len())));
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    Ok(ports.store().list_maps().await?.into_iter().map(|map| map.id).collect())
}

/// What partitions have, as one list, newest first. Pages are read from each until enough of them passes; what lies
/// behind the oldest line that all of them have shown is left for the next page.
async fn merged<'a, K: Clone + Send + Sync, T: Send>(
    parts: &[K],
    read: impl Fn(K, LogRange, usize) -> BoxFuture<'a, Result<Vec<T>, PortError>> + Send + Sync,
    id: impl Fn(&T) -> LogId + Send + Sync,
    passes: impl Fn(&T) -> bool + Send + Sync,
    range: LogRange,
    limit: usize,
) -> Result<Page<T>, AppError> {
    let (mut lines, mut looked_at, mut before) = (Vec::new(), 0, range.before);
    loop {
        let range = LogRange { before, ..range };
        let pages: Vec<Vec<T>> =
            stream::iter(parts.iter().cloned().map(|part| read(part, range, limit)).collect::<Vec<_>>())
                .buffered(AT_ONCE)
                .try_collect()
                .await?;
        // A partition that filled its page may have more right behind it.
        let full = pages.iter().filter(|page| page.len() >= limit);
        let horizon = full.filter_map(|page| page.last().map(&id)).max();
        let mut found: Vec<T> = pages.into_iter().flatten().collect();
        found.sort_by_key(|line| std::cmp::Reverse(id(line)));
        found.retain(|line| horizon.is_none_or(|horizon| id(line) >= horizon));
        for line in found {
            looked_at += 1;
            before = Some(id(&line));
            if passes(&line) {
                lines.push(line);
            }
            if lines.len() == limit {
                return Ok(Page { lines, next: before });
            }
        }
        if horizon.is_none() {
            return Ok(Page { lines, next: None });
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok(Page { lines, next: before });
        }
    }
}

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

/// Counts errors by something they have in common, the most frequent first. The second part says whether all of them
/// were counted: at most [`MAX_LOOKED_AT`] are, the newest.
///
/// # Errors
/// Too many maps are named, or the log cannot be read.
pub async fn groups<P: AdminPorts>(
    ports: &P,
    filter: &ErrorFilter,
    by: GroupBy,
) -> Result<(Vec<Group>, bool), AppError> {
    let mut groups: BTreeMap<String, (Group, std::collections::BTreeSet<u128>)> = BTreeMap::new();
    let (mut before, mut counted) = (None, 0);
    let complete = loop {
        let page = errors(ports, filter, before, MAX_PAGE).await?;
        counted += page.lines.len();
        for error in page.lines {
            let event = &error.event;
            let value = match by {
                GroupBy::Map => event.map.to_string(),
                GroupBy::Leg => event.to.to_string(),
                GroupBy::Class => event.class.to_string(),
                GroupBy::Message => error.fingerprint.to_string(),
                GroupBy::Record => event.key.as_ref().map(ToString::to_string).unwrap_or_default(),
            };
            let (at, unit, open) = (event.at, event.unit(), u64::from(error.resolved.is_none()));
            let (group, units) = groups.entry(value.clone()).or_insert_with(|| {
                let group = Group { value, count: 0, unresolved: 0, writes: 0, newest: error, since: at };
                (group, std::collections::BTreeSet::new())
            });
            units.insert(unit);
            group.count += 1;
            group.unresolved += open;
            group.writes = units.len() as u64;
            group.since = group.since.min(at);
        }
        match page.next {
            None => break true,
            Some(_) if counted >= MAX_LOOKED_AT => break false,
            next => before = next,
        }
    };
    let mut groups: Vec<_> = groups.into_values().map(|(group, _)| group).collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.count, group.newest.event.at)));
    Ok((groups, complete))
}
