//! Echo and crossing: is a report news, and did it cross a write to the same app?
//!
//! An app's trigger reports every change, those that Tandem made too. The caller may say what the record was *before*
//! its change; what the lane knows of that side then tells an echo from news, and news from a crossing.

use super::{Arrival, Head};
use crate::{
    map::{MapConfig, SideIx},
    record::ContentHash,
    side::Capability,
    time::Timestamp,
};

/// What a report of side `origin` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum News {
    /// What Tandem itself wrote there, with the entry that did it.
    Echo(u64),
    /// A change that was made knowing everything the lane had written there.
    Change,
    /// A change that was made without knowing what the lane has written, or is about to write, there.
    Crossing,
}

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

pub(super) fn judge(head: &Head, report: Report<'_>, map: &MapConfig, now: Timestamp) -> News {
    let Report { origin, content: reported, before, arrival, capability } = report;
    let side = &head.sides[origin];
    let on_its_way = head.inflight.as_ref().and_then(|inflight| inflight.writing[origin].map(|c| (inflight.seq, c)));
    // On its way to that very side: an app often reports it before the call has returned.
    if let Some((seq, content)) = on_its_way
        && content == reported
    {
        return News::Echo(seq);
    }
    let written_by_us = side.written.contains(&reported);
    if written_by_us && side.expected == Some(reported) {
        return News::Echo(side.target_seq);
    }
    let knew_all = before.is_some() && before == side.expected;
    if written_by_us && before.is_some() && !knew_all {
        return News::Echo(side.target_seq); // a late one: the lane has moved on since
    }
    if !head.writes_to(origin) {
        // The caller knows a version of an earlier lane of this record: what that lane wrote since is forgotten.
        let forgotten = arrival.base.is_some_and(|base| base.generation < head.generation);
        return if forgotten { News::Crossing } else { News::Change };
    }
    let open = side.target_seq > head.done_seq;
    let has_landed = on_its_way.is_some_and(|(seq, content)| seq == side.target_seq && before == Some(content));
    if capability == Capability::Plain && (open || side.retried) {
        return News::Crossing; // a repeated call may land, or have landed, on top of this change
    }
    let crossing = if let Some(base) = arrival.base {
        head.version_of(side.target_seq) > base
    } else if knew_all {
        open && !has_landed
    } else if before.is_some() && side.expected.is_some() {
        true
    } else {
        let committed = arrival.committed_at.unwrap_or(now);
        open || side.target_at >= committed.minus_ms(map.crossing_window_ms)
    };
    if crossing { News::Crossing } else { News::Change }
}
