//! Rows that were read from pages of the apps, to be copied from one to the other: initial sync, and repairs.
//!
//! **Invariant: a row that was read never overwrites a change that the lane has accepted, or will accept.** Three things stand
//! against it:
//!
//! - The row travels: before it is applied, live writes, deletions, parks and the page of another run may come. So it is
//!   applied only to the lane as it was *before* the row was read.
//! - A `sync` caller commits after its answer: a page read in between shows the older record, though the lane had accepted the
//!   newer one long before. So a row decides nothing before the longest transaction of its apps is over.
//! - A user's report is on its way. Both apps have white, a user of the other app makes it red, and white is copied on top of
//!   that. Then the report comes, "red, before white": it seems to be made on what was copied, and the echo of the copy, which
//!   comes after it, seems to be a change back to white. So a difference is only suspected until the other app has shown the
//!   same for as long as its reports may take, and no report has come.
//!
//! **A merged record.** Where each side wins some fields ([`FieldWinners`]), a record that differs is written to both sides, as two
//! rows, one from each. Each brings the fields that its side wins, and leaves the others as the target has them. So the two may come
//! in any order, or one of them alone; the second is applied to the lane as the first has left it, like any row.

use serde::{Deserialize, Serialize};

use super::{
    AdmitContext, Entry, Head, Mode, Work, Write,
    admit::execute_directly,
    plan::{content, copied_image_for},
};
use crate::{
    id::{EntryId, WriteId},
    limits::LOOK_AGAIN_MS,
    map::{MapConfig, SideIx},
    mapping::{FieldWinners, MappingError},
    record::{ContentHash, Image, Record},
    time::Timestamp,
};

/// Tells whether a lane has changed between two looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadVersion {
    generation: u64,
    version: u64,
}

impl HeadVersion {
    /// Of the head as it is stored. `None`: the record has no lane yet.
    #[must_use]
    pub fn of(head: Option<&Head>) -> Self {
        head.map_or_else(Self::default, |head| Self { generation: head.generation, version: head.version })
    }
}

/// A row that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct CopiedRow {
    /// The app whose page it was on.
    pub from: SideIx,
    /// The record. There is none for a record that was not on the page: absence alone deletes nothing (`missing.rs`).
    pub record: Record,
    /// What the other app has of it.
    pub there: Image,
    /// The lane as it was before any of this was asked for.
    pub lane: HeadVersion,
    /// When the first of it was asked for: an app shows what it had then, or has had since.
    pub asked_at: Timestamp,
    /// Since when the other app is known to have that, and the lane is known to be as it was. At the first look: when the last
    /// of it had been answered, for a change that was made after the question may be in the answer.
    pub unchanged_since: Timestamp,
}

/// What a look at a row has found, to be compared with the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The lane as it was before.
    pub lane: HeadVersion,
    /// What the other app had.
    pub there: ContentHash,
    /// See [`CopiedRow::unchanged_since`].
    pub unchanged_since: Timestamp,
}

impl CopiedRow {
    /// What this look has found.
    #[must_use]
    pub fn look(&self, map: &MapConfig) -> Look {
        let there = content(map, self.from.other(), &self.there);
        Look { lane: self.lane, there, unchanged_since: self.unchanged_since }
    }

    /// This look at a row, after an earlier one: what neither the lane nor the other app has changed since is confirmed.
    #[must_use]
    pub fn after(self, earlier: &Look, map: &MapConfig) -> Self {
        let found = self.look(map);
        let unchanged = found.lane == earlier.lane && found.there == earlier.there;
        let unchanged_since = if unchanged { earlier.unchanged_since } else { self.unchanged_since };
        Self { unchanged_since, ..self }
    }
}

/// With what a row is copied.
#[derive(Clone, Copy, Debug)]
pub struct CopyTerms<'a> {
    /// A fresh id in the place of a caller's.
    pub write: WriteId,
    /// A fresh id of the entry.
    pub entry: EntryId,
    /// How long after its commit the other app may report a change at the latest, in milliseconds.
    pub reports_within_ms: u64,
    /// Whose values are taken, field by field, if the other app has the record.
    pub winners: &'a FieldWinners,
}

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum CopyDecision {
    /// Store the head, then call the other app, as for any write that goes direct.
    Write {
        /// The head with the entry in flight.
        head: Box<Head>,
        /// The entry. The run is its caller, and takes a refusal for an answer; if the outcome of its call is unknown, the entry
        /// waits in the lane like any other.
        entry: Box<Entry>,
    },
    /// The other app has what this side wins.
    Equal,
    /// What was read decides nothing. Read the head again, and then the rows, not before this time; with the row as it was
    /// read now, see [`CopiedRow::after`].
    LookAgain {
        /// When.
        not_before: Timestamp,
    },
    /// What waits in the lane, for its turn or for an operator, is newer than the row and brings the record.
    LeftToLane,
}

/// Decides what becomes of a row. `head` is the lane's head as it is stored now; `Write` is to be stored on the condition
/// that it still is. Whether the map writes at this time, and whether the side's filter lets the record pass, is asked by the
/// caller.
///
/// # Errors
/// The record cannot be mapped to the other side.
pub fn apply_copied_row(
    head: Option<&Head>,
    row: CopiedRow,
    terms: CopyTerms<'_>,
    context: AdmitContext<'_>,
) -> Result<CopyDecision, MappingError> {
    let CopiedRow { from, record, there, lane, asked_at, unchanged_since } = row;
    let read = ReadRow { from, image: Image::Present(record), there, lane, asked_at, unchanged_since };
    apply_read_row(head, read, terms, context)
}

/// What was read of a record in both apps.
pub(super) struct ReadRow {
    pub(super) from: SideIx,
    /// What the app has that is copied from.
    pub(super) image: Image,
    pub(super) there: Image,
    pub(super) lane: HeadVersion,
    pub(super) asked_at: Timestamp,
    pub(super) unchanged_since: Timestamp,
}

/// Decides what becomes of a row, or of the absence of one.
pub(super) fn apply_read_row(
    head: Option<&Head>,
    row: ReadRow,
    terms: CopyTerms<'_>,
    context: AdmitContext<'_>,
) -> Result<CopyDecision, MappingError> {
    let AdmitContext { map, now, .. } = context;
    // Also those of an earlier map of that name: its callers may still commit.
    let open_until = head.map_or(Timestamp(0), last_transaction_end);
    if HeadVersion::of(head) != row.lane {
        return Ok(CopyDecision::LookAgain { not_before: now.max(open_until) });
    }
    let head = head.cloned().map_or_else(|| Head::new(map.uid, now), |head| head.of_map(map.uid, now));
    if let Some(busy) = find_reason_to_wait(&head, now) {
        return Ok(busy);
    }
    if row.asked_at < open_until {
        return Ok(CopyDecision::LookAgain { not_before: now.max(open_until) });
    }
    let written = WrittenRow::of(&row, terms.winners, &map.config)?;
    if written.changes_nothing {
        return Ok(CopyDecision::Equal);
    }
    let confirmed_from = row.unchanged_since.plus_ms(terms.reports_within_ms);
    if row.asked_at < confirmed_from {
        return Ok(CopyDecision::LookAgain { not_before: now.max(confirmed_from) });
    }
    Ok(write(head, row.from, written, terms, context))
}

/// A row as it is written.
struct WrittenRow {
    image: Image,
    /// In whose names.
    shape: SideIx,
    /// The other app has it already.
    changes_nothing: bool,
}

impl WrittenRow {
    fn of(row: &ReadRow, winners: &FieldWinners, map: &MapConfig) -> Result<Self, MappingError> {
        let (from, to) = (row.from, row.from.other());
        let whole = |changes_nothing| Self { image: row.image.clone(), shape: from, changes_nothing };
        // Of two images of which one is absent, the record is not merged.
        let mut written = whole(row.image == row.there);
        if let (Image::Present(record), Image::Present(there)) = (&row.image, &row.there) {
            let (wanted, found) = winners.compare(map, from, record, there)?;
            let changes_nothing = ContentHash::of(&Image::Present(wanted)) == ContentHash::of(&Image::Present(found));
            written = match winners.merge(map, from, record, there)? {
                Some(merged) => Self { image: Image::Present(merged), shape: to, changes_nothing },
                None => whole(changes_nothing),
            };
        }
        // What cannot be written is an error of this row, and not one of its lane.
        copied_image_for(map, written.shape, to, &written.image)?;
        Ok(written)
    }
}

/// When the last transaction ends that a `sync` caller of either app may still hold open. What is read before may be older
/// than what the lane has accepted.
fn last_transaction_end(head: &Head) -> Timestamp {
    let open = head.sides.0.iter().filter_map(|side| side.open_transaction);
    open.map(|open| open.accepted_at.plus_ms(open.longest_ms)).max().unwrap_or_default()
}

fn find_reason_to_wait(head: &Head, now: Timestamp) -> Option<CopyDecision> {
    // Nobody knows what its memory would say against the row.
    if head.unreadable.is_some() {
        return Some(CopyDecision::LeftToLane);
    }
    if head.idle() {
        return None;
    }
    // The app may refuse a direct write, and then nothing of it is left.
    let only_direct =
        head.next_seq == head.done_seq + 2 && head.inflight.as_ref().is_some_and(|inflight| inflight.direct.is_some());
    Some(if only_direct {
        CopyDecision::LookAgain { not_before: now.plus_ms(LOOK_AGAIN_MS) }
    } else {
        CopyDecision::LeftToLane
    })
}

fn write(
    mut head: Head,
    from: SideIx,
    row: WrittenRow,
    terms: CopyTerms<'_>,
    context: AdmitContext<'_>,
) -> CopyDecision {
    let AdmitContext { map, now, .. } = context;
    let (seq, to) = (head.next_seq, from.other());
    let WrittenRow { image, shape, .. } = row;
    let body = ContentHash::of(&image);
    let write = Write { id: terms.write, body, origin: Some(from), shape, mode: Mode::Copied, image };
    let entry = Entry { epoch: map.epoch, ..Entry::new(seq, terms.entry, Work::Write(write), now) };
    head.next_seq += 1;
    head.version += 1;
    // It is no report: what its app has seen, and reported last, is not known from it.
    (head.sides[to].last_write_seq, head.sides[to].last_write_at) = (seq, now);
    let (head, entry) = execute_directly(head, entry, context);
    CopyDecision::Write { head: Box::new(head), entry: Box::new(entry) }
}

#[cfg(test)]
mod tests;
