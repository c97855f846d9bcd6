//! Who may execute the next entry of a lane.

use super::{ActiveEntry, Entry, Head, JournalEffect, MarkerState, admit::writing};
use crate::{
    id::{Owner, RecordKey},
    limits::LEASE_MARGIN_MS,
    map::{Map, MapState, SideIx},
    side::{Capability, SideConfig},
    time::Timestamp,
};

/// What a worker finds when it wants the next entry of a lane.
#[derive(Clone, Debug, PartialEq)]
pub enum Claim {
    /// Nothing waits.
    Idle,
    /// The next entry waits for an operator.
    Parked,
    /// Another attempt holds the lane, or the next attempt is not due, until this time.
    NotYet(Timestamp),
    /// The entry at this place must be read from the journal first.
    NeedsEntry(u64),
    /// The next entry is not to be written, but archived.
    Archive(Box<Entry>),
    /// Store the head, then execute the entry.
    Taken {
        /// The head with the entry in flight.
        head: Box<Head>,
        /// The entry, its attempt counted.
        entry: Box<Entry>,
    },
}

/// Claims the entry `done_seq + 1`, whatever woke the worker: a message is only a wake-up. `stored` is that entry from
/// the journal, if it was read.
#[must_use]
pub fn claim(head: &Head, stored: Option<&Entry>, map: &Map, owner: Owner, now: Timestamp, lease_ms: u64) -> Claim {
    if head.idle() {
        return Claim::Idle;
    }
    let cutting = map.state == MapState::CatchingUp && map.cut.is_some();
    if head.parked && !cutting {
        return Claim::Parked;
    }
    let seq = head.done_seq + 1;
    let mut direct = None;
    let mut taken_over = false;
    match &head.inflight {
        Some(inflight) if inflight.lease_end > now => return Claim::NotYet(inflight.lease_end),
        Some(inflight) => {
            direct.clone_from(&inflight.direct);
            taken_over = inflight.owner.is_some();
        }
        None if head.not_before > now && !cutting => return Claim::NotYet(head.not_before),
        None => {}
    }
    let found = direct.as_deref().or(stored).filter(|entry| entry.seq == seq);
    let Some(mut entry) = found.cloned() else { return Claim::NeedsEntry(seq) };
    if entry.cancelled.is_some() || map.cuts(&entry).is_some() {
        return Claim::Archive(Box::new(entry));
    }
    if head.parked {
        return Claim::Parked;
    }
    if head.inflight.is_none() && head.not_before > now {
        return Claim::NotYet(head.not_before);
    }
    entry.attempts += 1;
    // Whoever held the lease may have called the app, and that call may still land.
    entry.outcome_unknown |= taken_over;
    let mut head = head.clone();
    head.version += 1;
    forget_holder(&mut head, seq);
    head.inflight = Some(ActiveEntry {
        seq,
        entry: entry.id,
        owner: Some(owner),
        lease_end: now.plus_ms(lease_ms),
        writing: writing(&entry, map),
        direct: direct.is_some().then(|| Box::new(entry.clone())),
    });
    Claim::Taken { head: Box::new(head), entry: Box::new(entry) }
}

/// Puts a direct write whose lease has ended into the journal, to wait there: on a map that does not write nobody takes
/// it over, and its caller must be told that it is kept. `None`: there is none.
#[must_use]
pub fn requeue_abandoned(head: &Head, key: &RecordKey, now: Timestamp) -> Option<(Head, Entry, Vec<JournalEffect>)> {
    let lost = head.inflight.as_ref().filter(|inflight| inflight.lease_end <= now)?;
    let mut entry = (**lost.direct.as_ref()?).clone();
    entry.outcome_unknown = true;
    let mut head = Head { version: head.version + 1, not_before: now, ..head.clone() };
    forget_holder(&mut head, entry.seq);
    let marker = entry.marker(key, MarkerState::Open);
    let effects = vec![JournalEffect::Append(entry.clone(), marker)];
    Some((head, entry, effects))
}

/// Takes the lane from a holder whose lease has ended. What it may have written is noted.
fn forget_holder(head: &mut Head, seq: u64) {
    let Some(lost) = head.inflight.take().filter(|lost| lost.owner.is_some()) else { return };
    for side in SideIx::BOTH {
        if let Some(content) = lost.writing[side] {
            head.sides[side].note_written(seq, content);
        }
    }
}

/// Whether a call to `side` that begins now is over, and cannot land any more, before the lease ends.
#[must_use]
pub fn may_call(lease_end: Timestamp, now: Timestamp, side: &SideConfig) -> bool {
    let landing = if side.capability == Capability::Plain { side.call_life_ms } else { longest_call_ms(side) };
    now.plus_ms(landing) <= lease_end
}

/// The longest that one call may keep us waiting: a versioned side may be read, written, and both again.
fn longest_call_ms(side: &SideConfig) -> u64 {
    side.request_timeout_ms * side.requests_per_write()
}

/// How long the calls of one entry may take at most, in milliseconds. For a `plain` side this includes the time after
/// which a call can still land: until then nobody else may write the record there.
#[must_use]
pub fn lease_ms(sides: [&SideConfig; 2]) -> u64 {
    let calls = sides.iter().map(|side| {
        let landing = if side.capability == Capability::Plain { side.call_life_ms } else { 0 };
        longest_call_ms(side) + side.request_timeout_ms + landing // a restore reads one side and writes the other
    });
    calls.sum::<u64>() + LEASE_MARGIN_MS
}
