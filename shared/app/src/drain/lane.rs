//! Going on with one lane, strictly in order.

mod archive;

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicU64, Ordering},
};

use domain::{
    MapId, Owner, Timestamp,
    lane::{CallDurations, Claim, Entry, Head, JournalEffect, claim},
    limits::FIRST_BACKOFF_MS,
    map::Intake,
};

use self::archive::archive_next;
use super::pace::Pace;
use crate::{
    attempt::{AttemptContext, AttemptResult, execute},
    cas::{self, RetriesExhausted, RetryCause, Round},
    ports::{Commit, CommitError, Config, LaneKey, Lanes, PortError, Ports, SyncMap},
};

/// Entries read at a time. Whoever changes one of them changes the head's version too, and the next claim fails.
const READ_AHEAD: usize = 10;
/// Entries behind a deletion among which the change is sought that wins against it.
const BEHIND_A_DELETION: usize = 100;

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
pub(super) struct RunProgress {
    done: AtomicU64,
    archived: AtomicU64,
}

impl RunProgress {
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
    let run = go_on(ports, lane, until, &Pace::default(), &RunProgress::default()).await?;
    if run.end != LaneEnd::NotYet {
        return Ok(run);
    }
    // Woken for the second attempt of a write, which is due within seconds.
    let now = ports.now();
    let head = ports.lanes().head(lane).await?;
    let soon = now.plus_ms(FIRST_BACKOFF_MS).min(until);
    let Some(due) = head.and_then(|(head, _)| head.due()).filter(|due| *due <= soon) else { return Ok(run) };
    ports.sleep(due.ms_since(now)).await;
    let next = go_on(ports, lane, until, &Pace::default(), &RunProgress::default()).await?;
    Ok(LaneRun {
        attempts: run.attempts + next.attempts,
        done: run.done + next.done,
        archived: run.archived + next.archived,
        ..next
    })
}

pub(super) async fn go_on<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    until: Timestamp,
    pace: &Pace,
    tally: &RunProgress,
) -> Result<LaneRun, PortError> {
    let mut run = LaneRun { end: LaneEnd::OutOfTime, attempts: 0, done: 0, archived: 0 };
    let mut known = KnownLane::default();
    loop {
        let round = |known| async move { take_round(ports, lane, known, (pace, until)).await };
        let result = match cas::retry(ports, cas::DRAIN, known, round).await {
            Ok((result, after)) => {
                known = after;
                result
            }
            Err(LaneRunError::LaneIsBusy) => return Ok(LaneRun { end: LaneEnd::NotYet, ..run }),
            Err(LaneRunError::Port(error)) => return Err(error),
        };
        match result {
            StepResult::End(end) => return Ok(LaneRun { end, ..run }),
            StepResult::LaneChanged | StepResult::MapChanged => {}
            StepResult::Archived(entries) => {
                run.archived += entries;
                tally.archived.fetch_add(entries, Ordering::Relaxed);
            }
            StepResult::Attempted(end) => {
                run.attempts += 1;
                match end {
                    AttemptEnd::Done => {
                        run.done += 1;
                        tally.done.fetch_add(1, Ordering::Relaxed);
                    }
                    AttemptEnd::Left(end) => return Ok(LaneRun { end, ..run }),
                }
            }
        }
    }
}

/// Why a worker leaves a lane before it knows where the lane stands.
enum LaneRunError {
    /// Others kept changing the lane.
    LaneIsBusy,
    Port(PortError),
}

impl From<RetriesExhausted> for LaneRunError {
    fn from(_: RetriesExhausted) -> Self {
        Self::LaneIsBusy
    }
}

impl From<PortError> for LaneRunError {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// One step, if there is time and the map writes. A lane that somebody else changed is read again.
async fn take_round<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    mut known: KnownLane,
    (pace, until): (&Pace, Timestamp),
) -> Result<Round<KnownLane, (StepResult, KnownLane)>, LaneRunError> {
    let now = ports.now();
    if now >= until || pace.gives_up(now) {
        return Ok(Round::Done((StepResult::End(LaneEnd::OutOfTime), known)));
    }
    // Read again for every entry: a pause or a stop applies from the next entry on.
    let map = ports.config().map(&lane.map).await?.filter(|map| map.state.intake() == Intake::Write);
    let Some(map) = map else { return Ok(Round::Done((StepResult::End(LaneEnd::MapNotRunning), known))) };
    Ok(match step(ports, lane, &map, &mut known, (pace, until)).await? {
        StepResult::LaneChanged => Round::Again(RetryCause::Stale, KnownLane::default()),
        result => Round::Done((result, known)),
    })
}

/// Makes one attempt in a lane, whatever state the map is in. `None`: nothing was to be attempted.
pub(super) async fn try_once<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    map: &SyncMap,
    pace: &Pace,
) -> Result<Option<AttemptEnd>, PortError> {
    Ok(match step(ports, lane, map, &mut KnownLane::default(), (pace, Timestamp::NEVER)).await? {
        StepResult::Attempted(end) => Some(end),
        StepResult::End(_) | StepResult::LaneChanged | StepResult::MapChanged | StepResult::Archived(_) => None,
    })
}

/// How an attempt left its entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AttemptEnd {
    /// The entry came to its end.
    Done,
    /// The lane was left with the entry in it.
    Left(LaneEnd),
}

/// The lane as our own last change left it.
#[derive(Default)]
struct KnownLane {
    head: Option<Head>,
    entries: VecDeque<Entry>,
}

impl KnownLane {
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

/// What a step did.
enum StepResult {
    /// Nothing is to be done in the lane for now.
    End(LaneEnd),
    /// Somebody else changed the lane: read it again.
    LaneChanged,
    /// Somebody changed the map while the step waited for its turn to call the app.
    MapChanged,
    /// So many entries were archived.
    Archived(u64),
    Attempted(AttemptEnd),
}

async fn step<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    map: &SyncMap,
    known: &mut KnownLane,
    (pace, until): (&Pace, Timestamp),
) -> Result<StepResult, PortError> {
    if known.head.is_none() {
        known.head = ports.lanes().head(lane).await?.map(|(head, _)| head);
    }
    // A lane of an earlier map of that name has nothing to do with this one.
    let Some(head) = known.head.clone().filter(|head| head.map == map.uid) else {
        return Ok(StepResult::End(LaneEnd::Idle));
    };
    let owner = Owner(ports.fresh_id());
    let durations = CallDurations::of([&map.sides[0].config, &map.sides[1].config]);
    let look = |stored: Option<&Entry>| claim(&head, stored, &map.map, &lane.key, owner, ports.now(), durations);
    let (mut stored, mut decided): (Option<Entry>, _) = (None, Vec::new());
    let mut claimed = look(None);
    if let Claim::NeedsEntry(seq) = claimed {
        stored = known.entry(ports, lane, seq).await?.cloned();
        if let Some(deletion) =
            stored.take_if(|entry| head.inflight.is_none() && head.next_seq > seq + 1 && entry.is_untouched_deletion())
        {
            let entry = yield_to_winner(ports, lane, map, &deletion).await?;
            if entry != deletion {
                // Stored with the claim: whoever takes the entry over must not delete what was copied.
                decided.push(JournalEffect::Update(entry.clone(), None));
            }
            stored = Some(entry);
        }
        claimed = look(stored.as_ref());
    }
    match claimed {
        Claim::Idle => return Ok(StepResult::End(LaneEnd::Idle)),
        Claim::Parked => return Ok(StepResult::End(LaneEnd::Parked)),
        Claim::NotYet(_) => return Ok(StepResult::End(LaneEnd::NotYet)),
        // The entry ended after the head was read: look again, never skip it.
        Claim::NeedsEntry(_) => return Ok(StepResult::LaneChanged),
        Claim::Archive(first) => return archive_next(ports, lane, map, &head, *first, known).await,
        Claim::Park(next, effects) => {
            let commit = ports.lanes().commit(lane, Commit::of(Some(&head), *next, effects)).await;
            return result_of(commit, StepResult::End(LaneEnd::Parked));
        }
        Claim::Taken { .. } => {}
    }
    let permit = pace.permit().await;
    loop {
        let now = ports.now();
        let begins = pace.not_before().max(now);
        // The permit may come late, and the app may ask for a longer wait than there is time.
        if begins >= until || pace.gives_up(now) {
            return Ok(StepResult::End(LaneEnd::OutOfTime));
        }
        if begins == now {
            break;
        }
        ports.sleep(begins.ms_since(now)).await;
    }
    let unchanged = ports.config().map(&lane.map).await?.is_some_and(|again| again.map.version == map.version);
    if !unchanged {
        return Ok(StepResult::MapChanged);
    }
    // The lease begins now, not before the wait for the permit.
    let Claim::Taken { head: taken, entry } = look(stored.as_ref()) else { return Ok(StepResult::LaneChanged) };
    if !commit_claim(ports, lane, (&head, &taken), owner, decided).await? {
        return Ok(StepResult::LaneChanged);
    }
    let context = AttemptContext { lane, map, head: *taken, entry: *entry, owner, caller_waiting: false };
    // Boxed: the compiler lays out futures by value, and this one holds all of the apps' client.
    let AttemptResult { head, failure, .. } = Box::pin(execute(ports, context)).await;
    permit.ended(failure.as_ref(), ports.now());
    known.head = head;
    Ok(StepResult::Attempted(match (&failure, &known.head) {
        (None, Some(_)) => AttemptEnd::Done,
        (Some(_), Some(head)) if head.parked => AttemptEnd::Left(LaneEnd::Parked),
        (Some(_), Some(_)) => AttemptEnd::Left(LaneEnd::Failing),
        (_, None) => AttemptEnd::Left(LaneEnd::NotYet),
    }))
}

/// Lets a deletion lose if a change that waits behind it wins.
async fn yield_to_winner<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    map: &SyncMap,
    deletion: &Entry,
) -> Result<Entry, PortError> {
    let mut behind = ports.lanes().entries(lane, deletion.seq + 1, BEHIND_A_DELETION).await?;
    behind.retain(|entry| entry.cancelled.is_none() && map.cuts(entry).is_none());
    Ok(deletion.clone().yield_to_winner(&behind))
}

/// Stores the claim; returns `false` when somebody else changed the lane.
async fn commit_claim<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    (read, taken): (&Head, &Head),
    owner: Owner,
    effects: Vec<JournalEffect>,
) -> Result<bool, PortError> {
    match ports.lanes().commit(lane, Commit::of(Some(read), taken.clone(), effects)).await {
        Ok(()) => Ok(true),
        Err(CommitError::Stale | CommitError::Duplicate) => {
            let stored = ports.lanes().head(lane).await?;
            Ok(stored.is_some_and(|(head, _)| is_ours(&head, taken, owner)))
        }
        Err(CommitError::Port(error)) => Err(error),
    }
}

/// Whether this very claim was stored although the journal's answer was lost.
fn is_ours(stored: &Head, taken: &Head, owner: Owner) -> bool {
    stored == taken && stored.held_by(owner)
}

/// What a step did whose commit ended so.
fn result_of(commit: Result<(), CommitError>, stored: StepResult) -> Result<StepResult, PortError> {
    match commit {
        Ok(()) => Ok(stored),
        Err(CommitError::Stale | CommitError::Duplicate) => Ok(StepResult::LaneChanged),
        Err(CommitError::Port(error)) => Err(error),
    }
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
