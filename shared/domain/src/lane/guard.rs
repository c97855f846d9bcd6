//! Echo and crossing: is a report news, and was it made in knowledge of what the lane has written there?
//!
//! An app's trigger reports every change, those that Tandem made too, in the order in which they happened. So each write
//! of Tandem's to a side is *unseen* until the side reports it, or reports a change made on top of it. A report of
//! unseen content is an echo; a change that leaves writes unseen has crossed them.

use super::{Arrival, Echoes, Head, LaneVersion, head::Written};
use crate::{
    map::{MapConfig, SideIx},
    record::ContentHash,
    side::Capability,
    time::Timestamp,
};

/// A report, as it is judged.
#[derive(Clone, Copy)]
pub(super) struct Report<'a> {
    /// The side that reports.
    pub(super) origin: SideIx,
    /// What it holds now.
    pub(super) content: ContentHash,
    /// What it held before the change, if the caller tells.
    pub(super) before: Option<ContentHash>,
    /// The rest of what the caller told.
    pub(super) arrival: &'a Arrival,
    /// What the side does with doubled and late calls.
    pub(super) capability: Capability,
}

impl Report<'_> {
    /// The caller tells what it knew when it made the change.
    fn told(&self) -> bool {
        self.before.is_some() || self.arrival.base.is_some()
    }
}

/// What a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// What Tandem itself wrote there, with the entry that did it.
    Echo(LaneVersion),
    /// A change. The side has seen everything up to this entry when it was made.
    Change {
        /// The newest entry it has seen.
        seen: u64,
        /// There is something it had not seen.
        crossing: bool,
    },
    /// A change or the echo of a write that was forgotten: more are unseen than are remembered.
    Ambiguous,
}

pub(super) fn judge(head: &Head, echoes: &Echoes, report: Report<'_>, map: &MapConfig, now: Timestamp) -> News {
    let Report { origin, content, before, arrival, capability } = report;
    let side = &head.sides[origin];
    let mut seen = side.seen_seq.max(echoes.newest(head.generation, origin));
    if let Some(base) = arrival.base
        && base.generation == head.generation
    {
        seen = seen.max(base.seq);
    }
    let unseen = unseen(head, origin, seen);
    // Of several writes with the content that the change was made on, an echo follows the oldest, a change the newest.
    // A change made on what the side reported last tells nothing of writes that happen to have the same content.
    let last = if echoes.count(origin) > side.echoes_at_report { echoes.last(origin) } else { side.last_reported };
    // A content that may be that of a write which fell out tells nothing of the later ones that have it, too. Of a caller who
    // does not tell what it knew, an echo is all that such a report is likely to be.
    let forgot = report.told() && side.evicted_seq > seen;
    let doubtful = |content: ContentHash| forgot && side.may_have_forgotten(content);
    let made_on = |unseen: &&Written| before == Some(unseen.content) && before != last && !doubtful(unseen.content);
    let after = unseen.iter().find(made_on).map_or(seen, |first| first.seq);
    let echoed = unseen.iter().find(|unseen| unseen.seq > after && unseen.content == content);
    if let Some(echoed) = echoed.filter(|_| after > seen || !doubtful(content)) {
        return News::Echo(head.version_of(echoed.seq));
    }
    let newest_seen = unseen.iter().rfind(made_on).map_or(seen, |last| last.seq);
    // A plain app takes, and reports, a repeated call twice.
    let may_land = capability == Capability::Plain && (side.last_write_seq > head.done_seq || side.retried);
    let ours = side.recent_writes.iter().any(|written| written.content == content);
    let taken_twice = capability == Capability::Plain && before == Some(content) || may_land && ours;
    if report.told() && (side.evicted_seq > newest_seen || taken_twice) {
        return News::Ambiguous;
    }
    let seen = newest_seen;
    // Such a call may land, or have landed, on top of this change.
    let crossing = may_land || crossing(head, &unseen, seen, report_time(arrival, now), report, map);
    News::Change { seen, crossing }
}

fn report_time(arrival: &Arrival, now: Timestamp) -> Timestamp {
    arrival.committed_at.unwrap_or(now)
}

/// What Tandem wrote, or is writing at this moment, that the side is not known to have seen. Oldest first.
fn unseen(head: &Head, side: SideIx, seen: u64) -> Vec<Written> {
    let written = head.sides[side].recent_writes.iter().copied();
    let writing = head.inflight.as_ref().and_then(|inflight| {
        let content = inflight.writing[side]?;
        Some(Written { seq: inflight.seq, content })
    });
    let mut unseen: Vec<_> = written.filter(|known| writing != Some(*known)).collect();
    unseen.extend(writing);
    unseen.retain(|unseen| unseen.seq > seen);
    unseen
}

fn crossing(
    head: &Head,
    unseen: &[Written],
    seen: u64,
    committed: Timestamp,
    report: Report<'_>,
    map: &MapConfig,
) -> bool {
    let side = &head.sides[report.origin];
    if let Some(base) = report.arrival.base
        && base.generation < head.generation
    {
        return true; // it knows an earlier lane of this record: what that lane wrote since is forgotten
    }
    // Admitted, and not executed yet: it will be written on top of this change.
    let waiting = side.last_write_seq > head.done_seq && side.last_write_seq > seen;
    let left = waiting || unseen.iter().any(|unseen| unseen.seq > seen);
    left && (waiting || report.told() || side.last_write_at >= committed.minus_ms(map.crossing_window_ms))
}
