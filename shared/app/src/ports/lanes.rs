//! The journal, the archive, and the items beside them.

use std::future::Future;

use domain::{
    EntryId, Map, MapId, Owner, RecordKey, SideId, Timestamp, WriteId,
    lane::{Archived, Conflict, Echoes, Entry, Head, JournalEffect, Marker, PARKED_FROM},
    log::LogEvent,
    side::Health,
};

use super::PortError;

/// Names a lane: one record of one map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneKey {
    /// The map.
    pub map: MapId,
    /// The record.
    pub key: RecordKey,
}

/// One change of a lane: the head and what must follow from it, saved together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// The head as it shall be. Its `version` is one more than `expected`.
    pub head: Head,
    /// The version that was read; 0 when there was no head.
    pub expected: u64,
    /// Entries and markers that change with it, and what is logged of it. No entry and no marker: one conditional write,
    /// no transaction.
    pub ops: Vec<JournalOp>,
}

/// A change of the journal that goes with a change of its head.
#[derive(Clone, Debug, PartialEq)]
pub enum JournalOp {
    /// A new entry of the lane. Fails as [`CommitError::Duplicate`] when its marker exists.
    Append(Entry, Option<Marker>),
    /// An entry that is in the journal already, changed by an attempt.
    Update(Entry, Option<Marker>),
    /// An entry that came to its end: it leaves the journal, its marker stays with the answer.
    Finish {
        /// The entry's place.
        seq: u64,
        /// What `GET /writes/{id}` tells from now on. `None` for an entry that is no caller's write.
        marker: Option<Marker>,
    },
    /// An entry that leaves the journal for the archive. It need not be in the journal as an item of its own.
    Archive(Box<Archived>, Option<Marker>),
    /// What an entry was before an operator changed it.
    Keep(Box<Archived>),
    /// An archived entry was brought back. Fails as [`CommitError::Duplicate`] when it was before.
    Recover(Box<Archived>),
    /// Two changes crossed.
    Conflict(Box<Conflict>),
    /// The value that lost was brought back. Fails as [`CommitError::Duplicate`] when it was before.
    Reverse(Box<Conflict>),
    /// This is logged with the change: it stands in the head until the next one, and the table's stream tells of it.
    Log(LogEvent),
}

/// Most entries that one commit archives: a transaction of DynamoDB has at most 100 actions, and each takes three.
pub const ARCHIVED_AT_ONCE: usize = 30;

/// Most bytes of records that one commit archives. A transaction of DynamoDB has at most 4 MB, in which an entry counts
/// twice: as what is deleted and as what is put. Records are deflated; one that cannot be has nearly its size.
const ARCHIVED_BYTES_AT_ONCE: usize = 1_500_000;

/// The first of these entries, at least one, that one commit can archive.
#[must_use]
pub fn archived_at_once(entries: Vec<Entry>) -> Vec<Entry> {
    let mut bytes = 0;
    let fits = |entry: &Entry| {
        // What cannot be measured takes all that there is.
        let size = serde_json::to_vec(entry).map_or(ARCHIVED_BYTES_AT_ONCE, |json| json.len());
        let first = bytes == 0;
        bytes += size;
        first || bytes <= ARCHIVED_BYTES_AT_ONCE
    };
    entries.into_iter().take(ARCHIVED_AT_ONCE).take_while(fits).collect()
}

impl From<JournalEffect> for JournalOp {
    fn from(effect: JournalEffect) -> Self {
        match effect {
            JournalEffect::Append(entry, marker) => Self::Append(entry, marker),
            JournalEffect::Update(entry, marker) => Self::Update(entry, marker),
            JournalEffect::Finish(seq, marker) => Self::Finish { seq, marker },
            JournalEffect::Archive(archived, marker) => Self::Archive(archived, marker),
            JournalEffect::Keep(archived) => Self::Keep(archived),
            JournalEffect::Conflict(conflict) => Self::Conflict(conflict),
            JournalEffect::Log(event) => Self::Log(event),
        }
    }
}

impl Commit {
    /// A change of a head that was read, with what follows from it.
    #[must_use]
    pub fn of(read: Option<&Head>, head: Head, effects: Vec<JournalEffect>) -> Self {
        let expected = read.map_or(0, |read| read.version);
        Self { head, expected, ops: effects.into_iter().map(JournalOp::from).collect() }
    }
}

/// Why a commit did not happen (or may not have).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Somebody else changed the head. Or this very commit did, and its answer was lost: read it again and look.
    #[error("the lane was changed in the meantime")]
    Stale,
    /// The write's id is in the journal already.
    #[error("the write is in the journal already")]
    Duplicate,
    /// The journal cannot be reached.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Which of the lanes that are not idle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRange {
    /// Due at this time or later.
    pub from: Timestamp,
    /// Due at this time or before.
    pub until: Timestamp,
    /// Behind this lane: the last of the page before.
    pub after: Option<OpenLane>,
    /// Which end comes first.
    pub first: FirstDue,
}

/// Which lanes of a range come first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FirstDue {
    /// Those that have been due for longest.
    #[default]
    Oldest,
    /// Those that became due last.
    Newest,
}

impl OpenRange {
    /// Lanes that have something to do by now.
    #[must_use]
    pub fn due(now: Timestamp) -> Self {
        Self { from: Timestamp(0), until: now, after: None, first: FirstDue::Oldest }
    }

    /// Lanes that do not wait for an operator.
    #[must_use]
    pub fn unparked() -> Self {
        Self { from: Timestamp(0), until: Timestamp(PARKED_FROM.0 - 1), after: None, first: FirstDue::Oldest }
    }

    /// Lanes that wait for an operator.
    #[must_use]
    pub fn parked() -> Self {
        Self { from: PARKED_FROM, until: Timestamp::NEVER, after: None, first: FirstDue::Oldest }
    }

    /// Lanes that have been due since this time or longer, the newest of them first.
    #[must_use]
    pub fn newest_first(until: Timestamp) -> Self {
        Self { first: FirstDue::Newest, ..Self::due(until) }
    }

    /// Whether a lane lies in this range, behind the page before.
    #[must_use]
    pub fn contains(&self, open: &OpenLane) -> bool {
        let behind = |after: &OpenLane| match self.first {
            FirstDue::Oldest => open > after,
            FirstDue::Newest => open < after,
        };
        open.at >= self.from && open.at <= self.until && self.after.as_ref().is_none_or(behind)
    }

    /// Puts lanes in the order of this range.
    pub fn sort(&self, lanes: &mut [OpenLane]) {
        match self.first {
            FirstDue::Oldest => lanes.sort(),
            FirstDue::Newest => lanes.sort_by(|one, other| other.cmp(one)),
        }
    }

    /// All of them.
    #[must_use]
    pub fn all() -> Self {
        Self { from: Timestamp(0), until: Timestamp::NEVER, after: None, first: FirstDue::Oldest }
    }
}

/// A lane in the index of those that are not idle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenLane {
    /// When it is due; for a lane that waits for an operator, [`PARKED_FROM`] and the time since when.
    pub at: Timestamp,
    /// The lane.
    pub lane: LaneKey,
}

/// The journal: lanes and what is in them. Reads are strongly consistent unless they say otherwise.
pub trait Lanes: Sync {
    /// The head of a lane and the echoes noted in it.
    fn head(&self, lane: &LaneKey) -> impl Future<Output = Result<Option<(Head, Echoes)>, PortError>> + Send;
    /// One entry.
    fn entry(&self, lane: &LaneKey, seq: u64) -> impl Future<Output = Result<Option<Entry>, PortError>> + Send;
    /// What is known of a write that was queued once.
    fn marker(&self, map: &MapId, id: WriteId) -> impl Future<Output = Result<Option<Marker>, PortError>> + Send;
    /// Saves a change if the head is still at the version it was read at.
    fn commit(&self, lane: &LaneKey, commit: Commit) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Notes the id of an echo, if the echoes are still those that were read.
    fn note_echo(
        &self,
        lane: &LaneKey,
        read: &Echoes,
        noted: &Echoes,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Entries of a lane from this place on, in their order.
    fn entries(
        &self,
        lane: &LaneKey,
        from: u64,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Entry>, PortError>> + Send;
    /// Lanes of a map that are not idle, in the order of the range, at most `limit`. Eventually consistent,
    /// which is enough: it is asked again every minute.
    fn open(
        &self,
        map: &Map,
        range: OpenRange,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<OpenLane>, PortError>> + Send;
    /// Counts a write that was skipped because the map does not run. May count a repeat twice.
    fn count_skipped(&self, map: &Map) -> impl Future<Output = Result<(), PortError>> + Send;
    /// How many writes were skipped because the map did not run.
    fn skipped(&self, map: &Map) -> impl Future<Output = Result<u64, PortError>> + Send;
}

/// What was taken out of lanes, and what crossed.
pub trait Archive: Sync {
    /// Archived entries of a map, newest first, older than `before`.
    fn archived(
        &self,
        map: &Map,
        before: Option<EntryId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Archived>, PortError>> + Send;
    /// The same, oldest first, newer than `after`.
    fn archived_first(
        &self,
        map: &Map,
        after: Option<EntryId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Archived>, PortError>> + Send;
    /// One of them.
    fn one_archived(&self, map: &Map, id: EntryId) -> impl Future<Output = Result<Option<Archived>, PortError>> + Send;
    /// Conflicts of a map, newest first, older than `before`.
    fn conflicts(
        &self,
        map: &Map,
        before: Option<EntryId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Conflict>, PortError>> + Send;
    /// One of them, by its entry.
    fn conflict(&self, map: &Map, entry: EntryId) -> impl Future<Output = Result<Option<Conflict>, PortError>> + Send;
}

/// Small items beside the lanes of a map, of two kinds.
///
/// Figures for people (`count_catch_up`, `catch_up`, `note_depth`, `depths`, `note_health`, `noted_health`). They may
/// lag, and a crash may lose some. One decision depends on them: with `noted_health`, Tandem parks a record that fails
/// alone sooner.
///
/// Coordination of runs (`acquire_drain`, `drain_holder`, `release_drain`, `resent`, `note_resent`): the drain decides by it. The
/// drain lease must be a conditional write, or runs do not hand a map over; no record is written wrongly without it. The
/// position of a resend must not get ahead of the pointers sent, or a queue forgets pointers; the sweep then finds their
/// lanes in the index.
pub trait Gauges: Sync {
    /// Adds to what was done since the map was resumed (its epoch). When that began is taken from the first note.
    fn count_catch_up(
        &self,
        map: &Map,
        more: &CatchUp,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), PortError>> + Send;
    /// What was done since the map was resumed last.
    fn catch_up(&self, map: &Map) -> impl Future<Output = Result<Option<CatchUp>, PortError>> + Send;
    /// Takes or renews the drain lease of the map for this run, until that time. `false`: another run of this epoch or a
    /// later one has it, and its time is not up.
    fn acquire_drain(
        &self,
        map: &Map,
        run: Owner,
        now: Timestamp,
        until: Timestamp,
    ) -> impl Future<Output = Result<bool, PortError>> + Send;
    /// The run that has the drain lease now, in the map's epoch or a later one.
    fn drain_holder(&self, map: &Map, now: Timestamp) -> impl Future<Output = Result<Option<Owner>, PortError>> + Send;
    /// Releases the drain lease, if this run has it.
    fn release_drain(&self, map: &Map, run: Owner) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Notes how deep the paused-write queue is, and forgets all but the sample before.
    fn note_depth(&self, map: &Map, sample: Sample) -> impl Future<Output = Result<(), PortError>> + Send;
    /// When the pointers of this map were last sent again, and the position of the round that is under way.
    fn resent(&self, map: &Map) -> impl Future<Output = Result<Resent, PortError>> + Send;
    /// Stores when pointers were last sent again, and the position of the round that is under way.
    fn note_resent(&self, map: &Map, resent: &Resent) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Merges the health that one process has seen into the side's noted health. The first trouble noted stays until an
    /// answer is noted that is newer than its beginning.
    fn note_health(&self, side: &SideId, health: &Health) -> impl Future<Output = Result<(), PortError>> + Send;
    /// How the app of a side answers, as all processes have noted it.
    fn noted_health(&self, side: &SideId) -> impl Future<Output = Result<Health, PortError>> + Send;
    /// The last two samples, newest first.
    fn depths(&self, map: &Map) -> impl Future<Output = Result<Vec<Sample>, PortError>> + Send;
}

/// What was done since a map was resumed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CatchUp {
    /// The epoch of the resume.
    pub epoch: u64,
    /// When the map was resumed.
    pub began: Timestamp,
    /// When the last of it was counted.
    pub last: Timestamp,
    /// Entries that came to their end.
    pub done: u64,
    /// Entries that were archived.
    pub archived: u64,
    /// Entries that were parked.
    pub parked: u64,
    /// Attempts that failed and are repeated.
    pub failed: u64,
}

/// How far pointers were sent again, before their queue forgets them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    /// When the last round began that went through all lanes; 1970: none did.
    pub at: Timestamp,
    /// When the round began that is not through yet, and the last lane that it has done.
    pub round: Option<(Timestamp, OpenLane)>,
}

/// How deep a queue was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sample {
    /// When.
    pub at: Timestamp,
    /// Entries that waited.
    pub depth: u64,
}
