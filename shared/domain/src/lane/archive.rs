//! Entries that are taken out of their lane without being written: kept with who decided it and why, and recoverable.

use serde::{Deserialize, Serialize};

use super::{Entry, Final, Head, JournalEffect, LaneVersion, MarkerState, Outcome, RestoreCause, Unreadable, Work};
use crate::{
    id::{EntryId, MapId, RecordKey},
    log::Resolved,
    map::{PerSide, SideIx},
    side::{Capability, SideConfig},
    time::Timestamp,
};

/// Who decided something, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribution {
    /// Who.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Why an entry was taken out of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArchiveCause {
    /// An operator gave a parked entry up.
    Skipped,
    /// An operator cancelled it while it waited.
    Cancelled,
    /// An operator let a later write of the same record take its place.
    Superseded,
    /// An operator gave it up, and its own app got what the other one has.
    Reverted,
    /// An operator changed it before it was tried again: this is what it was before.
    Edited,
    /// The map was resumed without its backlog, which went to the catch-up errors.
    SkippedToLive,
    /// The map was resumed and its backlog discarded.
    Discarded,
}

impl ArchiveCause {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Skipped,
        Self::Cancelled,
        Self::Superseded,
        Self::Reverted,
        Self::Edited,
        Self::SkippedToLive,
        Self::Discarded,
    ];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Reverted => "reverted",
            Self::Edited => "edited",
            Self::SkippedToLive => "skipped_to_live",
            Self::Discarded => "discarded",
        }
    }
}

/// An entry that was taken out of its lane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Archived {
    /// Its id in the archive: time first, so that the archive is in order.
    pub id: EntryId,
    /// The record.
    pub key: RecordKey,
    /// The entry as it was.
    pub entry: Entry,
    /// Its version.
    pub version: LaneVersion,
    /// Why it was taken out.
    pub cause: ArchiveCause,
    /// Who decided it.
    pub by: Attribution,
    /// Who brought it back, if somebody did, and as which entry.
    pub recovered: Option<(Attribution, EntryId)>,
}

impl Archived {
    /// Stands for an archived entry that cannot be read.
    #[must_use]
    pub fn unreadable(id: EntryId, damaged: Unreadable) -> Self {
        Self {
            id,
            key: RecordKey::unknown(),
            entry: Entry::unreadable(0, damaged),
            version: LaneVersion { generation: 0, seq: 0 },
            cause: ArchiveCause::Skipped,
            by: Attribution { actor: String::new(), at: id.at(), reason: String::new() },
            recovered: None,
        }
    }
}

/// Why entries cannot be taken out of a lane now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// The first of them is being executed.
    InFlight(Timestamp),
    /// A call of it may still take effect: it would come on top of what is written next.
    MayLand(Timestamp),
    /// They are not the next entries of the lane any more.
    Changed,
}

/// What is archived, and with what.
#[derive(Clone, Debug)]
pub struct Archiving<'a> {
    /// The map.
    pub map: &'a MapId,
    /// The record.
    pub key: &'a RecordKey,
    /// The next entries of the lane, without a gap.
    pub entries: &'a [Entry],
    /// Why.
    pub cause: ArchiveCause,
    /// Who decided it.
    pub by: &'a Attribution,
    /// One fresh id for each entry.
    pub ids: &'a [EntryId],
    /// The two sides, in map order.
    pub sides: [&'a SideConfig; 2],
    /// The time now.
    pub now: Timestamp,
}

/// Takes the next entries out of a lane.
///
/// # Errors
/// One of them may still take effect, or the lane has changed.
pub fn archive(head: &Head, what: &Archiving<'_>) -> Result<(Head, Vec<JournalEffect>), NotNow> {
    let Archiving { map, key, entries, cause, by, ids, sides, now } = *what;
    let first = entries.first().ok_or(NotNow::Changed)?;
    let in_order = entries.iter().zip(head.done_seq + 1..head.next_seq).filter(|(entry, seq)| entry.seq == *seq);
    if in_order.count() != entries.len() || ids.len() < entries.len() {
        return Err(NotNow::Changed);
    }
    may_leave(head, first, call_life_ms(sides), now)?;
    let lost = head.inflight.as_ref().is_some_and(|inflight| inflight.owner.is_some());
    let mut head = Head { version: head.version + 1, parked: false, inflight: None, not_before: now, ..head.clone() };
    let mut effects = Vec::with_capacity(entries.len());
    for (entry, id) in entries.iter().zip(ids) {
        let mut entry = entry.clone();
        entry.outcome_unknown |= lost && entry.seq == first.seq;
        head.done_seq = entry.seq;
        let outcome = outcome(&entry, cause);
        if let Some(write) = entry.write() {
            let (id, seq, outcome) = (write.id.value(), entry.seq, outcome.clone());
            head.recent.note(Final { id, origin: write.origin, body: write.body, seq, outcome });
        }
        let marker = entry.marker(key, MarkerState::Final { outcome, at: now });
        let (version, by) = (head.version_of(entry.seq), by.clone());
        let archived = Archived { id: *id, key: key.clone(), entry, version, cause, by, recovered: None };
        effects.push(JournalEffect::Archive(Box::new(archived), marker));
    }
    let over = head.resolve(map, key, Resolved::Archived, now);
    effects.extend(over.map(JournalEffect::Log));
    Ok((head, effects))
}

/// What the caller of an archived write is told. When only its write-back was left, it is written.
fn outcome(entry: &Entry, cause: ArchiveCause) -> Outcome {
    let origin = entry.write().and_then(|write| write.origin);
    match origin {
        Some(origin) if entry.done[origin.other()] => Outcome::Written { crossing: entry.crossing },
        _ => Outcome::Archived { cause },
    }
}

/// How long after its lease, or its end, a call may still take effect, in milliseconds. A plain side's lease lasts until
/// it cannot.
#[must_use]
pub fn call_life_ms(sides: [&SideConfig; 2]) -> u64 {
    let patient = sides.iter().filter(|side| side.capability != Capability::Plain);
    patient.map(|side| side.call_life_ms).max().unwrap_or(0)
}

/// Whether an entry can leave its lane: no call of it may take effect after the next entry's.
pub(super) fn may_leave(head: &Head, first: &Entry, life: u64, now: Timestamp) -> Result<(), NotNow> {
    if let Some(inflight) = &head.inflight {
        if inflight.lease_end > now {
            return Err(if inflight.owner.is_some() { NotNow::InFlight } else { NotNow::MayLand }(inflight.lease_end));
        }
        let landed = inflight.lease_end.plus_ms(life);
        if inflight.owner.is_some() && landed > now {
            return Err(NotNow::MayLand(landed));
        }
    }
    let last = first.last_failure.as_ref().filter(|_| first.outcome_unknown);
    match last.map(|last| last.at.plus_ms(life)) {
        Some(landed) if landed > now => Err(NotNow::MayLand(landed)),
        _ => Ok(()),
    }
}

/// Puts work of Tandem's or an operator's own at the end of a lane.
#[must_use]
pub fn append(head: &Head, work: Work, id: EntryId, epoch: u64, now: Timestamp) -> (Head, Entry) {
    let mut head = head.clone();
    let seq = head.next_seq;
    let entry = Entry { epoch, ..Entry::new(seq, id, work, now) };
    if head.idle() {
        head.not_before = head.due_from(&entry, now);
    }
    head.next_seq += 1;
    head.version += 1;
    let targets = match &entry.work {
        Work::Restore { to, .. } => PerSide([*to == SideIx::First, *to == SideIx::Second]),
        Work::Write(write) => PerSide([write.origin != Some(SideIx::First), write.origin != Some(SideIx::Second)]),
        Work::Unreadable(_) => PerSide::default(),
    };
    for to in SideIx::BOTH.into_iter().filter(|to| targets[*to]) {
        let side = &mut head.sides[to];
        (side.last_write_seq, side.last_write_at) = (seq, now);
    }
    (head, entry)
}

/// What brings an archived entry back. A change that one of the apps has already is not written from the archive, where
/// it may have grown old: the record is copied as its app has it by then. What neither app has can only be written as it
/// is: see [`newest`].
#[must_use]
pub fn recovery(archived: &Entry) -> Work {
    let copy = |from: SideIx| Work::Restore { from, to: from.other(), cause: RestoreCause::Recovered };
    match &archived.work {
        Work::Write(write) => match (write.origin, archived.done.0) {
            (Some(from), _) => copy(from),
            (None, [true, _]) => copy(SideIx::First),
            (None, [_, true]) => copy(SideIx::Second),
            (None, [false, false]) => Work::Write(write.clone()),
        },
        other @ (Work::Restore { .. } | Work::Unreadable(_)) => other.clone(),
    }
}

/// Whether nothing was accepted for the record since an entry of this version was: its image is not an old one.
#[must_use]
pub fn newest(head: &Head, version: LaneVersion) -> bool {
    head.version_of(head.next_seq - 1) == version
}
