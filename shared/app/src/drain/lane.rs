//! Going on with one lane, strictly in order.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use domain::{
    EntryId, MapId, Owner, Timestamp,
    lane::{ArchiveCause, Archiving, Attribution, Claim, Entry, Head, NotNow, archive, claim, lease_ms},
    map::Intake,
};

use super::pace::Pace;
use crate::{
    attempt::{AttemptContext, execute},
    ports::{
        ARCHIVED_AT_ONCE, Commit, CommitError, Config, LaneKey, Lanes, PortError, Ports, SyncMap, archived_at_once,
    },
};

/// How often in a row a lane is looked at anew because somebody else changed it.
const MAX_CONFLICTS: u32 = 10;
/// Entries read at a time. Whoever changes one of them changes the head's version too, and the next claim fails.
const READ_AHEAD: usize = 10;

/// Where a lane was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaneEnd {
    /// Nothing waits in it any more.
    Idle,
    /// Its next entry waits for an operator.
    Parked,
    /// Another attempt holds it, or the next one is not due yet.
    NotYet,
    /// An attempt failed; the lane waits for the next one.
    Failing,
    /// The map does not write at the moment.
    MapNotRunning,
    /// The time was up, or the app was given up for now.
    OutOfTime,
}

/// What was done in a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaneRun {
    /// Where it was left.
    pub end: LaneEnd,
    /// Entries that were attempted.
    pub attempts: u64,
    /// Entries that came to their end.
    pub done: u64,
    /// Entries that were archived.
    pub archived: u64,
}

/// Entries that came to their end so far, whether or not their lanes are through.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: AtomicU64,
    archived: AtomicU64,
}

impl Tally {
    /// Those that were written, and those that were archived.
    pub(super) fn so_far(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.archived.load(Ordering::Relaxed))
    }
}

/// Goes on with one lane until nothing waits or `until` is reached.
///
/// # Errors
/// The journal or the configuration cannot be reached. Nothing is lost: the sweep comes back to the lane.
pub async fn run_lane<P: Ports>(ports: &P, lane: &LaneKey, until: Timestamp) -> Result<LaneRun, PortError> {
    go_on(ports, lane, until, &Pace::default(), &Tally::default()).await
}

pub(super) async fn go_on<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    until: Timestamp,
    pace: &Pace,
    tally: &Tally,
) -> Result<LaneRun, PortError> {
    let mut run = LaneRun { end: LaneEnd::OutOfTime, attempts: 0, done: 0, archived: 0 };
    let mut known = Known::default();
    let mut conflicts = 0;
    while ports.now() < until && !pace.gives_up(ports.now()) {
        // Read anew for every entry: a pause or stop holds from the next entry on.
        let map = ports.config().map(&lane.map).await?.filter(|map| map.state.intake() == Intake::Write);
        let Some(map) = map else { return Ok(LaneRun { end: LaneEnd::MapNotRunning, ..run }) };
        match step(ports, lane, &map, &mut known, (pace, until)).await? {
            Stepped::End(end) => return Ok(LaneRun { end, ..run }),
            Stepped::Conflict if conflicts >= MAX_CONFLICTS => return Ok(LaneRun { end: LaneEnd::NotYet, ..run }),
            Stepped::Conflict => {
                known = Known::default();
                conflicts += 1;
                ports.sleep(10 << conflicts.min(5)).await;
            }
            Stepped::MapChanged => {}
            Stepped::Archived(entries) => {
                run.archived += entries;
                tally.archived.fetch_add(entries, Ordering::Relaxed);
            }
            Stepped::Attempted(end) => {
                run.attempts += 1;
                conflicts = 0; // it got somewhere: writers who queue behind are no reason to stop
                match end {
                    None => {
                        run.done += 1;
                        tally.done.fetch_add(1, Ordering::Relaxed);
                    }
                    Some(end) => return Ok(LaneRun { end, ..run }),
                }
            }
        }
    }
    Ok(run)
}

/// Makes one attempt in a lane, whatever state the map is in. `None`: nothing was to be attempted; `Some(None)`: the
/// entry came to its end.
pub(super) async fn try_once<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    map: &SyncMap,
    pace: &Pace,
) -> Result<Option<Option<LaneEnd>>, PortError> {
    Ok(match step(ports, lane, map, &mut Known::default(), (pace, Timestamp::NEVER)).await? {
        Stepped::Attempted(end) => Some(end),
        Stepped::End(_) | Stepped::Conflict | Stepped::MapChanged | Stepped::Archived(_) => None,
    })
}

/// What is known of the lane from its last change, which was our own.
#[derive(Default)]
struct Known {
    head: Option<Head>,
    entries: VecDeque<Entry>,
}

impl Known {
    /// The entry at this place, read with those behind it.
    async fn entry<P: Ports>(&mut self, ports: &P, lane: &LaneKey, seq: u64) -> Result<Option<&Entry>, PortError> {
        while self.entries.front().is_some_and(|entry| entry.seq < seq) {
            self.entries.pop_front();
        }
        if self.entries.front().is_none_or(|entry| entry.seq != seq) {
            self.entries = ports.lanes().entries(lane, seq, READ_AHEAD).await?.into();
        }
        Ok(self.entries.front().filter(|entry| entry.seq == seq))
    }
}

enum Stepped {
    End(LaneEnd),
    Conflict,
    /// The map was changed while a place was waited for.
    MapChanged,
    Archived(u64),
    /// `None`: it came to its end.
    Attempted(Option<LaneEnd>),
}

async fn step<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    map: &SyncMap,
    known: &mut Known,
    (pace, until): (&Pace, Timestamp),
) -> Result<Stepped, PortError> {
    if known.head.is_none() {
        known.head = ports.lanes().head(lane).await?.map(|(head, _)| head);
    }
    // A lane of an earlier map of that name has nothing to do with this one.
    let Some(head) = known.head.clone().filter(|head| head.map == map.uid) else {
        return Ok(Stepped::End(LaneEnd::Idle));
    };
    let owner = Owner(ports.fresh_id());
    let lease = lease_ms([&map.sides[0].config, &map.sides[1].config]);
    let look = |stored: Option<&Entry>| claim(&head, stored, &map.map, owner, ports.now(), lease);
    let mut stored = None;
    let mut claimed = look(None);
    if let Claim::NeedsEntry(seq) = claimed {
        stored = known.entry(ports, lane, seq).await?;
        claimed = look(stored);
    }
    match claimed {
        Claim::Idle => return Ok(Stepped::End(LaneEnd::Idle)),
        Claim::Parked => return Ok(Stepped::End(LaneEnd::Parked)),
        Claim::NotYet(_) => return Ok(Stepped::End(LaneEnd::NotYet)),
        Claim::NeedsEntry(_) => return Ok(Stepped::Conflict), // finished since the head was read: look again, never skip
        Claim::Archive(first) => return put_away(ports, lane, map, &head, *first, known).await,
        Claim::Taken { .. } => {}
    }
    let permit = pace.permit().await;
    loop {
        let now = ports.now();
        let begins = pace.not_before().max(now);
        // A place may come late, and an app may want to be left alone for longer than there is time.
        if begins >= until || pace.gives_up(now) {
            return Ok(Stepped::End(LaneEnd::OutOfTime));
        }
        if begins == now {
            break;
        }
        ports.sleep(begins.ms_since(now)).await;
    }
    let unchanged = ports.config().map(&lane.map).await?.is_some_and(|again| again.map.version == map.version);
    if !unchanged {
        return Ok(Stepped::MapChanged);
    }
    // The lease begins now, not before the wait for a place.
    let Claim::Taken { head: taken, entry } = look(stored) else { return Ok(Stepped::Conflict) };
    if !take(ports, lane, &head, &taken, owner).await? {
        return Ok(Stepped::Conflict);
    }
    let flight = AttemptContext { lane, map, head: *taken, entry: *entry, owner, caller_waiting: false };
    // Boxed: the compiler lays out futures by value, and this one holds all of the apps' client.
    let ended = Box::pin(execute(ports, flight)).await;
    permit.ended(ended.failure.as_ref(), ports.now());
    let parked = ended.head.as_ref().is_some_and(|head| head.parked);
    known.head = ended.head;
    Ok(Stepped::Attempted(match (&ended.failure, &known.head) {
        (None, Some(_)) => None,
        (Some(_), Some(_)) if parked => Some(LaneEnd::Parked),
        (Some(_), Some(_)) => Some(LaneEnd::Failing),
        (_, None) => Some(LaneEnd::NotYet),
    }))
}

/// Stores the claim; `false` when somebody else changed the lane.
async fn take<P: Ports>(ports: &P, lane: &LaneKey, read: &Head, taken: &Head, owner: Owner) -> Result<bool, PortError> {
    match ports.lanes().commit(lane, Commit::of(Some(read), taken.clone(), Vec::new())).await {
        Ok(()) => Ok(true),
        Err(CommitError::Stale | CommitError::Duplicate) => {
            // Perhaps this very commit was stored and its answer lost; then the lease is ours after all.
            let again = ports.lanes().head(lane).await?;
            Ok(again.is_some_and(|(head, _)| head == *taken && head.held_by(owner)))
        }
        Err(CommitError::Port(error)) => Err(error),
    }
}

/// Archives the next entries as far as they were cancelled, or the map's cut covers them.
async fn put_away<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    map: &SyncMap,
    head: &Head,
    first: Entry,
    known: &mut Known,
) -> Result<Stepped, PortError> {
    let decided = |entry: &Entry| decision(map, entry, ports.now());
    let Some((cause, by)) = decided(&first) else { return Ok(Stepped::Conflict) };
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
        Err(NotNow::InFlight(_) | NotNow::MayLand(_)) => return Ok(Stepped::End(LaneEnd::NotYet)),
        Err(NotNow::Changed) => return Ok(Stepped::Conflict),
    };
    match ports.lanes().commit(lane, Commit::of(Some(head), next.clone(), effects)).await {
        Ok(()) => {
            known.head = Some(next);
            Ok(Stepped::Archived(entries.len() as u64))
        }
        Err(CommitError::Stale | CommitError::Duplicate) => Ok(Stepped::Conflict),
        Err(CommitError::Port(error)) => Err(error),
    }
}

/// Who decided that an entry is not written, and why.
fn decision(map: &SyncMap, entry: &Entry, now: Timestamp) -> Option<(ArchiveCause, Attribution)> {
    if let Some(by) = &entry.cancelled {
        return Some((ArchiveCause::Cancelled, by.clone()));
    }
    let cut = map.cuts(entry)?;
    Some((cut.cause, Attribution { actor: cut.actor.clone(), at: now, reason: cut.reason.clone() }))
}

/// The lane that a wake-up call names.
///
/// # Errors
/// Says what is wrong with the names.
pub fn named_lane(map: &str, key: &str) -> Result<LaneKey, String> {
    let map: MapId = map.parse().map_err(|says| format!("map {says}"))?;
    let key = key.parse().map_err(|says| format!("key {says}"))?;
    Ok(LaneKey { map, key })
}
