//! The two ends of a backlog.
//!
//! Records that fail must not hold up those behind them, however many they are. While the oldest lanes fail one after the
//! other, most lanes are taken from the newest end, until that one fails as well.

use std::collections::VecDeque;

use domain::Timestamp;

use super::lane::LaneRun;
use crate::ports::{LaneKey, OpenLane, OpenRange};

/// An end fails when this many of its lanes in a row were attempted without a write.
const FAILS_AFTER: u32 = 8;
/// While only the oldest end fails, one lane in this many is still taken from it.
const SHARE_OF_FAILING: u32 = 8;

/// A lane to go on with, and the receipts of the pointers that led to it.
pub(super) struct LaneTask {
    pub(super) lane: LaneKey,
    pub(super) receipts: Vec<String>,
}

impl LaneTask {
    /// A lane that no pointer led to.
    pub(super) fn of_index(open: OpenLane) -> Self {
        Self { lane: open.lane, receipts: Vec::new() }
    }
}

/// An end of the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Oldest,
    Newest,
}

impl End {
    fn other(self) -> Self {
        match self {
            Self::Oldest => Self::Newest,
            Self::Newest => Self::Oldest,
        }
    }
}

/// The lanes that wait at each end, and how many of its lanes failed in a row.
pub(super) struct Ends {
    oldest: VecDeque<LaneTask>,
    newest: VecDeque<LaneTask>,
    /// What to read of the newest end; `None` when there is nothing more, or a read is under way.
    unread: Option<OpenRange>,
    /// Lanes in a row that failed: of the oldest end, and of the newest.
    failed: [u32; 2],
    turn: u32,
}

impl Ends {
    /// The ends of a backlog whose lanes have been due since `until` or longer, if they have not been attempted since. `None`:
    /// there is only one end.
    pub(super) fn new(until: Option<Timestamp>) -> Self {
        let unread = until.map(OpenRange::newest_first);
        Self { oldest: VecDeque::new(), newest: VecDeque::new(), unread, failed: [0, 0], turn: 0 }
    }

    /// Whether no lane is ready, at either end.
    pub(super) fn is_empty(&self) -> bool {
        self.oldest.is_empty() && self.newest.is_empty()
    }

    /// Whether more of the oldest end is wanted.
    pub(super) fn wants_oldest(&self) -> bool {
        self.oldest.is_empty()
    }

    pub(super) fn put_oldest(&mut self, tasks: impl IntoIterator<Item = LaneTask>) {
        self.oldest.extend(tasks);
    }

    /// The range of the newest end to read now, if the oldest end fails.
    pub(super) fn take_unread(&mut self) -> Option<OpenRange> {
        if self.fails(End::Oldest) && self.newest.is_empty() { self.unread.take() } else { None }
    }

    /// Takes what was read of the newest end.
    pub(super) fn put_newest(&mut self, range: OpenRange, lanes: Vec<OpenLane>, limit: usize) {
        let full = lanes.len() == limit;
        self.unread = lanes.last().cloned().filter(|_| full).map(|last| OpenRange { after: Some(last), ..range });
        self.newest.extend(lanes.into_iter().map(LaneTask::of_index));
    }

    /// The next lane, and the end it is taken from.
    pub(super) fn pop(&mut self) -> Option<(End, LaneTask)> {
        self.turn = self.turn.wrapping_add(1);
        let wanted = match (self.fails(End::Oldest), self.fails(End::Newest)) {
            (false, _) => End::Oldest,
            (true, false) if self.turn.is_multiple_of(SHARE_OF_FAILING) => End::Oldest,
            (true, false) => End::Newest,
            (true, true) if self.turn.is_multiple_of(2) => End::Oldest,
            (true, true) => End::Newest,
        };
        [wanted, wanted.other()].into_iter().find_map(|end| Some((end, self.ready(end).pop_front()?)))
    }

    /// Notes how a lane of that end was left.
    pub(super) fn note(&mut self, end: End, run: LaneRun) {
        let failed = &mut self.failed[end as usize];
        match run {
            LaneRun { done: 1.., .. } => *failed = 0,
            LaneRun { attempts: 1.., .. } => *failed += 1,
            LaneRun { .. } => {} // nothing was attempted
        }
    }

    fn fails(&self, end: End) -> bool {
        self.failed[end as usize] >= FAILS_AFTER
    }

    fn ready(&mut self, end: End) -> &mut VecDeque<LaneTask> {
        match end {
            End::Oldest => &mut self.oldest,
            End::Newest => &mut self.newest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drain::lane::LaneEnd;

    const UNTIL: Timestamp = Timestamp(100);

    fn lane(n: usize) -> OpenLane {
        let lane = LaneKey { map: "customers".parse().unwrap(), key: format!("C-{n}").parse().unwrap() };
        OpenLane { at: Timestamp(n as u64), lane }
    }

    fn ended(end: LaneEnd, attempts: u64, done: u64) -> LaneRun {
        LaneRun { end, attempts, done, archived: 0 }
    }

    /// So many lanes at each end.
    fn ends(oldest: usize, newest: usize) -> Ends {
        let mut ends = Ends::new(Some(UNTIL));
        ends.put_oldest((0..oldest).map(|n| LaneTask::of_index(lane(n))));
        ends.put_newest(OpenRange::newest_first(UNTIL), (0..newest).map(lane).collect(), newest + 1);
        ends
    }

    fn fail(ends: &mut Ends, end: End) {
        (0..FAILS_AFTER).for_each(|_| ends.note(end, ended(LaneEnd::Failing, 1, 0)));
    }

    /// How many of the next `count` lanes are of the oldest end.
    fn of_oldest(ends: &mut Ends, count: usize) -> usize {
        (0..count).filter_map(|_| ends.pop()).filter(|(end, _)| *end == End::Oldest).count()
    }

    #[test]
    fn the_oldest_lanes_come_first_while_they_are_written() {
        assert_eq!(of_oldest(&mut ends(40, 40), 40), 40);
    }

    #[test]
    fn most_lanes_are_taken_from_the_end_that_does_not_fail() {
        let mut ends = ends(40, 40);
        fail(&mut ends, End::Oldest);
        assert_eq!(of_oldest(&mut ends, 16), 2);
        fail(&mut ends, End::Newest);
        assert_eq!(of_oldest(&mut ends, 16), 8, "both fail");
        ends.note(End::Oldest, ended(LaneEnd::Idle, 1, 1));
        assert_eq!(of_oldest(&mut ends, 16), 16, "the oldest are written again");
    }

    #[test]
    fn a_refused_record_counts_like_one_that_fails_and_one_that_waits_does_not() {
        let mut ends = ends(40, 40);
        (0..FAILS_AFTER).for_each(|_| ends.note(End::Oldest, ended(LaneEnd::NotYet, 0, 0)));
        assert_eq!(of_oldest(&mut ends, 8), 8);
        (0..FAILS_AFTER).for_each(|_| ends.note(End::Oldest, ended(LaneEnd::Parked, 1, 0)));
        assert_eq!(of_oldest(&mut ends, 8), 1);
    }

    #[test]
    fn when_one_end_is_through_the_other_goes_on() {
        let mut ends = ends(4, 2);
        fail(&mut ends, End::Oldest);
        assert_eq!(of_oldest(&mut ends, 100), 4);
        assert!(ends.is_empty() && ends.wants_oldest());
    }

    #[test]
    fn the_newest_end_is_read_page_by_page_and_only_when_the_oldest_fails() {
        let mut ends = Ends::new(Some(UNTIL));
        assert_eq!(ends.take_unread(), None);
        fail(&mut ends, End::Oldest);
        let range = ends.take_unread().unwrap();
        assert_eq!((range.clone(), ends.take_unread()), (OpenRange::newest_first(UNTIL), None), "a read is under way");
        ends.put_newest(range, vec![lane(3), lane(2)], 2);
        assert_eq!(ends.take_unread(), None, "there are lanes yet");
        of_oldest(&mut ends, 2);
        let range = ends.take_unread().unwrap();
        assert_eq!(range.after, Some(lane(2)));
        ends.put_newest(range, vec![lane(1)], 2);
        of_oldest(&mut ends, 1);
        assert_eq!(ends.take_unread(), None, "the last page was not full");
        let mut one_end = Ends::new(None);
        fail(&mut one_end, End::Oldest);
        assert_eq!(one_end.take_unread(), None);
    }
}
