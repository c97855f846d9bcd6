//! The logs, as operators read them: the activity of maps, and every error with what it is about.

mod failed;
mod filter;
mod groups;
mod merge;
mod resolve;

use std::collections::BTreeSet;

use domain::{
    ErrorClass, LogId, MapId, Timestamp,
    log::{Activity, LoggedError},
};
use futures::FutureExt;

use self::merge::Merge;
pub use self::{
    failed::{MAX_FAILED, dismiss, failed},
    filter::{ErrorFilter, read_maps, read_time},
    groups::{Group, GroupBy, groups},
    resolve::resolve,
};
use super::AdminPorts;
use crate::{
    error::AppError,
    ports::{ConfigStore, Log, LogRange},
};

/// Most lines of one page.
pub const MAX_PAGE: usize = 1_000;
/// Most lines that are looked at to fill a page that is filtered, or to count.
pub const MAX_LOOKED_AT: usize = 20_000;
/// Most maps that one request names.
pub const MAX_MAPS: usize = 50;

/// A page of a log, newest first.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// Its lines.
    pub lines: Vec<T>,
    /// Lines that were looked at for them.
    pub looked_at: usize,
    /// Where the next page begins; `None`: there are no more.
    pub next: Option<LogId>,
}

/// Errors that are read page by page, newest first. What was read ahead is kept from page to page.
#[derive(Debug)]
pub struct Errors {
    filter: ErrorFilter,
    merge: Merge<(MapId, ErrorClass), LoggedError>,
}

impl Errors {
    /// Begins with the newest, or behind a line.
    ///
    /// # Errors
    /// Too many maps are named, or the list of maps cannot be read.
    pub async fn open<P: AdminPorts>(ports: &P, filter: ErrorFilter, before: Option<LogId>) -> Result<Self, AppError> {
        let maps = maps(ports, &filter.maps).await?;
        let classes = filter.class.map_or_else(|| ErrorClass::ALL.to_vec(), |class| vec![class]);
        let parts = maps.iter().flat_map(|map| classes.iter().map(move |class| (map.clone(), *class))).collect();
        let range = LogRange { from: filter.from, before: start(before, filter.until) };
        Ok(Self { merge: Merge::new(parts, range), filter })
    }

    /// The next page: at most `limit` errors, for which at most `look_at` lines are looked at.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn page<P: AdminPorts>(
        &mut self,
        ports: &P,
        limit: usize,
        look_at: usize,
    ) -> Result<Page<LoggedError>, AppError> {
        let read = |(map, class): (MapId, ErrorClass), range: LogRange, limit: usize| {
            async move { ports.log().errors(&map, class, range, limit).await }.boxed()
        };
        let (id, passes) = (|error: &LoggedError| error.event.id, |error: &LoggedError| self.filter.passes(error));
        Ok(self.merge.page(read, id, passes, limit, look_at).await?)
    }
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
    Errors::open(ports, filter.clone(), before).await?.page(ports, limit, MAX_LOOKED_AT).await
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
    let parts = maps(ports, named).await?.into_iter().map(Some).chain([None]).collect();
    let read = |map: Option<MapId>, range: LogRange, limit: usize| {
        async move { ports.log().activities(map.as_ref(), range, limit).await }.boxed()
    };
    let mut merge = Merge::new(parts, LogRange { from, before });
    Ok(merge.page(read, |line: &Activity| line.id, |_| true, limit, MAX_LOOKED_AT).await?)
}

fn start(before: Option<LogId>, until: Option<Timestamp>) -> Option<LogId> {
    match (before, until.map(LogId::first_at)) {
        (Some(before), Some(until)) => Some(before.min(until)),
        (before, until) => before.or(until),
    }
}

/// The maps that are named, or all of them, those that were deleted included: they still have their logs.
async fn maps<P: AdminPorts>(ports: &P, named: &[MapId]) -> Result<Vec<MapId>, AppError> {
    if named.len() > MAX_MAPS {
        return Err(AppError::mistake("map", &format!("names {} maps; at most {MAX_MAPS}", named.len())));
    }
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let mut maps: BTreeSet<_> = ports.store().list_maps().await?.into_iter().map(|map| map.id).collect();
    maps.extend(ports.log().gone().await?);
    Ok(maps.into_iter().collect())
}
