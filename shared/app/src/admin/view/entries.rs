//! Responses about entries, archived entries and conflicts. They never contain values of redacted fields, nor fields that the
//! map does not carry.

use domain::{
    Map, MapConfig, Record, SideIx,
    lane::{Archived, Attribution as Stored, Conflict, Entry, Head, LaneVersion, ParkReason, Winner, Work},
    record::Image,
    redact::redacted_image,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::LaneFailure;

/// Who decided something, when and why.
#[derive(Serialize, ToSchema)]
pub struct Attribution {
    /// Who.
    pub actor: String,
    /// When, RFC 3339.
    pub at: String,
    /// Why.
    pub reason: String,
}

impl From<Stored> for Attribution {
    fn from(by: Stored) -> Self {
        Self { actor: by.actor, at: by.at.to_string(), reason: by.reason }
    }
}

/// A change in a record's lane.
#[derive(Serialize, ToSchema)]
pub struct EntryView {
    /// The record.
    pub key: String,
    /// Its place in the record's lane. Commands name it.
    pub seq: u64,
    /// Its id. The apps receive it as `Idempotency-Key`.
    pub entry: String,
    /// `upsert`, `delete`, or `copy`: the record as one app has it by then is written to the other. `unknown`: what is stored
    /// cannot be read.
    pub op: &'static str,
    /// The app that made the change. Absent: neither app did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub origin: Option<String>,
    /// The caller's write id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub id: Option<String>,
    /// When it was accepted, RFC 3339. Absent: what is stored cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub accepted_at: Option<String>,
    /// Why it cannot be read. It is not written; `skip` moves it to the archive as it is stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unreadable: Option<String>,
    /// Number of attempts started.
    pub attempts: u32,
    /// `true`: an attempt ended without a known outcome, so the app may have the change.
    pub outcome_unknown: bool,
    /// Sides to which it was written.
    pub done: Vec<String>,
    /// Why it waits for an operator: `refused`, `half_written`, `held`, `keeps_failing`, `bounces` or
    /// `unreadable`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub parked: Option<&'static str>,
    /// Who decided that it is not written when its turn comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cancelled: Option<Attribution>,
    /// The error of the last attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub last_failure: Option<LaneFailure>,
    /// Who acknowledged it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub acknowledged: Option<Attribution>,
    /// The assignee.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub assigned_to: Option<String>,
    /// Notes, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Attribution>,
}

impl EntryView {
    pub fn of(map: &Map, key: &domain::RecordKey, entry: Entry) -> Self {
        let side = |ix: SideIx| map.config.side(ix).side.to_string();
        let write = entry.write();
        let op = match &entry.work {
            Work::Write(write) if write.image == Image::Absent => "delete",
            Work::Write(_) => "upsert",
            Work::Restore { .. } => "copy",
            Work::Unreadable(_) => "unknown",
        };
        let unreadable = match &entry.work {
            Work::Unreadable(damaged) => Some(damaged.why.clone()),
            Work::Write(_) | Work::Restore { .. } => None,
        };
        let handling = entry.handling.as_deref().cloned().unwrap_or_default();
        Self {
            key: key.to_string(),
            seq: entry.seq,
            entry: entry.id.to_string(),
            op,
            origin: write.and_then(|write| write.origin).map(side),
            id: write.map(|write| write.id.to_string()),
            accepted_at: unreadable.is_none().then(|| entry.accepted_at.to_string()),
            unreadable,
            attempts: entry.attempts,
            outcome_unknown: entry.outcome_unknown,
            done: SideIx::BOTH.into_iter().filter(|ix| entry.done[*ix]).map(side).collect(),
            parked: entry.parked.map(|reason| match reason {
                ParkReason::Refused => "refused",
                ParkReason::HalfWritten => "half_written",
                ParkReason::Held => "held",
                ParkReason::KeepsFailing => "keeps_failing",
                ParkReason::Bounces => "bounces",
                ParkReason::Unreadable => "unreadable",
            }),
            cancelled: entry.cancelled.map(Attribution::from),
            last_failure: entry.last_failure.map(|step| LaneFailure::of(side(step.to), step)),
            acknowledged: handling.acknowledged.map(Attribution::from),
            assigned_to: handling.assigned_to,
            notes: handling.notes.into_iter().map(Attribution::from).collect(),
        }
    }
}

/// A page of entries.
#[derive(Serialize, ToSchema)]
pub struct Entries {
    /// In the order of their lanes.
    pub entries: Vec<EntryView>,
    /// The `after` of the next request. Absent: this is the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// One entry with its record.
#[derive(Serialize, ToSchema)]
pub struct EntryDetail {
    /// The entry.
    #[serde(flatten)]
    pub entry: EntryView,
    /// Its version. The apps receive it as `Tandem-Version`.
    pub version: String,
    /// The side whose field names `record` uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shape: Option<String>,
    /// The record. Absent for a deletion or a copy. Redacted values are `•••`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub record: Option<Record>,
    /// Number of later changes of the record that are queued.
    pub behind: u64,
}

impl EntryDetail {
    pub fn of(map: &Map, key: &domain::RecordKey, head: &Head, entry: Entry) -> Self {
        let write = entry.write().cloned();
        Self {
            version: head.version_of(entry.seq).to_string(),
            shape: write.as_ref().map(|write| map.config.side(write.shape).side.to_string()),
            record: write.and_then(|write| shown(&map.config, write.shape, &write.image)),
            behind: head.next_seq.saturating_sub(entry.seq + 1),
            entry: EntryView::of(map, key, entry),
        }
    }
}

pub(super) fn shown(config: &MapConfig, of: SideIx, image: &Image) -> Option<Record> {
    match redacted_image(config, of, image) {
        Image::Present(record) => Some(record),
        Image::Absent => None,
    }
}

/// An entry that was taken out of its lane.
#[derive(Serialize, ToSchema)]
pub struct ArchivedView {
    /// Its id in the archive.
    pub archive_id: String,
    /// `skipped`, `cancelled`, `superseded`, `reverted`, `edited`, `skipped_to_live` or `discarded`.
    pub cause: &'static str,
    /// Who decided it.
    pub by: Attribution,
    /// Who recovered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub recovered: Option<Attribution>,
    /// Its version.
    pub version: String,
    /// The entry as it was.
    pub entry: EntryView,
    /// The side whose field names `record` uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub shape: Option<String>,
    /// The record. Absent for a deletion or a copy. Redacted values are `•••`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub record: Option<Record>,
}

impl ArchivedView {
    pub fn of(map: &Map, archived: Archived) -> Self {
        let Archived { id, key, entry, version, cause, by, recovered } = archived;
        let write = entry.write().cloned();
        Self {
            archive_id: id.to_string(),
            cause: cause.as_str(),
            by: by.into(),
            recovered: recovered.map(|(by, _)| by.into()),
            version: version.to_string(),
            shape: write.as_ref().map(|write| map.config.side(write.shape).side.to_string()),
            record: write.and_then(|write| shown(&map.config, write.shape, &write.image)),
            entry: EntryView::of(map, &key, entry),
        }
    }
}

/// A page of archived entries.
#[derive(Serialize, ToSchema)]
pub struct Archive {
    /// Newest first.
    pub archived: Vec<ArchivedView>,
    /// The `before` of the next request. Absent: this is the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}

/// Two changes of one record that crossed.
#[derive(Serialize, ToSchema)]
pub struct ConflictView {
    /// The entry that crossed.
    pub entry: String,
    /// The record.
    pub key: String,
    /// The entry's version.
    pub version: String,
    /// When Tandem recorded it, RFC 3339.
    pub at: String,
    /// The app that made the change of the entry.
    pub origin: String,
    /// Whose value both apps have now: `this_write` or `the_other`.
    #[schema(value_type = String)]
    pub winner: Winner,
    /// The value that both apps have now.
    pub kept: Value,
    /// The value that lost.
    pub lost: Value,
    /// Who reversed the conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reversed: Option<Attribution>,
    /// Why it cannot be read. Only its `entry` is known then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub unreadable: Option<String>,
}

/// A record as one side had it.
#[derive(Serialize, ToSchema)]
pub struct Value {
    /// The side.
    pub side: String,
    /// The record. Absent: the side had none. Redacted values are `•••`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    pub record: Option<Record>,
}

impl ConflictView {
    pub fn of(map: &Map, conflict: Conflict) -> Self {
        let Conflict { entry, key, version, at, origin, winner, kept, kept_on, lost, reversed, unreadable } = conflict;
        let value = |ix: SideIx, image: &Image| Value {
            side: map.config.side(ix).side.to_string(),
            record: shown(&map.config, ix, image),
        };
        Self {
            entry: entry.to_string(),
            key: key.to_string(),
            version: LaneVersion::to_string(&version),
            at: at.to_string(),
            origin: map.config.side(origin).side.to_string(),
            winner,
            kept: value(kept_on, &kept),
            lost: value(kept_on.other(), &lost),
            reversed: reversed.map(|(by, _)| by.into()),
            unreadable,
        }
    }
}

/// A page of conflicts.
#[derive(Serialize, ToSchema)]
pub struct Conflicts {
    /// Newest first.
    pub conflicts: Vec<ConflictView>,
    /// The `before` of the next request. Absent: this is the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next: Option<String>,
}
