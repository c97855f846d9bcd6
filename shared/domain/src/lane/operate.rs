//! What an operator does to the entries of one lane.

use super::{
    ArchiveCause, Archived, Attribution, Entry, Handling, Head, JournalEffect, NotNow, ParkReason, archive::may_leave,
};
use crate::{
    id::{EntryId, RecordKey},
    map::PerSide,
    record::Image,
    time::Timestamp,
};

/// What an operator does to one entry. (Taking entries out of the lane is [`super::archive`].)
#[derive(Clone, Debug, PartialEq)]
pub enum LaneCommand {
    /// Try the next entry again, now.
    Retry,
    /// Change the next entry, then try it again. Both apps get the new image, for the entry's own app has another one;
    /// when later changes wait behind it, only the app that refused it.
    Edit {
        /// The new image, in the entry's own shape.
        image: Image,
        /// A fresh id for the entry: an app that has seen the old one as `Idempotency-Key` would refuse, or ignore,
        /// another record under it.
        id: EntryId,
        /// A fresh id for what it was before.
        kept: EntryId,
        /// How long a call under the old id may still take effect, in milliseconds: see [`super::call_life_ms`].
        call_life_ms: u64,
    },
    /// Do not try the next entry until somebody says so.
    Hold,
    /// Do not write an entry when its turn comes.
    Cancel,
    /// Write it after all.
    Restore,
    /// Somebody has seen it.
    Acknowledge,
    /// Somebody takes care of it; `None`: nobody.
    Assign(Option<String>),
    /// Remember this.
    Note,
}

/// Why it cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPossible {
    /// The entry is being executed, or a call of it may still land, until this time.
    InFlight(Timestamp),
    /// The entry is not the next of its lane.
    NotNext,
    /// The entry is not waiting for an operator.
    NotParked,
    /// The entry is no caller's write: it copies a record as it is, there is nothing to edit.
    NotAWrite,
    /// The entry is (or is not) cancelled already.
    Already,
}

impl From<NotNow> for NotPossible {
    fn from(why: NotNow) -> Self {
        match why {
            NotNow::InFlight(until) | NotNow::MayLand(until) => Self::InFlight(until),
            NotNow::Changed => Self::NotNext,
        }
    }
}

/// Most notes that an entry keeps: an item has an end.
const MAX_NOTES: usize = 50;

/// Does it. The head is to be stored with the effects.
///
/// # Errors
/// The entry's state does not allow it.
pub fn operate(
    head: &Head,
    key: &RecordKey,
    entry: &Entry,
    command: LaneCommand,
    by: Attribution,
) -> Result<(Head, Vec<JournalEffect>), NotPossible> {
    let next = entry.seq == head.done_seq + 1;
    let mut head = Head { version: head.version + 1, ..head.clone() };
    // Kept closed by nobody, until a call cannot land any more: on a paused map nobody comes to open it.
    if next && head.inflight.as_ref().is_some_and(|inflight| inflight.owner.is_none() && inflight.lease_end <= by.at) {
        head.inflight = None;
    }
    if next && let Some(inflight) = &head.inflight {
        return Err(NotPossible::InFlight(inflight.lease_end));
    }
    let mut entry = entry.clone();
    let mut effects = Vec::new();
    match command {
        LaneCommand::Retry => again(&mut head, &mut entry, next, &by)?,
        LaneCommand::Edit { image, id, kept, call_life_ms } => {
            // A call under the old id would land on top of what the new one writes.
            may_leave(&head, &entry, call_life_ms, by.at)?;
            let before = entry.clone();
            again(&mut head, &mut entry, next, &by)?;
            edit(&mut head, &mut entry, image, by.at)?;
            entry.id = id;
            let (key, version) = (key.clone(), head.version_of(entry.seq));
            let cause = ArchiveCause::Edited;
            effects.push(JournalEffect::Keep(Box::new(Archived {
                id: kept,
                key,
                entry: before,
                version,
                cause,
                by,
                recovered: None,
            })));
        }
        LaneCommand::Hold if !next => return Err(NotPossible::NotNext),
        LaneCommand::Hold if head.parked => return Err(NotPossible::Already),
        LaneCommand::Hold => {
            head.parked = true;
            head.not_before = by.at;
            entry.parked = Some(ParkReason::Held);
            note(handling(&mut entry), by);
        }
        LaneCommand::Cancel if entry.cancelled.is_some() => return Err(NotPossible::Already),
        LaneCommand::Cancel => entry.cancelled = Some(by),
        LaneCommand::Restore => {
            entry.cancelled.take().ok_or(NotPossible::Already)?;
            note(handling(&mut entry), by);
        }
        LaneCommand::Acknowledge => handling(&mut entry).acknowledged = Some(by),
        LaneCommand::Assign(to) => {
            let handling = handling(&mut entry);
            handling.assigned_to = to;
            note(handling, by);
        }
        LaneCommand::Note => note(handling(&mut entry), by),
    }
    effects.push(JournalEffect::Update(entry, None));
    Ok((head, effects))
}

fn again(head: &mut Head, entry: &mut Entry, next: bool, by: &Attribution) -> Result<(), NotPossible> {
    if !next {
        return Err(NotPossible::NotNext);
    }
    if !head.parked && entry.attempts == 0 {
        return Err(NotPossible::NotParked); // it was not even tried: there is nothing to try again
    }
    head.parked = false;
    head.not_before = by.at;
    entry.parked = None;
    handling(entry).retried = Some(by.clone());
    Ok(())
}

fn edit(head: &mut Head, entry: &mut Entry, image: Image, now: Timestamp) -> Result<(), NotPossible> {
    let super::Work::Write(write) = &mut entry.work else { return Err(NotPossible::NotAWrite) };
    write.image = image;
    write.mode = super::Mode::Committed;
    if head.next_seq > entry.seq + 1 {
        // Later changes wait behind it. Its own app is past it, and would lose them for a moment.
        return Ok(());
    }
    write.origin = None;
    (entry.crossing, entry.needs_resync, entry.done) = (None, false, PerSide::default());
    for side in &mut head.sides.0 {
        (side.last_write_seq, side.last_write_at) = (entry.seq, now);
    }
    Ok(())
}

fn handling(entry: &mut Entry) -> &mut Handling {
    entry.handling.get_or_insert_default()
}

fn note(handling: &mut Handling, by: Attribution) {
    handling.notes.push(by);
    if handling.notes.len() > MAX_NOTES {
        handling.notes.remove(0);
    }
}
