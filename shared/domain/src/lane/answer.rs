//! What a caller is told.

use serde::{Deserialize, Serialize};

use super::{ArchiveCause, Entry, Head, LaneVersion, StepFailure};
use crate::{
    failure::{ErrorClass, shorten},
    id::EntryId,
    limits::MAX_RECENT_MESSAGE_CHARS,
    map::SideIx,
};

/// Two changes that crossed, and who won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossing {
    /// How it was resolved.
    pub winner: Winner,
}

/// Who won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Winner {
    /// This write: it is written to the other app and back to its own.
    ThisWrite,
    /// The other change: this write's own app gets it.
    TheOther,
}

/// How a write ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The target has it.
    Written {
        /// It crossed another change.
        crossing: Option<Crossing>,
    },
    /// Refused for good; nothing was changed.
    Refused {
        /// The side that refused.
        to: SideIx,
        /// The error's class.
        class: ErrorClass,
        /// The app's own code.
        code: Option<String>,
        /// The app's own words, shortened.
        message: String,
    },
    /// Taken out of the lane by an operator's decision; the archive has it.
    Archived {
        /// Which decision.
        cause: ArchiveCause,
    },
}

impl Outcome {
    /// The end of a write that was refused.
    #[must_use]
    pub fn refused(step: &StepFailure) -> Self {
        Self::Refused {
            to: step.to,
            class: step.failure.class,
            code: step.failure.code.clone(),
            message: shorten(&step.failure.message, MAX_RECENT_MESSAGE_CHARS),
        }
    }
}

/// Why a write was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// It reports what Tandem itself wrote to that app.
    Echo,
    /// It is not clear whether it is an echo; a copy of the record as it is already waits to be made, and carries it.
    Covered,
    /// The caller has sent a newer version of the record already.
    Superseded,
    /// The map does not run.
    Stopped,
    /// The side's filter keeps this record out of the map.
    Filtered,
}

/// What a caller is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// 200: the target has it.
    Written {
        /// The entry.
        entry: Option<EntryId>,
        /// Its version.
        version: LaneVersion,
        /// It crossed another change.
        crossing: Option<Crossing>,
        /// It is still to be written back to its origin.
        write_back_pending: bool,
    },
    /// 200: nothing was to be done.
    Skipped(SkipReason),
    /// 202: kept, and written as soon as its turn comes.
    Queued {
        /// The entry.
        entry: EntryId,
        /// Its version.
        version: LaneVersion,
        /// How many entries of the record are before it.
        ahead: u64,
        /// It crossed another change.
        crossing: Option<Crossing>,
        /// What the last attempt met.
        failure: Option<StepFailure>,
    },
    /// 202: kept, and it waits for an operator.
    Parked {
        /// The entry.
        entry: EntryId,
        /// Its version.
        version: LaneVersion,
        /// One of two targets has it already.
        half_written: bool,
        /// What the target said.
        failure: Option<StepFailure>,
    },
    /// 200: an operator decided that it is not written.
    Archived {
        /// Its version.
        version: LaneVersion,
        /// Which decision.
        cause: ArchiveCause,
    },
    /// 422: refused for good; nothing was changed.
    Refused {
        /// The side that refused.
        to: SideIx,
        /// The error's class.
        class: ErrorClass,
        /// The app's own code.
        code: Option<String>,
        /// The app's own words.
        message: String,
    },
    /// 503: not kept. Only maps with `on_unavailable: fail`.
    Unavailable {
        /// What the target answered.
        failure: StepFailure,
        /// It may have reached the target; Tandem restores the target from the caller's side then.
        outcome_unknown: bool,
    },
}

impl Answer {
    /// The answer for an entry that waits in its lane.
    #[must_use]
    pub fn queued(head: &Head, entry: &Entry, failure: Option<StepFailure>) -> Self {
        Self::Queued {
            entry: entry.id,
            version: head.version_of(entry.seq),
            ahead: entry.seq.saturating_sub(head.done_seq + 1),
            crossing: entry.crossing,
            failure,
        }
    }

    /// The answer to a repeated request whose end is known.
    #[must_use]
    pub fn replay(outcome: &Outcome, version: LaneVersion, entry: Option<EntryId>) -> Self {
        match outcome.clone() {
            Outcome::Written { crossing } => Self::Written { entry, version, crossing, write_back_pending: false },
            Outcome::Refused { to, class, code, message } => Self::Refused { to, class, code, message },
            Outcome::Archived { cause } => Self::Archived { version, cause },
        }
    }
}
