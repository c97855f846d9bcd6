//! Entries that are parked when their turn comes, without an attempt: their record goes to and fro between two apps that each
//! store a value in their own form and report that as a change, or they cannot be read.

use super::{Entry, Head, JournalEffect, ParkReason, StepFailure, Unreadable, Work};
use crate::{
    Failure, Timestamp,
    failure::{CallEffect, ErrorClass},
    id::{EntryId, LogId, RecordKey},
    log::{ErrorDisposition, ErrorEvent, LogEvent, Order},
    map::{Map, SideIx},
    record::ContentHash,
};

/// The code of the error of a record that goes to and fro.
const BOUNCES: &str = "bounces";
/// The code of the error of an entry that cannot be read.
const UNREADABLE: &str = "unreadable";

impl Entry {
    /// Stands for a stored entry that cannot be read. It keeps what is stored, so that it can be archived; the rest is unknown.
    #[must_use]
    pub fn unreadable(seq: u64, damaged: Unreadable) -> Self {
        // The same for every reader.
        let id = EntryId(u128::from(ContentHash::of_text(&damaged.raw).0));
        let mut entry = Self::new(seq, id, Work::Unreadable(damaged), Timestamp(0));
        entry.parked = Some(ParkReason::Unreadable);
        entry
    }

    /// Notes that the record goes to and fro. When its turn comes, the entry waits for an operator instead of being executed.
    pub(super) fn note_bounce(&mut self, map: &Map, now: Timestamp) {
        let Some(origin) = self.write().and_then(|write| write.origin) else { return };
        let name = |ix| &map.config.side(ix).side;
        let (one, other) = (name(origin), name(origin.other()));
        let message = format!(
            "{one} and {other} report this record to and fro without new content: each stores a value in a form of its own. \
             Compare the record in both apps, and give the field that differs a rule in the map (`compare`: blank_is_null, trim, \
             ignore_case, decimals, seconds); then retry"
        );
        let failure = Failure::new(ErrorClass::Conflict, CallEffect::Refused, Some(BOUNCES.to_owned()), &message);
        self.parked = Some(ParkReason::Bounces);
        self.last_failure = Some(StepFailure { to: origin.other(), at: now, failure });
    }

    /// Why the entry is not attempted, if it is not.
    fn reason_not_to_send(&self, now: Timestamp) -> Option<StepFailure> {
        match &self.work {
            Work::Unreadable(Unreadable { why, .. }) => {
                let message = format!(
                    "the stored entry cannot be read ({why}), so nothing of it is written. Skip it: the archive keeps what is \
                     stored. Then compare the record in both apps, and save it again in the one that is right"
                );
                let failure =
                    Failure::new(ErrorClass::Mapping, CallEffect::Refused, Some(UNREADABLE.to_owned()), &message);
                Some(StepFailure { to: SideIx::First, at: now, failure })
            }
            _ => self.last_failure.clone().filter(|_| self.parked == Some(ParkReason::Bounces)),
        }
    }
}

/// Parks a lane at an entry that is not to be attempted, and logs why: the entry says so, or the lane's head had to be
/// rebuilt. `None`: the entry may be attempted.
pub(super) fn park(
    head: &Head,
    entry: &Entry,
    map: &Map,
    key: &RecordKey,
    now: Timestamp,
) -> Option<(Head, Vec<JournalEffect>)> {
    let step = entry.reason_not_to_send(now).or_else(|| lost_memory(head, now))?;
    let side = |ix| map.config.side(ix).side.clone();
    let write = entry.write();
    let event = ErrorEvent {
        id: LogId::of(now, Order::Change(head.version + 1), &[b"unsent", &entry.id.0.to_be_bytes()]),
        at: now,
        happened_at: None,
        map: map.id.clone(),
        uid: head.map,
        epoch: map.epoch,
        from: write.and_then(|write| write.origin).map(side),
        to: side(step.to),
        key: Some(key.clone()),
        entry: Some(entry.id),
        seq: Some(entry.seq),
        write: write.map(|write| write.id.to_string()),
        attempt: 0,
        class: step.failure.class,
        code: step.failure.code.clone(),
        message: step.failure.message.clone(),
        fate: ErrorDisposition::Parked,
        payload: None,
    };
    let mut head = Head { version: head.version + 1, parked: true, not_before: now, ..head.clone() };
    head.note_error(event.id, event.class);
    Some((head, vec![JournalEffect::Log(LogEvent::Error(Box::new(event)))]))
}

/// Why nothing of a lane is attempted whose head could not be read.
fn lost_memory(head: &Head, now: Timestamp) -> Option<StepFailure> {
    let why = &head.unreadable.as_ref()?.why;
    let message = format!(
        "what is stored of the record's earlier writes cannot be read ({why}), so an older change might overwrite a newer one. \
         Compare the record in both apps; then retry the change that waits, or skip it"
    );
    let failure = Failure::new(ErrorClass::Mapping, CallEffect::Refused, Some(UNREADABLE.to_owned()), &message);
    Some(StepFailure { to: SideIx::First, at: now, failure })
}
