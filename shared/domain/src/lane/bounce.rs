//! A record that two apps report to and fro: each stores a value in its own form, and reports that as a change.

use super::{Entry, Head, JournalEffect, ParkReason, StepFailure};
use crate::{
    Failure,
    failure::{CallEffect, ErrorClass},
    id::{LogId, RecordKey},
    log::{ErrorDisposition, ErrorEvent, LogEvent, Order},
    map::Map,
    time::Timestamp,
};

/// The code of the error.
const CODE: &str = "bounces";

impl Entry {
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
        let failure = Failure::new(ErrorClass::Conflict, CallEffect::Refused, Some(CODE.to_owned()), &message);
        self.parked = Some(ParkReason::Bounces);
        self.last_failure = Some(StepFailure { to: origin.other(), at: now, failure });
    }
}

/// Parks the lane at an entry whose record goes to and fro, and logs why. `None`: it is another entry.
pub(super) fn park(
    head: &Head,
    entry: &Entry,
    map: &Map,
    key: &RecordKey,
    now: Timestamp,
) -> Option<(Head, Vec<JournalEffect>)> {
    let step = entry.last_failure.as_ref().filter(|_| entry.parked == Some(ParkReason::Bounces))?;
    let side = |ix| map.config.side(ix).side.clone();
    let write = entry.write()?;
    let event = ErrorEvent {
        id: LogId::of(now, Order::Change(head.version + 1), &[b"bounce", &entry.id.0.to_be_bytes()]),
        at: now,
        happened_at: None,
        map: map.id.clone(),
        uid: head.map,
        epoch: map.epoch,
        from: write.origin.map(side),
        to: side(step.to),
        key: Some(key.clone()),
        entry: Some(entry.id),
        seq: Some(entry.seq),
        write: Some(write.id.to_string()),
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
