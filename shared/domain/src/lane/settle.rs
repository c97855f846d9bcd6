//! What the outcome of an attempt makes of the lane.

use super::{
    ActiveEntry, Answer, Archived, Conflict, Entry, Final, Head, Marker, MarkerState, Mode, Outcome, ParkReason,
    RestoreCause, StepFailure, Work,
    policy::{FailedEntry, Policy, choose_policy, fails_alone},
};
use crate::{
    failure::{CallEffect, backoff_ms},
    id::{EntryId, LogId, Owner, RecordKey},
    log::{ErrorDisposition, ErrorEvent, LogEvent, Order, Resolved, truncate},
    map::{Map, OnUnavailable, PerSide, SideIx},
    record::{ContentHash, Image, Record},
    redact::redacted,
    side::{Capability, SideConfig},
    time::Timestamp,
};

/// What an attempt did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attempt {
    /// Sides that have it now, with what was written (`None`: they had it already) and its `ETag`.
    pub done: Vec<(SideIx, Option<ContentHash>, Option<String>)>,
    /// Sides whose call found what it was to write, as when an earlier one had arrived: it changed nothing.
    pub found: PerSide<bool>,
    /// What stopped it.
    pub failure: Option<StepFailure>,
    /// What the call that failed would have written: if its outcome is unknown, the app may report it.
    pub tried: Option<(SideIx, ContentHash)>,
    /// Nothing failed, but the write-back to the caller's own app is deferred until the caller has its answer.
    pub write_back_deferred: bool,
}

/// The lane after an attempt, the journal's part of it, and what the caller is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settlement {
    /// The head as it shall be.
    pub head: Head,
    /// What changes in the journal with it.
    pub effects: Vec<JournalEffect>,
    /// What the caller is told.
    pub answer: Answer,
}

/// What changes in the journal.
#[derive(Clone, Debug, PartialEq)]
pub enum JournalEffect {
    /// This entry is new in the journal.
    Append(Entry, Option<Marker>),
    /// This entry was there and has changed.
    Update(Entry, Option<Marker>),
    /// The entry at this place leaves the journal.
    Finish(u64, Option<Marker>),
    /// This entry leaves the journal for the archive. It need not be in the journal as an item of its own.
    Archive(Box<Archived>, Option<Marker>),
    /// What this entry was before it was changed goes to the archive.
    Keep(Box<Archived>),
    /// Two changes crossed; both values are kept.
    Conflict(Box<Conflict>),
    /// This is logged.
    Log(LogEvent),
}

/// What settling needs to know besides the lane and the attempt.
#[derive(Clone, Copy, Debug)]
pub struct SettleContext<'a> {
    /// The map, as the attempt knew it.
    pub map: &'a Map,
    /// The record.
    pub key: &'a RecordKey,
    /// The two sides, in map order.
    pub sides: [&'a SideConfig; 2],
    /// What a caller is told when the other app cannot be reached.
    pub on_unavailable: OnUnavailable,
    /// Sides that reported an echo of this very entry.
    pub echoed: &'a [SideIx],
    /// The id of an entry that may have to be appended.
    pub spare: EntryId,
    /// When each side is known to have taken a record last, this one or another.
    pub last_taken: PerSide<Option<Timestamp>>,
    /// The time now.
    pub now: Timestamp,
}

/// Settles an attempt; `None` when its lease was lost: whoever took the lane over settles it.
#[must_use]
pub fn settle(
    head: &Head,
    mut entry: Entry,
    owner: Owner,
    attempt: &Attempt,
    context: SettleContext<'_>,
) -> Option<Settlement> {
    let inflight = head.inflight.as_ref().filter(|_| head.held_by(owner))?;
    debug_assert_eq!((inflight.seq, head.done_seq + 1), (entry.seq, entry.seq), "only the next entry is in flight");
    let direct = inflight.direct.is_some();
    let mut head = head.clone();
    head.version += 1;
    head.inflight = None;
    for (side, content, etag) in &attempt.done {
        entry.done[*side] = true;
        let memory = &mut head.sides[*side];
        if let Some(content) = content {
            memory.note_written(entry.seq, *content);
        }
        memory.etag.clone_from(etag);
        memory.retried = may_have_landed_twice(&entry, context.sides[side.at()].capability, attempt.found[*side]);
    }
    entry.last_failure.clone_from(&attempt.failure);
    let mut settling = Settling { head, entry, direct, context, effects: Vec::new() };
    let answer = match &attempt.failure {
        None if attempt.write_back_deferred => settling.write_back_later(),
        None => settling.finish(),
        Some(step) => settling.fail(step, attempt.tried),
    };
    if let Some(step) = &attempt.failure {
        let event = settling.error(step, &answer);
        settling.head.note_error(event.id, event.class);
        settling.effects.push(JournalEffect::Log(LogEvent::Error(Box::new(event))));
    }
    Some(Settlement { head: settling.head, effects: settling.effects, answer })
}

/// Whether a call of the entry may have landed on top of a change that the side made after an earlier call of it. A `versioned` side
/// tells more of it: a call that certainly had no effect, or that found what it was to write, lands on top of nothing.
fn may_have_landed_twice(entry: &Entry, capability: Capability, found: bool) -> bool {
    let earlier = entry.attempts.saturating_sub(1).max(entry.outcome_unknown.into());
    match capability {
        Capability::Versioned if !entry.outcome_unknown => false,
        Capability::Versioned => earlier + u32::from(!found) > 1,
        Capability::Plain | Capability::Idempotent => earlier > 0,
    }
}

struct Settling<'a> {
    head: Head,
    entry: Entry,
    /// The entry is not in the journal as an item of its own.
    direct: bool,
    context: SettleContext<'a>,
    effects: Vec<JournalEffect>,
}

impl Settling<'_> {
    fn finish(&mut self) -> Answer {
        let outcome = Outcome::Written { crossing: self.entry.crossing };
        self.close(Some(outcome));
        let context = self.context;
        let over = self.head.resolve(&context.map.id, context.key, Resolved::Written, context.now);
        self.effects.extend(over.map(JournalEffect::Log));
        self.written(false)
    }

    fn write_back_later(&mut self) -> Answer {
        self.head.not_before = self.context.now;
        self.keep(MarkerState::WrittenBackLater);
        self.written(true)
    }

    /// Settles a failed call by the policy for it.
    fn fail(&mut self, step: &StepFailure, tried: Option<(SideIx, ContentHash)>) -> Answer {
        let write = self.entry.write();
        let unknown = step.failure.effect == CallEffect::Unknown;
        let plain = self.context.sides[step.to.at()].capability == Capability::Plain;
        let last_taken = self.context.last_taken[step.to];
        let failed = FailedEntry {
            // A lane that is kept closed until a late call has landed cannot wait for an operator.
            fails_alone: !(plain && unknown)
                && fails_alone(&step.failure, self.entry.attempts, &self.head.unresolved, last_taken),
            mode: self.entry.mode(),
            first_call: self.direct && self.entry.attempts == 1 && !self.entry.outcome_unknown,
            half_written: self.entry.done != PerSide([false, false]),
            has_origin: write.is_some_and(|write| write.origin.is_some()),
        };
        let policy = choose_policy(step.failure.effect, failed, self.context.on_unavailable);
        if unknown {
            self.note_unknown_outcome(step, tried);
        }
        match policy {
            Policy::Reject => self.reject(step),
            Policy::Park => self.park(step),
            Policy::ReturnUnavailable => {
                if unknown {
                    self.restore_target(step.to);
                } else {
                    self.close(None);
                }
                Answer::Unavailable { failure: step.clone(), outcome_unknown: unknown }
            }
            Policy::Retry => {
                if !unknown {
                    self.try_again_after(step);
                }
                self.keep(MarkerState::Open);
                self.queued()
            }
        }
    }

    /// Ends a refused write. Its caller rolls back.
    fn reject(&mut self, step: &StepFailure) -> Answer {
        let outcome = Outcome::refused(step);
        let answer = Answer::replay(&outcome, self.head.version_of(self.entry.seq), Some(self.entry.id));
        self.close(Some(outcome));
        // The caller rolls back to an image that is not the last: it gets what the other side has.
        if self.entry.crossing.is_some() {
            self.restore_origin(RestoreCause::CrossedWriteRefused);
        } else if self.context.echoed.contains(&step.to) {
            self.restore_origin(RestoreCause::EchoOfRefused);
        }
        answer
    }

    /// Notes that the call may have had its effect, or may have it later.
    fn note_unknown_outcome(&mut self, step: &StepFailure, tried: Option<(SideIx, ContentHash)>) {
        self.entry.outcome_unknown = true;
        if let Some((to, content)) = tried {
            self.head.sides[to].note_written(self.entry.seq, content);
        }
        self.try_again_after(step);
        let side = self.context.sides[step.to.at()];
        if side.capability == Capability::Plain {
            // The call may still land: nobody may write this record there until it cannot any more.
            let landed = self.context.now.plus_ms(side.call_life_ms);
            self.head.inflight = Some(ActiveEntry {
                seq: self.entry.seq,
                entry: self.entry.id,
                owner: None,
                lease_end: landed.max(self.head.not_before),
                writing: PerSide::default(),
                direct: None,
            });
        }
    }

    /// Makes the entry one that restores the target from its origin, which rolls back.
    fn restore_target(&mut self, to: SideIx) {
        if let Some(origin) = self.entry.write().and_then(|write| write.origin) {
            self.entry.work = Work::Restore { from: origin, to, cause: RestoreCause::CallerRollsBack };
        }
        self.keep(MarkerState::Open);
    }

    fn park(&mut self, step: &StepFailure) -> Answer {
        let half_written = self.entry.done != PerSide([false, false]);
        self.entry.parked = Some(match step.failure.effect {
            _ if half_written => ParkReason::HalfWritten,
            CallEffect::Refused => ParkReason::Refused,
            CallEffect::NotApplied | CallEffect::Unknown => ParkReason::KeepsFailing,
        });
        self.head.parked = true;
        self.head.not_before = self.context.now;
        self.keep(MarkerState::Open);
        let (entry, version) = (self.entry.id, self.head.version_of(self.entry.seq));
        Answer::Parked { entry, version, half_written, failure: self.entry.last_failure.clone() }
    }

    fn try_again_after(&mut self, step: &StepFailure) {
        self.head.not_before = self.context.now.plus_ms(backoff_ms(self.entry.attempts, step.failure.retry_after_ms));
    }

    /// The entry stays in the lane.
    fn keep(&mut self, state: MarkerState) {
        let marker = self.entry.marker(self.context.key, state);
        let entry = self.entry.clone();
        self.effects.push(if self.direct {
            JournalEffect::Append(entry, marker)
        } else {
            JournalEffect::Update(entry, marker)
        });
    }

    /// The entry is at its end. Without an outcome its id is not remembered: a repeat is a new write.
    fn close(&mut self, outcome: Option<Outcome>) {
        self.head.done_seq = self.entry.seq;
        self.head.not_before = self.context.now;
        let write = self.entry.write().cloned();
        if let (Some(write), Some(outcome)) = (&write, outcome.clone()) {
            let (id, seq) = (write.id.value(), self.entry.seq);
            self.head.recent.note(Final { id, origin: write.origin, body: write.body, seq, outcome });
        }
        if !self.direct {
            let state = outcome.map(|outcome| MarkerState::Final { outcome, at: self.context.now });
            let marker = state.and_then(|state| self.entry.marker(self.context.key, state));
            self.effects.push(JournalEffect::Finish(self.entry.seq, marker));
        }
    }

    fn restore_origin(&mut self, cause: RestoreCause) {
        let Some(origin) = self.entry.write().and_then(|write| write.origin) else { return };
        let seq = self.head.next_seq;
        self.head.next_seq += 1;
        let work = Work::Restore { from: origin.other(), to: origin, cause };
        let side = &mut self.head.sides[origin];
        (side.last_write_seq, side.last_write_at) = (seq, self.context.now);
        let epoch = self.entry.epoch;
        let entry = Entry { epoch, ..Entry::new(seq, self.context.spare, work, self.context.now) };
        self.effects.push(JournalEffect::Append(entry, None));
    }

    /// The attempt's line in the error log.
    fn error(&self, step: &StepFailure, answer: &Answer) -> ErrorEvent {
        let (map, entry) = (self.context.map, &self.entry);
        let side = |ix: SideIx| map.config.side(ix).side.clone();
        let failure = &step.failure;
        ErrorEvent {
            id: LogId::of(
                step.at,
                Order::Change(entry.attempts.into()),
                &[b"attempt", &entry.id.0.to_be_bytes(), &entry.attempts.to_be_bytes()],
            ),
            at: step.at,
            happened_at: None,
            map: map.id.clone(),
            uid: self.head.map,
            epoch: map.epoch,
            from: entry.write().and_then(|write| write.origin).map(side),
            to: side(step.to),
            key: Some(self.context.key.clone()),
            entry: Some(entry.id),
            seq: Some(entry.seq),
            write: entry.write().map(|write| write.id.to_string()),
            attempt: entry.attempts,
            class: failure.class,
            code: failure.code.clone(),
            message: failure.message.clone(),
            fate: match answer {
                _ if entry.mode() == Mode::Copied => ErrorDisposition::Copied,
                Answer::Parked { .. } => ErrorDisposition::Parked,
                Answer::Refused { .. } | Answer::Unavailable { .. } => ErrorDisposition::Refused,
                _ => ErrorDisposition::Retried,
            },
            payload: payload(map, entry),
        }
    }

    fn written(&self, write_back_pending: bool) -> Answer {
        let (entry, version) = (Some(self.entry.id), self.head.version_of(self.entry.seq));
        Answer::Written { entry, version, crossing: self.entry.crossing, write_back_pending }
    }

    fn queued(&self) -> Answer {
        Answer::queued(&self.head, &self.entry, self.entry.last_failure.clone())
    }
}

/// What was to be written, as people may see it, cut to size. Of the first attempt alone: the others say the same.
fn payload(map: &Map, entry: &Entry) -> Option<Record> {
    let write = entry.write().filter(|_| entry.attempts <= 1)?;
    let Image::Present(record) = &write.image else { return None };
    Some(truncate(redacted(&map.config, write.shape, record)))
}
