//! Catch-up errors: entries that were refused and wait for an operator.

use domain::{
    ErrorClass, Map, MapId, RecordKey, SideId, SideIx, Timestamp,
    lane::{Action, Entry, Head, PARKED_FROM, plan},
    limits::MAX_RETRY_AFTER_MS,
    record::Image,
};

use super::{
    AdminPorts, Caller,
    backlog::{entry, stands_at},
    lane::{Command, Target, command},
    maps,
};
use crate::{
    error::AppError,
    ports::{Lanes, OpenLane, OpenRange},
};

/// Most that are listed, or retried, at once.
pub const MAX_LISTED: usize = 200;
/// Most lanes that are looked at to fill a list that is filtered.
const MAX_LOOKED_AT: usize = 2_000;

/// Which of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this class.
    pub class: Option<ErrorClass>,
    /// Met when writing to this app.
    pub to: Option<SideId>,
    /// Whose record key begins so.
    pub key_prefix: Option<String>,
    /// Somebody has (or nobody has) acknowledged it.
    pub acknowledged: Option<bool>,
    /// Assigned to this person.
    pub assigned_to: Option<String>,
}

impl Filter {
    fn passes(&self, map: &Map, key: &RecordKey, entry: &Entry) -> bool {
        let handling = entry.handling.as_deref();
        let to = entry.last_failure.as_ref().map(|step| &map.config.side(step.to).side);
        let class = entry.last_failure.as_ref().map(|step| step.failure.class);
        self.class.is_none_or(|wanted| class == Some(wanted))
            && self.to.as_ref().is_none_or(|wanted| to == Some(wanted))
            && self.key_prefix.as_ref().is_none_or(|prefix| key.as_str().starts_with(prefix))
            && self
                .acknowledged
                .is_none_or(|wanted| handling.is_some_and(|handling| handling.acknowledged.is_some()) == wanted)
            && self
                .assigned_to
                .as_ref()
                .is_none_or(|wanted| handling.and_then(|handling| handling.assigned_to.as_ref()) == Some(wanted))
    }
}

/// A parked lane.
#[derive(Clone, Debug, PartialEq)]
pub struct Parked {
    /// The record.
    pub key: RecordKey,
    /// The lane's head.
    pub head: Head,
    /// The entry that it stands at.
    pub entry: Entry,
}

/// Parked lanes of a map, the longest parked first, and where the next page begins.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    filter: &Filter,
    after: Option<OpenLane>,
    limit: usize,
) -> Result<(Vec<Parked>, Option<OpenLane>), AppError> {
    let map = maps::get(ports, id).await?;
    let range = OpenRange { after, ..OpenRange::parked() };
    let wanted = |head: &Head, entry: &Entry, key: &RecordKey| head.parked && filter.passes(&map, key, entry);
    stand_at(ports, &map, range, limit, wanted).await
}

/// Lanes of a range whose next entry is wanted, and where the next page begins.
async fn stand_at<P: AdminPorts>(
    ports: &P,
    map: &Map,
    mut range: OpenRange,
    limit: usize,
    wanted: impl Fn(&Head, &Entry, &RecordKey) -> bool,
) -> Result<(Vec<Parked>, Option<OpenLane>), AppError> {
    let limit = limit.clamp(1, MAX_LISTED);
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = ports.lanes().open(map, range.clone(), limit).await?;
        let last = page.len() < limit;
        looked_at += page.len();
        for open in page {
            // The index may lag: the head says what there is.
            let head = ports.lanes().head(&open.lane).await?.map(|(head, _)| head);
            if let Some(head) = head.filter(|head| !head.idle() && head.map == map.uid)
                && let Some(entry) = stands_at(ports, &open.lane, &head).await?
                && wanted(&head, &entry, &open.lane.key)
            {
                found.push(Parked { key: open.lane.key.clone(), head, entry });
            }
            range.after = Some(open);
            if found.len() == limit {
                return Ok((found, range.after));
            }
        }
        if last {
            return Ok((found, None));
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok((found, range.after));
        }
    }
}

/// What is sent to a side; `None`: what the other side has by then.
pub type Sends = Vec<(SideIx, Option<Image>)>;

/// What trying an entry again would send to each side, in map order.
///
/// # Errors
/// There is no such map or entry, the record cannot be mapped, or the store does not answer.
pub async fn preview<P: AdminPorts>(ports: &P, id: &MapId, target: &Target) -> Result<Sends, AppError> {
    let map = maps::get(ports, id).await?;
    let (_, entry) = entry(ports, id, target.key.clone(), target.seq).await?;
    let steps = plan(&entry, &map.config).map_err(|(_, error)| AppError::Mapping(error))?;
    let sent = steps.into_iter().map(|step| match step.action {
        Action::Put(image) => (step.to, Some(image)),
        Action::CopyFrom(_) => (step.to, None),
    });
    Ok(sent.collect())
}

/// What became of one of many.
pub type Each = (Target, Result<(), AppError>);

/// A page of all that are retried, or held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Where the page before ended.
    pub after: OpenLane,
    /// What came to wait after this time is left out. It is that of the first page: what is tried again, and refused
    /// again, waits behind everything, and would be tried for ever.
    pub until: Timestamp,
}

/// What is done to all that pass a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum All {
    /// Those that wait for an operator are tried again.
    Retry,
    /// Those that were to be tried again, and are not being written, wait for an operator as before.
    Hold,
}

/// One page of those to which something would be done, and where the next one begins.
///
/// # Errors
/// There is no such map, or the store does not answer.
pub async fn choose<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    what: All,
    filter: &Filter,
    page: Option<Page>,
) -> Result<(Vec<Target>, Option<Page>), AppError> {
    let map = maps::get(ports, id).await?;
    let until = page.as_ref().map_or_else(|| ports.now(), |page| page.until);
    let after = page.map(|page| page.after);
    let range = match what {
        All::Retry => OpenRange { after, until: PARKED_FROM.plus_ms(until.0), ..OpenRange::parked() },
        // An app may have said when it may be tried again.
        All::Hold => OpenRange { after, until: until.plus_ms(MAX_RETRY_AFTER_MS), ..OpenRange::moving() },
    };
    let wanted = |head: &Head, entry: &Entry, key: &RecordKey| {
        let retried = || entry.handling.as_ref().is_some_and(|handling| handling.retried.is_some());
        filter.passes(&map, key, entry)
            && match what {
                All::Retry => head.parked,
                All::Hold => !head.parked && head.inflight.is_none() && retried(),
            }
    };
    let (found, next) = stand_at(ports, &map, range, MAX_LISTED, wanted).await?;
    let targets = found.into_iter().map(|one| Target { key: one.key, seq: one.entry.seq }).collect();
    Ok((targets, next.map(|after| Page { after, until })))
}

/// Does it to one page of them. What was not tried yet can be held again.
///
/// # Errors
/// There is no such map, the reason is missing, or the store does not answer.
pub async fn all<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    what: All,
    filter: &Filter,
    page: Option<Page>,
    reason: &str,
) -> Result<(Vec<Each>, Option<Page>), AppError> {
    let (targets, next) = choose(ports, id, what, filter, page).await?;
    let command = match what {
        All::Retry => Command::Retry,
        All::Hold => Command::Hold,
    };
    Ok((each(ports, caller, id, targets, &command, reason).await?, next))
}

/// Does the same to many entries, one after the other; the answer is for each.
///
/// # Errors
/// There is no such map, or the reason is missing.
pub async fn each<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    targets: Vec<Target>,
    what: &Command,
    reason: &str,
) -> Result<Vec<Each>, AppError> {
    maps::get(ports, id).await?;
    super::map_commands::checked(reason)?;
    let mut done = Vec::with_capacity(targets.len());
    for target in targets {
        let result = command(ports, caller, id, &target, what, reason).await;
        done.push((target, result));
    }
    Ok(done)
}
