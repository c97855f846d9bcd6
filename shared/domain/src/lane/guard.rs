//! Echo and crossing: is a report a change, and did its side know what the lane had written there?
//!
//! An app's trigger reports every change, those that Tandem made too, in the order in which they happened. So each write
//! of Tandem's to a side is *unseen* until the side reports it, or reports a change made on top of it. A report of
//! unseen content is an echo; a change that leaves writes unseen has crossed them.

use super::{
    Arrival, Echoes, Head, LaneVersion, content,
    head::{SideMemory, Written},
};
use crate::{
    map::{MapConfig, SideIx},
    record::ContentHash,
    side::{Capability, SideConfig},
    time::Timestamp,
};

/// A report of a side.
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
    /// The side's settings.
    pub(super) side: &'a SideConfig,
}

impl Report<'_> {
    /// Whether the caller says what it knew when it made the change.
    fn tells_what_it_knew(&self) -> bool {
        self.before.is_some() || self.arrival.base.is_some()
    }
}

/// The kinds of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportKind {
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

/// Classifies a report of a side.
pub(super) fn classify_report(
    head: &Head,
    echoes: &Echoes,
    report: Report<'_>,
    map: &MapConfig,
    now: Timestamp,
) -> ReportKind {
    let Report { origin, content, before, .. } = report;
    let (side, capability) = (&head.sides[origin], report.side.capability);
    let known = Knowledge::of(head, echoes, report);
    if !report.side.reports_own_writes {
        // Tandem writes red (7), and nobody reports it. A user changes the record to blue, and then to red: both are changes.
        return change(head, &known, report, map, now);
    }
    // Tandem writes red (7). The side reports red: an echo of 7.
    // Tandem writes red (7), blue (8), red (9). The side reports "blue, before red": it follows 7, so it is the echo of 8.
    let echoed = known.unseen.iter().find(|unseen| unseen.seq > known.after && unseen.content == content);
    if let Some(echoed) = echoed.filter(|_| known.after > known.seen || !known.may_be_evicted(content)) {
        // Tandem writes red (7). The side reports blue, and then red. Blue may have been there before red, whose echo this is; or a
        // user made it blue and then red again, for this app does not report what Tandem writes.
        let overtaken = echoed.seq < side.last_reported_seq && !report.tells_what_it_knew();
        return if overtaken { ReportKind::Ambiguous } else { ReportKind::Echo(head.version_of(echoed.seq)) };
    }
    // Tandem writes red (7) to a plain app, gets no answer, and repeats it. The app takes both calls and reports red
    // twice: the second time "red, before red", or after a change of its own. Nobody can tell the call from a user.
    let ours = side.recent_writes.iter().any(|written| written.content == content);
    let taken_twice = capability == Capability::Plain && before == Some(content) || may_land(head, report) && ours;
    // Tandem writes 7 to 30 to a side that reports none of them; 7 is evicted. The side reports a change: it may be the
    // echo of 7, and 8 to 30 would come after it.
    if report.tells_what_it_knew() && (side.evicted_seq > known.newest_seen || taken_twice) {
        return ReportKind::Ambiguous;
    }
    change(head, &known, report, map, now)
}

fn change(head: &Head, known: &Knowledge<'_>, report: Report<'_>, map: &MapConfig, now: Timestamp) -> ReportKind {
    let seen = known.newest_seen;
    // Tandem writes red (7) to a plain app and gets no answer. A user changes the record to blue: red may still land on top.
    let crossing =
        may_land(head, report) || left_unseen(head, &known.unseen, seen, report_time(report.arrival, now), report, map);
    ReportKind::Change { seen, crossing }
}

/// Whether a call may still have its effect, on top of what the side reports: a plain side takes a call that is repeated once
/// more. So does a versioned one: the repeat meets the tag of the user's change, and cannot tell that the first call, under the
/// change, was its own.
fn may_land(head: &Head, report: Report<'_>) -> bool {
    let side = &head.sides[report.origin];
    report.side.capability != Capability::Idempotent && (side.last_write_seq > head.done_seq || side.retried)
}

/// What a side is known to have seen of Tandem's writes when it made its report.
struct Knowledge<'a> {
    /// It has seen every entry up to here, as earlier reports and this one's base say.
    seen: u64,
    /// The writes that it had not seen by then. Oldest first.
    unseen: Vec<Written>,
    /// An echo reports a write behind this one: the oldest unseen write that the report was made on.
    after: u64,
    /// The newest entry that it has seen, if the report is a change: the newest unseen write that it was made on.
    newest_seen: u64,
    /// The memory of a side that may not have reported all writes which the head has evicted.
    evicted: Option<&'a SideMemory>,
}

impl<'a> Knowledge<'a> {
    fn of(head: &'a Head, echoes: &Echoes, report: Report<'_>) -> Self {
        let Report { origin, before, arrival, .. } = report;
        let side = &head.sides[origin];
        let mut seen = side.seen_seq.max(echoes.newest(head.generation, origin));
        if let Some(base) = arrival.base
            && base.generation == head.generation
        {
            seen = seen.max(base.seq);
        }
        // A caller that does not say what it knew most likely reports an echo: its reports are not doubted.
        let evicted = (report.tells_what_it_knew() && side.evicted_seq > seen).then_some(side);
        let mut known = Self { seen, unseen: find_unseen(head, origin, seen), after: seen, newest_seen: seen, evicted };
        // Red was reported last, and Tandem wrote red since. A change "before red" was made on either: it tells nothing.
        let last = if echoes.count(origin) > side.echoes_at_report { echoes.last(origin) } else { side.last_reported };
        let made_on = |unseen: &&Written| {
            before == Some(unseen.content) && before != last && !known.may_be_evicted(unseen.content)
        };
        let oldest = known.unseen.iter().find(made_on).map(|written| written.seq);
        let newest = known.unseen.iter().rfind(made_on).map(|written| written.seq);
        (known.after, known.newest_seen) = (oldest.unwrap_or(seen), newest.unwrap_or(seen));
        known
    }

    /// Whether a content may be that of an evicted write: then it tells nothing of the later writes that have it, too.
    fn may_be_evicted(&self, content: ContentHash) -> bool {
        self.evicted.is_some_and(|side| side.may_have_evicted(content))
    }
}

/// A report without a `before` counts as that of a write of Tandem for so long after it, in milliseconds: later, the app may
/// report a change of fields that the map does not carry.
const OWN_REPORT_WITHIN_MS: u64 = 10_000;

/// Whether a report has exactly what Tandem wrote to its side last, and nothing else was reported since: an app does that which
/// reports what Tandem writes.
#[must_use]
pub fn repeats_own_write(head: &Head, origin: SideIx, arrival: &Arrival, map: &MapConfig, now: Timestamp) -> bool {
    let side = &head.sides[origin];
    let Some(last) = find_unseen(head, origin, side.last_reported_seq).pop() else { return false };
    let reported = content(map, arrival.shape, &arrival.image);
    let before = arrival.before.as_ref().map(|image| content(map, origin, image));
    let is_fresh = now.ms_since(side.last_write_at) <= OWN_REPORT_WITHIN_MS;
    last.content == reported && before.map_or(is_fresh, |before| before != reported)
}

fn report_time(arrival: &Arrival, now: Timestamp) -> Timestamp {
    arrival.committed_at.unwrap_or(now)
}

/// What Tandem wrote, or is writing at this moment, that the side is not known to have seen. Oldest first.
fn find_unseen(head: &Head, side: SideIx, seen: u64) -> Vec<Written> {
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

/// Whether the side had not seen one of Tandem's writes when it made this change.
fn left_unseen(
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
    left && (waiting || report.tells_what_it_knew() || side.last_write_at >= committed.minus_ms(map.crossing_window_ms))
}

#[cfg(test)]
mod tests;
