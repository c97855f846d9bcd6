//! Entries: one write in a lane, with what has become of it so far.

use serde::{Deserialize, Serialize};

use super::{Attribution, Crossing, Outcome, Winner};
use crate::{
    failure::Failure,
    id::{EntryId, RecordKey, WriteId},
    map::{PerSide, SideIx},
    record::{ContentHash, Image},
    time::Timestamp,
};

/// One write in a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place.
    pub seq: u64,
    /// Tandem's own id of it, the same in every attempt.
    pub id: EntryId,
    /// What is to be done.
    pub work: Work,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The map's epoch, as the function that accepted it knew it.
    pub epoch: u64,
    /// It crossed a change of the other app.
    pub crossing: Option<Crossing>,
    /// It is not clear whether the report is a change or the echo of a forgotten write: what its side has by then is
    /// copied, for the image that was reported may be old.
    #[serde(rename = "unclear")]
    pub needs_resync: bool,
    /// Which sides have it.
    pub done: PerSide<bool>,
    /// Attempts begun.
    pub attempts: u32,
    /// An attempt ended without a known outcome: a refusal no longer means that nothing happened.
    #[serde(rename = "ambiguous")]
    pub outcome_unknown: bool,
    /// What the last attempt met.
    pub last_failure: Option<StepFailure>,
    /// Why it waits for an operator.
    pub parked: Option<ParkReason>,
    /// An operator cancelled it: it is archived when its turn comes.
    pub cancelled: Option<Attribution>,
    /// What it overwrites was noted as a conflict.
    pub conflict_noted: bool,
    /// What operators noted about it. Boxed: most entries have nothing.
    pub handling: Option<Box<Handling>>,
}

/// What operators noted about an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handling {
    /// Who has seen it.
    pub acknowledged: Option<Attribution>,
    /// Who takes care of it.
    pub assigned_to: Option<String>,
    /// Notes, oldest first.
    pub notes: Vec<Attribution>,
    /// Who had it tried again last.
    pub retried: Option<Attribution>,
}

/// What an entry does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A caller's change.
    Write(Write),
    /// One side gets what the other has by then.
    Restore {
        /// Where the content is read.
        from: SideIx,
        /// Where it is written.
        to: SideIx,
        /// Why.
        cause: RestoreCause,
    },
    /// Unknown: what is stored cannot be read.
    Unreadable(Unreadable),
}

/// A stored item that cannot be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unreadable {
    /// What is stored: JSON, or where not even that can be had, its attributes in Base64.
    pub raw: String,
    /// Why it cannot be read. It repeats no value.
    pub why: String,
}

/// Why a side is restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestoreCause {
    /// The caller was told 503 and rolls back, but its write may have reached the other app.
    CallerRollsBack,
    /// A write that had crossed another was refused: its origin rolls back to an image that is no longer the last.
    CrossedWriteRefused,
    /// A report was taken for the echo of a write that then was refused: it was a change after all.
    EchoOfRefused,
    /// An operator brought an archived entry back.
    Recovered,
    /// An operator gave a change up: its app gets what the other one has.
    Reverted,
}

/// A caller's change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// The caller's id.
    pub id: WriteId,
    /// Fingerprint of the request: the same id with another body is refused.
    pub body: ContentHash,
    /// The side that has the change already. `None`: neither has it.
    pub origin: Option<SideIx>,
    /// Whose field names the image uses.
    pub shape: SideIx,
    /// Whether the caller can still roll back.
    pub mode: Mode,
    /// The new image.
    pub image: Image,
}

/// Whether the caller can still roll back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// It holds its own transaction open, and rolls back when refused.
    #[default]
    Sync,
    /// Its change stands already.
    Committed,
    /// A sync run has read it as a row. No caller waits for it, and it can be read again.
    Copied,
}

/// What a failed attempt met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepFailure {
    /// The side that was called (for a mapping failure: was to be called).
    pub to: SideIx,
    /// When.
    pub at: Timestamp,
    /// What it answered.
    pub failure: Failure,
}

/// Why an entry waits for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParkReason {
    /// The target refused it.
    Refused,
    /// The first target has it, the second refused it.
    HalfWritten,
    /// An operator holds it back.
    Held,
    /// Its app failed again and again on this record, and took others meanwhile.
    KeepsFailing,
    /// Its apps report the record to and fro without new content.
    Bounces,
    /// What is stored of it cannot be read.
    Unreadable,
}

impl Entry {
    /// A new entry.
    #[must_use]
    pub fn new(seq: u64, id: EntryId, work: Work, now: Timestamp) -> Self {
        Self {
            seq,
            id,
            work,
            accepted_at: now,
            epoch: 0,
            crossing: None,
            needs_resync: false,
            done: PerSide::default(),
            attempts: 0,
            outcome_unknown: false,
            last_failure: None,
            parked: None,
            cancelled: None,
            conflict_noted: false,
            handling: None,
        }
    }

    /// The caller's change, if it is one.
    #[must_use]
    pub fn write(&self) -> Option<&Write> {
        match &self.work {
            Work::Write(write) => Some(write),
            Work::Restore { .. } | Work::Unreadable(_) => None,
        }
    }

    /// Whether its caller can still roll back. Tandem's own work stands already.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match &self.work {
            Work::Write(write) => write.mode,
            Work::Restore { .. } | Work::Unreadable(_) => Mode::Committed,
        }
    }

    /// Whether this was noted with it.
    #[must_use]
    pub fn bears(&self, stamp: &Attribution) -> bool {
        let in_handling = |handling: &Handling| {
            handling.acknowledged.as_ref() == Some(stamp)
                || handling.retried.as_ref() == Some(stamp)
                || handling.notes.contains(stamp)
        };
        self.cancelled.as_ref() == Some(stamp) || self.handling.as_deref().is_some_and(in_handling)
    }

    /// All its calls are made after the caller has its answer.
    #[must_use]
    pub fn waits_for_answer(&self) -> bool {
        self.needs_resync || self.crossing.is_some_and(|crossing| crossing.winner == Winner::TheOther)
    }

    /// The side that gets a copy of what the other has by then; `None`: the entry has an image of its own.
    #[must_use]
    pub fn copied_to(&self) -> Option<SideIx> {
        match &self.work {
            Work::Restore { to, .. } => Some(*to),
            Work::Write(write) if self.needs_resync => write.origin.map(SideIx::other),
            Work::Write(write) => write.origin.filter(|_| self.waits_for_answer()),
            Work::Unreadable(_) => None,
        }
    }

    /// What goes along as `Idempotency-Key`: the entry's id. A copy of which one call had no known outcome waits until that call
    /// cannot land any more, and each later attempt is another request: the app may get another record than before.
    #[must_use]
    pub fn idempotency_key(&self) -> EntryId {
        // Spreads the time over 64 bits: entries that were made, or failed, at one time get keys of their own.
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        match &self.last_failure {
            Some(last) if self.outcome_unknown && self.copied_to().is_some() => {
                EntryId(self.id.0 ^ u128::from(last.at.0.wrapping_mul(SPREAD)))
            }
            _ => self.id,
        }
    }

    /// The marker that makes this entry findable by the caller's id.
    #[must_use]
    pub fn marker(&self, key: &RecordKey, state: MarkerState) -> Option<Marker> {
        let write = self.write()?;
        Some(Marker { id: write.id, body: write.body, key: key.clone(), seq: self.seq, entry: self.id, state })
    }
}

/// What is known of a write by its id, once it was queued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Marker {
    /// The caller's id.
    pub id: WriteId,
    /// Fingerprint of the request.
    pub body: ContentHash,
    /// The record.
    pub key: RecordKey,
    /// Its place in the lane.
    pub seq: u64,
    /// Tandem's own id of it.
    pub entry: EntryId,
    /// What has become of it.
    pub state: MarkerState,
}

/// What has become of a queued write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarkerState {
    /// It is in the journal.
    Open,
    /// The caller was told that it is written; what is left is to write it back to its origin.
    WrittenBackLater,
    /// It came to its end.
    Final {
        /// Which end.
        outcome: Outcome,
        /// When.
        at: Timestamp,
    },
}
