//! The next state of a run, as one step builds it: counts and findings, which are committed together.

use domain::{
    Failure, RecordKey, Timestamp, WriteId,
    id::SyncRunId,
    lane::content,
    map::SideIx,
    record::{Image, Record},
    redact::redacted,
    sync::{Deletion, FailedCopy, Finding, FindingState, LookAgain, RowEnd, SyncRun},
};
use sha2::{Digest, Sha256};

use super::copy::{Later, RecordEnd};
use crate::ports::{FindingChange, SyncMap};

/// How a step ended.
#[derive(Debug, PartialEq)]
pub(super) enum StepEnd {
    /// It got somewhere: the next one follows.
    Moved,
    /// Nothing can be done before this time, because of this.
    Wait(Wait),
    /// Everything is done.
    Done,
    /// The run must not go on without an operator.
    Ask(String, Option<SideIx>),
}

/// Why a run waits.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wait {
    /// Until when.
    pub(super) until: Timestamp,
    /// Why; `None`: it is in the nature of the run.
    pub(super) why: Option<String>,
    /// Because of which side.
    pub(super) side: Option<SideIx>,
}

/// The next state of a run.
pub(super) struct Draft {
    pub(super) run: SyncRun,
    pub(super) changes: Vec<FindingChange>,
}

impl Draft {
    pub(super) fn of(run: &SyncRun) -> Self {
        Self { run: SyncRun { version: run.version + 1, ..run.clone() }, changes: Vec::new() }
    }

    /// Notes that a record has to be looked at again.
    pub(super) fn look_again(&mut self, leg: SideIx, key: &RecordKey, mut look: LookAgain) {
        self.run.to_look_at += 1;
        self.run.noted += 1;
        look.noted = self.run.noted;
        let state = FindingState::LookAgain(look);
        self.changes.push(FindingChange::Put(Finding { leg, key: key.clone(), state }));
    }

    /// A record that was to be looked at again is dealt with.
    pub(super) fn looked_at(&mut self, finding: &Finding) {
        self.run.to_look_at = self.run.to_look_at.saturating_sub(1);
        self.changes.push(FindingChange::Delete(finding.clone()));
    }

    /// A deletion that another run has proposed leaves its list.
    pub(super) fn take_from_list(&mut self, of: SyncRunId, proposed: Finding) {
        self.changes.push(FindingChange::DeleteOf(of, proposed));
    }

    /// Notes the deletion of a record: proposed by this run, or decided about, and then off the list of the run that has proposed it.
    pub(super) fn decide_deletion(&mut self, (leg, key): (SideIx, &RecordKey), deletion: Deletion) {
        let end = deletion.fate.row_end();
        let state = FindingState::Deletion(deletion);
        if let Some(parent) = self.run.choice.parent.filter(|_| self.run.choice.kind.decides_deletions()) {
            self.take_from_list(parent, Finding { leg, key: key.clone(), state: state.clone() });
        }
        self.end_with(leg, key, end, state);
    }

    /// Notes a finding that ends a row.
    pub(super) fn end_with(&mut self, leg: SideIx, key: &RecordKey, end: RowEnd, state: FindingState) {
        self.run.end_row(leg, end);
        self.changes.push(FindingChange::Put(Finding { leg, key: key.clone(), state }));
    }

    /// Notes that a record could not be copied.
    pub(super) fn fail(
        &mut self,
        map: &SyncMap,
        (leg, key): (SideIx, &RecordKey),
        failure: &Failure,
        row: Option<&Image>,
        now: Timestamp,
    ) {
        let content = row.map(|row| content(&map.config, leg, row));
        let row = match row {
            Some(Image::Present(record)) => Some(redacted(&map.config, leg, record)).filter(fits),
            Some(Image::Absent) | None => None,
        };
        let failed = FailedCopy::of(failure, &map.config.side(leg.other()).side, key, row, now);
        self.fail_with(leg, key, FailedCopy { content, ..failed });
    }

    /// Notes a row that is no record.
    pub(super) fn fail_row(&mut self, leg: SideIx, key: &RecordKey, failed: FailedCopy) {
        self.fail_with(leg, key, FailedCopy { no_record: true, ..failed });
    }

    fn fail_with(&mut self, leg: SideIx, key: &RecordKey, mut failed: FailedCopy) {
        self.run.note_failed(leg, key, &mut failed);
        let state = FindingState::Failed(failed);
        self.changes.push(FindingChange::Put(Finding { leg, key: key.clone(), state }));
    }

    /// Notes what became of a record, with its row, if it was at hand, and the looks at it so far.
    pub(super) fn note_end(
        &mut self,
        map: &SyncMap,
        (leg, key): (SideIx, &RecordKey),
        end: &RecordEnd,
        (row, looks): (Option<&Image>, u32),
        now: Timestamp,
    ) {
        match end {
            RecordEnd::Ended(end) => self.run.end_row(leg, *end),
            RecordEnd::Failed(failure) => self.fail(map, (leg, key), failure, row, now),
            RecordEnd::Later(Later { failure: Some(failure), .. }) if looks >= MAX_LOOKS => {
                self.fail(map, (leg, key), failure, row, now);
            }
            RecordEnd::Later(_) if looks >= MAX_LOOKS => {
                self.end_with(leg, key, RowEnd::Changing, FindingState::Changing);
            }
            RecordEnd::Later(Later { due, seen, .. }) => {
                self.look_again(leg, key, LookAgain { due: *due, noted: 0, looks: looks + 1, seen: *seen });
            }
            RecordEnd::SideTrouble(..) | RecordEnd::MapNotWriting | RecordEnd::PutOff => {
                self.look_again(leg, key, LookAgain { due: now, noted: 0, looks, seen: None });
            }
        }
    }
}

/// A record that is still changing after so many looks is left to live writes; one that fails for reasons that may pass has
/// failed by then: the waits between the looks double up to a minute.
pub(super) const MAX_LOOKS: u32 = 8;

/// Largest row that is kept with a failure, in bytes. A commit of [`crate::ports::FINDINGS_AT_ONCE`] must stay below the 4 MB of a
/// transaction.
const MAX_ROW_BYTES: usize = 32 * 1024;

fn fits(record: &Record) -> bool {
    serde_json::to_vec(record).is_ok_and(|json| json.len() <= MAX_ROW_BYTES)
}

/// The run's id of the copy of a record: the same each time the same page is read.
pub(super) fn copy_id(run: &SyncRun, leg: SideIx, key: &RecordKey, began: Timestamp) -> WriteId {
    let mut hash = Sha256::new();
    hash.update(run.id.0.to_be_bytes());
    hash.update([u8::from(leg == SideIx::Second)]);
    hash.update(key.as_str());
    let mut last = [0; 16];
    last[6..].copy_from_slice(&hash.finalize()[..10]);
    WriteId::made(u128::from(began.0) << TIME_SHIFT | u128::from_be_bytes(last))
}

/// Ids carry their time above these bits.
const TIME_SHIFT: u32 = 80;

/// Whether an id is the run's id of a copy of this record, whenever that was made.
pub(super) fn is_copy_id(id: u128, run: &SyncRun, leg: SideIx, key: &RecordKey) -> bool {
    let without_time = |id: u128| id & ((1 << TIME_SHIFT) - 1);
    without_time(id) == without_time(copy_id(run, leg, key, Timestamp(0)).value())
}
