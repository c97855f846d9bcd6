//! Lanes: the ordered sequence of writes of one record of one map.
//!
//! **Invariant: order is made here and nowhere else.** A lane's head changes only by compare-and-set on its `version`;
//! whoever moves `next_seq` has taken a place in the order, whoever moves `done_seq` has finished the entry before it.
//! Messages, clocks, indexes and caches may be late, lost or doubled without any harm to it.
//!
//! The steps of a write: [`admit`] (what becomes of an arriving write) → `lease` (who may call the apps) →
//! [`plan`] (which calls) → [`settle`] (what the outcome makes of the lane).

mod admit;
mod announce;
mod answer;
mod archive;
mod conflict;
mod copied;
mod entry;
mod guard;
mod head;
mod lease;
mod missing;
mod operate;
mod plan;
mod policy;
mod ring;
mod settle;
#[cfg(test)]
mod tests;
mod unsent;
mod version;

pub use self::guard::repeats_own_write;
pub use self::{
    admit::{Admission, AdmitContext, Arrival, Rejection, admit},
    announce::announce_copy,
    answer::{Answer, Crossing, Outcome, SkipReason, Winner},
    archive::{
        ArchiveCause, Archived, Archiving, Attribution, NotNow, append, archive, call_life_ms, newest, recovery,
    },
    conflict::{Conflict, note_conflict},
    copied::{CopiedRow, CopyDecision, CopyTerms, HeadVersion, Look, apply_copied_row},
    entry::{
        Entry, Handling, Marker, MarkerState, Mode, ParkReason, RestoreCause, StepFailure, Unreadable, Work, Write,
    },
    head::{ActiveEntry, Head, OpenTransaction, PARKED_FROM, SideMemory, Written},
    lease::{CallDurations, Claim, claim, lease_ms, may_call, requeue_abandoned},
    missing::{KnownPast, MissingRecord, apply_deletion},
    operate::{LaneCommand, NotPossible, operate},
    plan::{Action, Step, content, plan},
    ring::{Echo, Echoes, Final, ForgottenIds, Recent},
    settle::{Attempt, JournalEffect, SettleContext, Settlement, settle},
    version::LaneVersion,
};
