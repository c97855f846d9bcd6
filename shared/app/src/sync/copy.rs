//! Copies one record from one side to the other, through its lane.

use domain::{
    EntryId, Failure, Owner, RecordKey, Timestamp, WriteId,
    failure::{CallEffect, backoff_ms},
    lane::{
        AdmitContext, Answer, CallDurations, CopiedRow, CopyDecision, CopyTerms, Entry, Head, Look, MissingRecord,
        Outcome, apply_copied_row, apply_deletion,
    },
    limits::{LOOK_AGAIN_MS, REPORTS_WITHIN_MS},
    map::{PerSide, SideIx},
    mapping::FieldWinners,
    sync::RowEnd,
};

use crate::{
    attempt::{AttemptContext, AttemptResult, execute, mapping_failure},
    ports::{Commit, CommitError, LaneKey, Lanes, PortError, Ports, SyncMap},
};

/// What became of a record.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum RecordEnd {
    /// It came to this end.
    Ended(RowEnd),
    /// It was refused, or cannot be mapped.
    Failed(Failure),
    /// It is looked at again.
    Later(Later),
    /// The worker's time is up: it was not looked at.
    PutOff,
    /// The app does not take anything now.
    SideTrouble(SideIx, Failure),
    /// The map does not write (any more).
    MapNotWriting,
}

/// What was read, and is to be written to the other app.
pub(super) enum Read {
    /// A row.
    Row(CopiedRow),
    /// That there is none: the other app's record is to be deleted.
    Missing(MissingRecord),
}

/// When a record is looked at again, and what is known of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Later {
    /// Not before this time.
    pub(super) due: Timestamp,
    /// What was found on both sides.
    pub(super) seen: Option<Look>,
    /// What failed.
    pub(super) failure: Option<Failure>,
}

/// A record that is to be copied.
pub(super) struct RecordCopy<'a> {
    pub(super) map: &'a SyncMap,
    pub(super) winners: &'a FieldWinners,
    pub(super) key: &'a RecordKey,
    /// The run's id of it.
    pub(super) id: WriteId,
    /// Looks so far: the next one waits the longer.
    pub(super) looks: u32,
    /// What it is called when it is written.
    pub(super) end: RowEnd,
    /// What was found before it is written.
    pub(super) seen: Option<Look>,
}

impl RecordCopy<'_> {
    fn lane(&self) -> LaneKey {
        LaneKey { map: self.map.map.id.clone(), key: self.key.clone() }
    }

    /// Decides about what was read by the lane as it was before it was read. `Err`: what becomes of the record without a write.
    pub(super) fn decide<P: Ports>(
        &self,
        ports: &P,
        head: Option<&Head>,
        read: Read,
        owner: Owner,
    ) -> Result<(Head, Entry), RecordEnd> {
        let sides = [&self.map.sides[0].config, &self.map.sides[1].config];
        let lease_ms = CallDurations::of(sides).lease_ms;
        let (now, seen) = (ports.now(), self.seen);
        let context = AdmitContext { map: &self.map.map, sides: PerSide(sides), now, owner, lease_ms };
        let terms = CopyTerms {
            write: self.id,
            entry: EntryId(ports.fresh_id()),
            reports_within_ms: REPORTS_WITHIN_MS,
            winners: self.winners,
        };
        let decided = match read {
            Read::Row(row) => apply_copied_row(head, row, terms, context),
            Read::Missing(missing) => apply_deletion(head, missing, terms, context),
        };
        Err(match decided {
            Ok(CopyDecision::Write { head, entry }) => return Ok((*head, *entry)),
            Ok(CopyDecision::Equal) => RecordEnd::Ended(RowEnd::Equal),
            Ok(CopyDecision::LookAgain { not_before }) => {
                RecordEnd::Later(Later { due: not_before, seen, failure: None })
            }
            Ok(CopyDecision::LeftToLane) if head.is_some_and(|head| head.parked) => RecordEnd::Ended(RowEnd::Held),
            Ok(CopyDecision::LeftToLane) => self.look_again(ports),
            Err(error) => RecordEnd::Failed(mapping_failure(&error)),
        })
    }

    /// Writes a record that was decided to be written.
    ///
    /// # Errors
    /// The journal does not answer.
    pub(super) async fn write<P: Ports>(
        &self,
        ports: &P,
        read: Option<&Head>,
        (head, entry): (Head, Entry),
        owner: Owner,
    ) -> Result<(RecordEnd, Option<Failure>), PortError> {
        let lane = self.lane();
        if let Claimed::Lost(found) = claim(ports, &lane, read, &head, owner).await? {
            let known = found.filter(|found| found.map == self.map.map.uid);
            let end = match known.and_then(|found| found.recent.get(self.id).map(|last| last.outcome.clone())) {
                Some(Outcome::Written { .. }) => RecordEnd::Ended(self.end),
                Some(Outcome::Refused { class, code, message, .. }) => {
                    RecordEnd::Failed(Failure::new(class, CallEffect::Refused, code, &message))
                }
                Some(Outcome::Archived { .. }) | None => self.look_again(ports),
            };
            return Ok((end, None));
        }
        let from = entry.write().and_then(|write| write.origin).unwrap_or(SideIx::First);
        let context = AttemptContext { lane: &lane, map: self.map, head, entry, owner, caller_waiting: false };
        let AttemptResult { answer, failure, .. } = Box::pin(execute(ports, context)).await;
        let end = match (answer, failure.clone()) {
            (Some(Answer::Written { .. }), None) => RecordEnd::Ended(self.end),
            (_, None) => self.look_again(ports),
            (_, Some(failure)) if failure.effect == CallEffect::Refused => RecordEnd::Failed(failure),
            (_, Some(failure)) if failure.effect == CallEffect::NotApplied && failure.is_side_wide() => {
                RecordEnd::SideTrouble(from.other(), failure)
            }
            // If the outcome is unknown, the lane goes on with it: what comes of it is seen when it is looked at again.
            (_, Some(failure)) => {
                let due = ports.now().plus_ms(backoff_ms(self.looks + 1, failure.retry_after_ms));
                RecordEnd::Later(Later { due, seen: self.seen, failure: Some(failure) })
            }
        };
        Ok((end, failure))
    }

    /// Somebody else has changed the lane, or is about to: the record is read again.
    pub(super) fn look_again<P: Ports>(&self, ports: &P) -> RecordEnd {
        let due = ports.now().plus_ms(LOOK_AGAIN_MS.max(backoff_ms(self.looks + 1, None)));
        RecordEnd::Later(Later { due, seen: self.seen, failure: None })
    }
}

/// Whether a lane was claimed.
enum Claimed {
    Ours,
    /// Somebody else has changed it, to this.
    Lost(Option<Box<Head>>),
}

/// Stores the claim of a lane.
async fn claim<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    read: Option<&Head>,
    taken: &Head,
    owner: Owner,
) -> Result<Claimed, PortError> {
    match ports.lanes().commit(lane, Commit::of(read, taken.clone(), Vec::new())).await {
        Ok(()) => Ok(Claimed::Ours),
        // The SDK repeats a conditional write whose answer was lost, and the repeat fails on the success of the first.
        Err(CommitError::Stale | CommitError::Duplicate | CommitError::Port(PortError::Transient(_))) => {
            let stored = ports.lanes().head(lane).await?.map(|(head, _)| head);
            let ours = stored.as_ref().is_some_and(|head| head == taken && head.held_by(owner));
            Ok(if ours { Claimed::Ours } else { Claimed::Lost(stored.map(Box::new)) })
        }
        Err(CommitError::Port(error)) => Err(error),
    }
}
