//! Parked entries, called catch-up errors in the API: an app refused them, and they wait for an operator.

use domain::{
    ErrorClass, Map, MapId, RecordKey, SideId, SideIx, Timestamp,
    lane::{Action, Entry, Head, PARKED_FROM, plan},
    limits::MAX_RETRY_AFTER_MS,
    record::Image,
};

use super::{
    AdminPorts, Caller,
    backlog::entry,
    entry::next_entry,
    lane::{Command, Target, command},
    map_commands::checked,
    maps,
    page::filtered_page,
};
use crate::{
    error::AppError,
    ports::{LaneKey, Lanes, OpenLane, OpenRange},
};

/// Most entries that are listed or retried at once.
pub const MAX_LISTED: usize = 200;

/// Which parked entries to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ParkedFilter {
    /// Only errors of this class.
    pub class: Option<ErrorClass>,
    /// Only errors of writes to this app.
    pub to: Option<SideId>,
    /// Only records whose key begins with this text.
    pub key_prefix: Option<String>,
    /// Only entries that were (`true`) or were not (`false`) acknowledged.
    pub acknowledged: Option<bool>,
    /// Only entries assigned to this person.
    pub assigned_to: Option<String>,
}

impl ParkedFilter {
    fn matches(&self, map: &Map, key: &RecordKey, entry: &Entry) -> bool {
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

/// An entry that is first in its lane and waits.
#[derive(Clone, Debug, PartialEq)]
pub struct ParkedEntry {
    /// The record.
    pub key: RecordKey,
    /// The lane's head.
    pub head: Head,
    /// The first entry of the lane.
    pub entry: Entry,
}

/// Lists parked lanes of a map, the longest parked first. Returns where the next page begins, if there is one.
///
/// # Errors
/// The map does not exist, or the store does not answer.
pub async fn list<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    filter: &ParkedFilter,
    after: Option<OpenLane>,
    limit: usize,
) -> Result<(Vec<ParkedEntry>, Option<OpenLane>), AppError> {
    let map = maps::get(ports, id).await?;
    let range = OpenRange { after, ..OpenRange::parked() };
    let is_wanted = |head: &Head, entry: &Entry, key: &RecordKey| head.parked && filter.matches(&map, key, entry);
    list_lanes(ports, &map, range, limit, is_wanted).await
}

/// Lists lanes of a range whose next entry is wanted. Returns where the next page begins, if there is one.
async fn list_lanes<P: AdminPorts>(
    ports: &P,
    map: &Map,
    range: OpenRange,
    limit: usize,
    is_wanted: impl Fn(&Head, &Entry, &RecordKey) -> bool + Send + Sync,
) -> Result<(Vec<ParkedEntry>, Option<OpenLane>), AppError> {
    let limit = limit.clamp(1, MAX_LISTED);
    let (range, is_wanted) = (&range, &is_wanted);
    let read = |after| async move { Ok(ports.lanes().open(map, OpenRange { after, ..range.clone() }, limit).await?) };
    let select = |open: OpenLane| async move {
        let lane = read_lane(ports, map, &open.lane).await?;
        let lane = lane.filter(|lane| is_wanted(&lane.head, &lane.entry, &lane.key));
        Ok((open, lane))
    };
    filtered_page(range.after.clone(), limit, read, select).await
}

/// Reads a lane that the index lists. The index may lag behind; the head decides whether the lane is open.
async fn read_lane<P: AdminPorts>(ports: &P, map: &Map, lane: &LaneKey) -> Result<Option<ParkedEntry>, AppError> {
    let head = ports.lanes().head(lane).await?.map(|(head, _)| head);
    let Some(head) = head.filter(|head| !head.idle() && head.map == map.uid) else { return Ok(None) };
    let entry = next_entry(ports, lane, &head).await?;
    Ok(entry.map(|entry| ParkedEntry { key: lane.key.clone(), head, entry }))
}

/// The records to send to each side. `None` stands for the record that the other side has at that time.
pub type Sends = Vec<(SideIx, Option<Image>)>;

/// Shows the records that a retry of the entry would send to each side, in map order.
///
/// # Errors
/// The map or the entry does not exist, the record cannot be mapped, or the store does not answer.
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

/// The target of a command, and the result.
pub type TargetResult = (Target, Result<(), AppError>);

/// The start of a page of a bulk action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkPage {
    /// The last lane of the page before.
    pub after: OpenLane,
    /// The time of the first page. The action leaves out entries that were parked later: an entry that is refused again
    /// is parked behind all others, so a bulk retry without this bound would never end.
    pub until: Timestamp,
}

/// An action on all entries that pass a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkAction {
    /// Retries parked entries.
    Retry,
    /// Parks retried entries again that are not being written.
    Hold,
}

/// Lists one page of the targets of a bulk action. Returns where the next page begins, if there is one.
///
/// # Errors
/// The map does not exist, or the store does not answer.
pub async fn choose_targets<P: AdminPorts>(
    ports: &P,
    id: &MapId,
    action: BulkAction,
    filter: &ParkedFilter,
    page: Option<BulkPage>,
) -> Result<(Vec<Target>, Option<BulkPage>), AppError> {
    let map = maps::get(ports, id).await?;
    let until = page.as_ref().map_or_else(|| ports.now(), |page| page.until);
    let after = page.map(|page| page.after);
    let range = match action {
        BulkAction::Retry => OpenRange { after, until: PARKED_FROM.plus_ms(until.0), ..OpenRange::parked() },
        // An app may have named the time of the next attempt, so the place in the index may lie in the future.
        BulkAction::Hold => OpenRange { after, until: until.plus_ms(MAX_RETRY_AFTER_MS), ..OpenRange::unparked() },
    };
    let is_wanted = |head: &Head, entry: &Entry, key: &RecordKey| {
        let retried = || entry.handling.as_ref().is_some_and(|handling| handling.retried.is_some());
        filter.matches(&map, key, entry)
            && match action {
                BulkAction::Retry => head.parked,
                BulkAction::Hold => !head.parked && head.inflight.is_none() && retried(),
            }
    };
    let (found, next) = list_lanes(ports, &map, range, MAX_LISTED, is_wanted).await?;
    let targets = found.into_iter().map(|one| Target { key: one.key, seq: one.entry.seq }).collect();
    Ok((targets, next.map(|after| BulkPage { after, until })))
}

/// Applies a bulk action to one page of its targets. Returns where the next page begins, if there is one.
///
/// # Errors
/// The map does not exist, the reason is missing, or the store does not answer.
pub async fn apply_to_page<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    action: BulkAction,
    filter: &ParkedFilter,
    page: Option<BulkPage>,
    reason: &str,
) -> Result<(Vec<TargetResult>, Option<BulkPage>), AppError> {
    let (targets, next) = choose_targets(ports, id, action, filter, page).await?;
    let command = match action {
        BulkAction::Retry => Command::Retry,
        BulkAction::Hold => Command::Hold,
    };
    Ok((command_each(ports, caller, id, targets, &command, reason).await?, next))
}

/// Executes one command on several entries, one after the other. Returns a result for each.
///
/// # Errors
/// The map does not exist, or the reason is missing.
pub async fn command_each<P: AdminPorts>(
    ports: &P,
    caller: &Caller,
    id: &MapId,
    targets: Vec<Target>,
    what: &Command,
    reason: &str,
) -> Result<Vec<TargetResult>, AppError> {
    maps::get(ports, id).await?;
    checked(reason)?;
    let mut done = Vec::with_capacity(targets.len());
    for target in targets {
        let result = command(ports, caller, id, &target, what, reason).await;
        done.push((target, result));
    }
    Ok(done)
}
