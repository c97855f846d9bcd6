//! Counts of one leg of a run. They always add up.

use serde::{Deserialize, Serialize};

/// What became of the rows that were read of one side: `read` = all other counts together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegCounts {
    /// Rows that the side listed.
    pub read: u64,
    /// Made in the other app; in a dry run: would be made.
    pub inserted: u64,
    /// Changed in the other app; in a dry run: would be changed.
    pub updated: u64,
    /// Both apps have the same.
    pub equal: u64,
    /// The other side wins where both have the record.
    #[serde(default)]
    pub loses: u64,
    /// Kept out by the side's filter, or by the choice of the run.
    pub filtered: u64,
    /// Gone from its side when it was looked at again.
    pub gone: u64,
    /// Changes of the record wait for an operator.
    pub held: u64,
    /// The side listed the record a second time.
    pub repeated: u64,
    /// Each look found another state.
    pub changing: u64,
    /// Made or edited after the run had begun, so no part of its selection. Live changes carry it.
    #[serde(default)]
    pub later: u64,
    /// The other side lacks it: its deletion is proposed.
    #[serde(default)]
    pub proposed: u64,
    /// Deleted, as an operator has approved.
    #[serde(default)]
    pub deleted: u64,
    /// Not deleted: the other side has it again.
    #[serde(default)]
    pub came_back: u64,
    /// Not deleted: the record, or its lane, was changed since its deletion was proposed.
    #[serde(default)]
    pub changed_since: u64,
    /// Not deleted: an operator has rejected that.
    #[serde(default)]
    pub rejected: u64,
    /// Could not be copied, or deleted: each is listed with its cause.
    pub failed: u64,
    /// Not reached yet: to be looked at again, or the run was cancelled before.
    pub not_reached: u64,
}

/// What became of one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowEnd {
    /// See [`LegCounts::inserted`].
    Inserted,
    /// See [`LegCounts::updated`].
    Updated,
    /// See [`LegCounts::equal`].
    Equal,
    /// See [`LegCounts::loses`].
    Loses,
    /// See [`LegCounts::filtered`].
    Filtered,
    /// See [`LegCounts::gone`].
    Gone,
    /// See [`LegCounts::held`].
    Held,
    /// See [`LegCounts::repeated`].
    Repeated,
    /// See [`LegCounts::changing`].
    Changing,
    /// See [`LegCounts::later`].
    Later,
    /// See [`LegCounts::proposed`].
    Proposed,
    /// See [`LegCounts::deleted`].
    Deleted,
    /// See [`LegCounts::came_back`].
    CameBack,
    /// See [`LegCounts::changed_since`].
    ChangedSince,
    /// See [`LegCounts::rejected`].
    Rejected,
    /// See [`LegCounts::failed`].
    Failed,
}

impl LegCounts {
    /// A row was read; what becomes of it is not known yet.
    pub fn read_row(&mut self) {
        self.read += 1;
        self.not_reached += 1;
    }

    /// A row that was read came to this end.
    pub fn end_row(&mut self, end: RowEnd) {
        debug_assert!(self.not_reached > 0, "a row ends once");
        self.not_reached -= 1;
        *self.of(end) += 1;
    }

    /// The count of this end.
    fn of(&mut self, end: RowEnd) -> &mut u64 {
        match end {
            RowEnd::Inserted => &mut self.inserted,
            RowEnd::Updated => &mut self.updated,
            RowEnd::Equal => &mut self.equal,
            RowEnd::Loses => &mut self.loses,
            RowEnd::Filtered => &mut self.filtered,
            RowEnd::Gone => &mut self.gone,
            RowEnd::Held => &mut self.held,
            RowEnd::Repeated => &mut self.repeated,
            RowEnd::Changing => &mut self.changing,
            RowEnd::Later => &mut self.later,
            RowEnd::Proposed => &mut self.proposed,
            RowEnd::Deleted => &mut self.deleted,
            RowEnd::CameBack => &mut self.came_back,
            RowEnd::ChangedSince => &mut self.changed_since,
            RowEnd::Rejected => &mut self.rejected,
            RowEnd::Failed => &mut self.failed,
        }
    }

    /// Rows that were neither copied, nor deleted, nor equal, nor failed.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        let kept = self.proposed + self.came_back + self.changed_since + self.rejected;
        self.loses + self.filtered + self.gone + self.held + self.repeated + self.changing + self.later + kept
    }

    /// Whether every row that was read is in exactly one of the counts.
    #[must_use]
    pub fn add_up(&self) -> bool {
        let written = self.inserted + self.updated + self.deleted;
        self.read == written + self.equal + self.skipped() + self.failed + self.not_reached
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_was_read_is_in_one_count() {
        use RowEnd::{
            CameBack, ChangedSince, Changing, Deleted, Equal, Failed, Filtered, Gone, Held, Inserted, Later, Loses,
            Proposed, Rejected, Repeated, Updated,
        };
        let ends = [Inserted, Updated, Equal, Loses, Filtered, Gone, Held, Repeated, Changing, Later, Failed];
        let ends = ends.into_iter().chain([Proposed, Deleted, CameBack, ChangedSince, Rejected]);
        let mut counts = LegCounts::default();
        for end in ends {
            counts.read_row();
            assert!(counts.add_up());
            counts.end_row(end);
            assert!(counts.add_up(), "{end:?}");
            assert_eq!(*counts.of(end), 1, "{end:?}");
        }
        assert_eq!((counts.read, counts.skipped(), counts.not_reached), (16, 11, 0));
        counts.read += 1;
        assert!(!counts.add_up());
    }
}
