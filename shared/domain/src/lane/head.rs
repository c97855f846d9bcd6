//! The one item per record that every step of a write compares and sets.

use serde::{Deserialize, Serialize};

use super::{Entry, LaneVersion, Recent, RestoreCause, Unreadable, Work};
use crate::{
    failure::ErrorClass,
    id::{EntryId, LogId, MapId, MapUid, Owner, RecordKey, WriteId},
    limits::{REMEMBERED_ERRORS, REMEMBERED_WRITES},
    log::{LogEvent, Resolution, Resolved},
    map::PerSide,
    record::ContentHash,
    time::Timestamp,
};

/// Lanes that wait for an operator are due at this time (and never come to it) plus the time since when they wait.
pub const PARKED_FROM: Timestamp = Timestamp(1 << 52);

/// The head of a lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// The map it belongs to: a lane's memory does not outlive its map.
    pub map: MapUid,
    /// When it was made, in milliseconds; the first half of every version of this lane.
    pub generation: u64,
    /// Counts its changes; 0 before it is first stored.
    pub version: u64,
    /// The place the next entry gets. The first is 1.
    pub next_seq: u64,
    /// Every entry up to here has come to its end.
    pub done_seq: u64,
    /// The entry that is being executed.
    pub inflight: Option<ActiveEntry>,
    /// The entry `done_seq + 1` was refused for good: only an operator moves it.
    pub parked: bool,
    /// The entry `done_seq + 1` is not tried before this time; or it is parked since then.
    pub not_before: Timestamp,
    /// The last final answers.
    pub recent: Recent,
    /// What is known of the record on each side.
    pub sides: PerSide<SideMemory>,
    /// The last errors of the record, until a write of it succeeds: the log is told then.
    pub unresolved: Vec<(LogId, ErrorClass)>,
    /// Why the stored head could not be read, if it could not: see [`Head::rebuilt`]. Not stored.
    #[serde(skip)]
    pub unreadable: Option<Box<Unreadable>>,
}

/// The entry that is being executed, and until when nobody else may.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ActiveEntry {
    /// Its place; always `done_seq + 1`.
    pub seq: u64,
    /// Its id.
    pub entry: EntryId,
    /// Whose attempt it is. `None`: nobody's; the lane is kept closed because a call may still land.
    pub owner: Option<Owner>,
    /// Until when the lane is closed for others.
    pub lease_end: Timestamp,
    /// What is on its way to each side: an app may report it before the call has returned.
    pub writing: PerSide<Option<ContentHash>>,
    /// The entry itself, while it is not in the journal as an item of its own (a direct write).
    pub direct: Option<Box<Entry>>,
}

impl ActiveEntry {
    /// The caller's id, when the write is nowhere else to be found.
    #[must_use]
    pub fn direct_id(&self) -> Option<WriteId> {
        self.direct.as_ref().and_then(|entry| entry.write()).map(|write| write.id)
    }
}

/// What is known of the record on one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideMemory {
    /// The newest version of its own that this side reported.
    pub reported_version: Option<u64>,
    /// The newest admitted entry that writes to this side; 0: none.
    pub last_write_seq: u64,
    /// When it was admitted.
    pub last_write_at: Timestamp,
    /// More than one call of the last write to this side may have landed: unless the side is `idempotent`, the last one may have
    /// landed on top of a change that the side made in between.
    pub retried: bool,
    /// What this side last reported as a change of its own.
    pub last_reported: Option<ContentHash>,
    /// When that was.
    pub last_reported_at: Timestamp,
    /// The place that this report got in the lane.
    pub last_reported_seq: u64,
    /// How often in a row this side has reported that content again, each time after a change of the other side.
    pub bounces: u32,
    /// How many echoes of this side had been noted by then: it tells whether the last report was a change or an echo.
    pub echoes_at_report: u64,
    /// What Tandem wrote here last, oldest first.
    pub recent_writes: Vec<Written>,
    /// The newest entry that the side is known to have seen, for it made a change on top of it. (That it reported the
    /// write itself is noted among the [`super::Echoes`].)
    pub seen_seq: u64,
    /// The newest write that fell out of `recent_writes`: until it is known to be seen, a report may be its echo.
    pub evicted_seq: u64,
    /// A Bloom filter of the contents that fell out, so that a report of one of them is not taken for the echo of a later
    /// write with the same content.
    pub evicted_filter: u64,
    /// The newest entry that copies this side as it is, because a report was unclear.
    pub resync_seq: u64,
    /// The record's `ETag` after Tandem's last write, while nothing else is known to have changed it.
    pub etag: Option<String>,
    /// The last `sync` caller of this side whose write was accepted.
    pub open_transaction: Option<OpenTransaction>,
}

/// A transaction that a `sync` caller may still hold open: it commits after its write was accepted, and a read of its app
/// shows the older record until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenTransaction {
    /// When the write was accepted.
    pub accepted_at: Timestamp,
    /// How long it may be open after that, in milliseconds: a setting of the side.
    pub longest_ms: u64,
}

/// A write of Tandem's to a side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// The entry.
    pub seq: u64,
    /// What it wrote.
    pub content: ContentHash,
}

impl SideMemory {
    /// Notes what Tandem wrote, or may have written. An entry that is tried again is noted once; one that was edited, or
    /// copies another record than the last time, has every content that the app may report.
    pub fn note_written(&mut self, seq: u64, content: ContentHash) {
        if self.recent_writes.contains(&Written { seq, content }) {
            return;
        }
        self.recent_writes.push(Written { seq, content });
        if self.recent_writes.len() > REMEMBERED_WRITES {
            let gone = self.recent_writes.remove(0);
            self.evicted_seq = gone.seq;
            self.evicted_filter |= filter_bits(gone.content);
        }
    }

    /// Whether a write that fell out may have had this content. A filter that is nearly full says yes to everything, so it is
    /// ignored: of so many different contents none is likely to come back.
    #[must_use]
    pub fn may_have_evicted(&self, content: ContentHash) -> bool {
        let bits = filter_bits(content);
        self.evicted_filter.count_ones() <= MAX_FILTER_BITS && self.evicted_filter & bits == bits
    }
}

/// Bits of 64 that may be set before the filter is ignored: about twenty contents.
const MAX_FILTER_BITS: u32 = 42;

/// The three bits of a content.
pub(super) fn filter_bits(content: ContentHash) -> u64 {
    [0, 6, 12].into_iter().fold(0, |bits, shift| bits | 1 << (content.0 >> shift & 63))
}

impl Head {
    /// The head of a lane that has had no write yet.
    #[must_use]
    pub fn new(map: MapUid, now: Timestamp) -> Self {
        Self {
            map,
            generation: now.0,
            version: 0,
            next_seq: 1,
            done_seq: 0,
            inflight: None,
            parked: false,
            not_before: Timestamp(0),
            recent: Recent::default(),
            sides: PerSide::default(),
            unresolved: Vec::new(),
            unreadable: None,
        }
    }

    /// Stands for a stored head that cannot be read: what waits in the lane stands beside it, and the first and last place of
    /// that are given. The memory of earlier writes is lost, so ids of before are refused as too old, and what waits is parked
    /// when its turn comes.
    #[must_use]
    pub fn rebuilt(
        map: MapUid,
        version: u64,
        waiting: Option<(u64, u64)>,
        damaged: Unreadable,
        now: Timestamp,
    ) -> Self {
        let (done_seq, next_seq) = waiting.map_or((0, 1), |(first, last)| (first.saturating_sub(1), last + 1));
        Self {
            version,
            next_seq,
            done_seq,
            recent: Recent::from_now_on(now),
            unreadable: Some(Box::new(damaged)),
            ..Self::new(map, now)
        }
    }

    /// This head, or a new one in its place if it belongs to an earlier map of the same name.
    #[must_use]
    pub fn of_map(self, map: MapUid, now: Timestamp) -> Self {
        if self.map == map {
            return self;
        }
        // A later generation: the apps must not take the new lane's versions for older ones.
        let generation = now.0.max(self.generation + 1);
        Self { generation, version: self.version, ..Self::new(map, now) }
    }

    /// From when on an entry may be executed. What a side shows before may be older than what the lane has accepted, for a
    /// `sync` caller commits after its answer: so it decides no copy. Writes that were accepted after the entry are
    /// executed after it, and need no wait.
    #[must_use]
    pub fn due_from(&self, entry: &Entry, now: Timestamp) -> Timestamp {
        // A caller that rolls back holds its record until then: what is read for it is what stands.
        let rolls_back = matches!(entry.work, Work::Restore { cause: RestoreCause::CallerRollsBack, .. });
        if rolls_back || entry.copied_to().is_none() {
            return now;
        }
        let open = self.sides.0.iter().filter_map(|side| side.open_transaction);
        let closed = open.map(|open| open.accepted_at.min(entry.accepted_at).plus_ms(open.longest_ms));
        closed.fold(now, Timestamp::max)
    }

    /// Nothing is in flight and nothing waits.
    #[must_use]
    pub fn idle(&self) -> bool {
        self.inflight.is_none() && self.done_seq + 1 == self.next_seq
    }

    /// The version that the apps are told for an entry.
    #[must_use]
    pub fn version_of(&self, seq: u64) -> LaneVersion {
        LaneVersion { generation: self.generation, seq }
    }

    /// When the sweep must look at this lane; `None` when it is idle. A parked lane is never due: see [`PARKED_FROM`].
    #[must_use]
    pub fn due(&self) -> Option<Timestamp> {
        if self.idle() {
            return None;
        }
        Some(match &self.inflight {
            Some(inflight) => inflight.lease_end,
            // In the order in which they were parked, and after everything that is ever due.
            None if self.parked => PARKED_FROM.plus_ms(self.not_before.0),
            None => self.not_before,
        })
    }

    /// Notes an error, to be resolved when a write of the record succeeds.
    pub(super) fn note_error(&mut self, id: LogId, class: ErrorClass) {
        self.unresolved.push((id, class));
        if self.unresolved.len() > REMEMBERED_ERRORS {
            self.unresolved.remove(0);
        }
    }

    /// The record's errors are over, if it had any.
    pub(super) fn resolve(&mut self, map: &MapId, key: &RecordKey, how: Resolved, at: Timestamp) -> Option<LogEvent> {
        if self.unresolved.is_empty() {
            return None;
        }
        let last = std::mem::take(&mut self.unresolved);
        Some(LogEvent::Resolved(Resolution { map: map.clone(), key: key.clone(), at, how, last }))
    }

    /// Whether this attempt still holds the lane.
    #[must_use]
    pub fn held_by(&self, owner: Owner) -> bool {
        self.inflight.as_ref().is_some_and(|inflight| inflight.owner == Some(owner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_428_000_000);

    #[test]
    fn the_last_writes_are_remembered_one_by_one_and_earlier_ones_by_the_filter() {
        let mut side = SideMemory::default();
        for n in 1..=REMEMBERED_WRITES as u64 {
            side.note_written(n, ContentHash(n));
            side.note_written(n, ContentHash(n));
        }
        assert_eq!((side.recent_writes.len(), side.evicted_seq, side.evicted_filter), (REMEMBERED_WRITES, 0, 0));
        side.note_written(99, ContentHash(99));
        assert_eq!((side.recent_writes.len(), side.evicted_seq), (REMEMBERED_WRITES, 1));
        assert!(side.may_have_evicted(ContentHash(1)) && !side.may_have_evicted(ContentHash(2)));
    }

    #[test]
    fn a_full_filter_is_ignored() {
        let full = SideMemory { evicted_filter: u64::MAX >> (64 - MAX_FILTER_BITS), ..SideMemory::default() };
        assert!(full.may_have_evicted(ContentHash(0)));
        let fuller = SideMemory { evicted_filter: u64::MAX >> (63 - MAX_FILTER_BITS), ..full };
        assert!(!fuller.may_have_evicted(ContentHash(0)));
    }

    /// Filters are stored: which bits a content has must not change from release to release.
    #[test]
    fn a_content_has_three_bits_of_the_filter() {
        assert_eq!(filter_bits(ContentHash(3 << 12 | 2 << 6 | 1)), 0b1110);
        assert_eq!(filter_bits(ContentHash(1 << 12)), 0b0011, "two of them are the same");
    }

    #[test]
    fn a_head_of_an_earlier_map_begins_anew_in_a_later_generation() {
        let old = Head { version: 5, next_seq: 9, done_seq: 8, ..Head::new(MapUid(1), NOW) };
        assert_eq!(old.clone().of_map(MapUid(1), NOW.plus_ms(9)), old);
        let new = old.clone().of_map(MapUid(2), NOW.plus_ms(9));
        assert_eq!(new, Head { version: 5, ..Head::new(MapUid(2), NOW.plus_ms(9)) });
        let clock_behind = old.of_map(MapUid(2), NOW.minus_ms(9));
        assert_eq!(clock_behind.generation, NOW.0 + 1);
    }

    #[test]
    fn a_lane_is_due_when_it_may_be_worked_on_and_never_while_it_is_parked() {
        let idle = Head { not_before: NOW, ..Head::new(MapUid(1), NOW) };
        assert_eq!((idle.due(), idle.idle()), (None, true));
        let waits = Head { next_seq: 2, ..idle };
        assert_eq!((waits.due(), waits.idle()), (Some(NOW), false));
        let parked = Head { parked: true, ..waits };
        assert_eq!(parked.due(), Some(Timestamp((1 << 52) + NOW.0)), "after everything that is ever due");
    }

    #[test]
    fn the_last_errors_are_remembered_until_they_are_resolved() {
        let (map, key) = ("customers".parse().unwrap(), "C-1".parse().unwrap());
        let mut head = Head::new(MapUid(1), NOW);
        assert_eq!(head.resolve(&map, &key, Resolved::Written, NOW), None);
        let errors: Vec<_> = (0..=REMEMBERED_ERRORS as u128).map(|n| (LogId(n), ErrorClass::Timeout)).collect();
        errors.iter().for_each(|(id, class)| head.note_error(*id, *class));
        let Some(LogEvent::Resolved(resolution)) = head.resolve(&map, &key, Resolved::Written, NOW) else { panic!() };
        assert_eq!(resolution.last, errors[1..]);
        assert!(head.unresolved.is_empty());
    }
}
