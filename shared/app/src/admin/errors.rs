//! Catch-up errors: entries that were refused and wait for an operator, and those that were skipped to go live.

use domain::{
    ErrorClass, MapId, RecordKey,
    lane::{Action, Entry, Head, plan},
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
    /// Whose record key begins so.
    pub key_prefix: Option<String>,
    /// Somebody has (or nobody has) acknowledged it.
    pub acknowledged: Option<bool>,
    /// Assigned to this person.
    pub assigned_to: Option<String>,
}

impl Filter {
    fn passes(&self, key: &RecordKey, entry: &Entry) -> bool {
        let handling = entry.handling.as_deref();
        let class = entry.last_failure.as_ref().map(|step| step.failure.class);
        self.class.is_none_or(|wanted| class == Some(wanted))
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
    let limit = limit.clamp(1, MAX_LISTED);
    let mut range = OpenRange { after, ..OpenRange::parked() };
    let (mut found, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = ports.lanes().open(&map, range.clone(), limit).await?;
        let last = page.len() < limit;
        looked_at += page.len();
        for open in page {
            // The index may lag: the head says whether it is parked.
            let head = ports.lanes().head(&open.lane).await?.map(|(head, _)| head);
            let Some(head) = head.filter(|head| head.parked && head.map == map.uid) else { continue };
            if let Some(entry) = stands_at(ports, &open.lane, &head).await?
                && filter.passes(&open.lane.key, &entry)
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

/// What trying an entry again would send to each side, in map order; `None`: what the other side has by then.
///
/// # Errors
/// There is no such map or entry, the record cannot be mapped, or the store does not answer.
pub async fn preview<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    target: &Target,
) -> Result<Vec<(domain::SideIx, Option<Image>)>, AppError> {
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

/// Tries parked entries again: one page of those that pass the filter. What was not tried yet can be held again.
///
/// # Errors
/// There is no such map, the reason is missing, or the store does not answer.
pub async fn retry_all<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    filter: &Filter,
    after: Option<OpenLane>,
    reason: &str,
) -> Result<(Vec<Each>, Option<OpenLane>), AppError> {
    let (parked, next) = list(ports, id, filter, after, MAX_LISTED).await?;
    let targets = parked.into_iter().map(|parked| Target { key: parked.key, seq: parked.entry.seq }).collect();
    Ok((each(ports, caller, id, targets, &Command::Retry, reason).await?, next))
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
    super::switch::checked(reason)?;
    let mut done = Vec::with_capacity(targets.len());
    for target in targets {
        let result = command(ports, caller, id, &target, what, reason).await;
        done.push((target, result));
    }
    Ok(done)
}
