//! Entries that leave a lane without being written: an operator cancelled them, or the map's cut covers them.

use domain::{
    EntryId, Timestamp,
    lane::{ArchiveCause, Archiving, Attribution, Entry, Head, NotNow, archive},
};

use super::{KnownLane, LaneEnd, StepResult, result_of};
use crate::ports::{ARCHIVED_AT_ONCE, Commit, LaneKey, Lanes, PortError, Ports, SyncMap, archived_at_once};

/// Archives the next entries as far as they were cancelled, or the map's cut covers them.
pub(super) async fn archive_next<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    map: &SyncMap,
    head: &Head,
    first: Entry,
    known: &mut KnownLane,
) -> Result<StepResult, PortError> {
    let decided = |entry: &Entry| decision(map, entry, ports.now());
    let Some((cause, by)) = decided(&first) else { return Ok(StepResult::LaneChanged) };
    let direct = head.inflight.as_ref().is_some_and(|inflight| inflight.direct.is_some());
    let mut entries = vec![first];
    if !direct {
        let stored = ports.lanes().entries(lane, head.done_seq + 1, ARCHIVED_AT_ONCE).await?;
        let alike = |entry: &Entry| decided(entry).is_some_and(|(other, why)| other == cause && why.actor == by.actor);
        entries = archived_at_once(stored.into_iter().take_while(alike).collect());
    }
    let ids: Vec<_> = entries.iter().map(|_| EntryId(ports.fresh_id())).collect();
    let (sides, now) = ([&map.sides[0].config, &map.sides[1].config], ports.now());
    let what = Archiving { map: &lane.map, key: &lane.key, entries: &entries, cause, by: &by, ids: &ids, sides, now };
    let (next, effects) = match archive(head, &what) {
        Ok(archived) => archived,
        Err(NotNow::InFlight(_) | NotNow::MayLand(_)) => return Ok(StepResult::End(LaneEnd::NotYet)),
        Err(NotNow::Changed) => return Ok(StepResult::LaneChanged),
    };
    let commit = ports.lanes().commit(lane, Commit::of(Some(head), next.clone(), effects)).await;
    known.head = Some(next); // forgotten if it was not stored: the lane is read again then
    result_of(commit, StepResult::Archived(entries.len() as u64))
}

/// Who decided that an entry is not written, and why.
fn decision(map: &SyncMap, entry: &Entry, now: Timestamp) -> Option<(ArchiveCause, Attribution)> {
    if let Some(by) = &entry.cancelled {
        return Some((ArchiveCause::Cancelled, by.clone()));
    }
    let cut = map.cuts(entry)?;
    Some((cut.cause, Attribution { actor: cut.actor.clone(), at: now, reason: cut.reason.clone() }))
}
