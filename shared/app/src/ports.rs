//! The ports of the use cases, named by need. The simulator has a fake of each.

mod alerts;
mod description;
mod lanes;
mod log;
mod pages;
mod queues;
mod store;
mod sync_runs;

use std::{collections::BTreeMap, future::Future};

use domain::{
    EntryId, Failure, Map, MapId, Record, RecordKey, SideId, Timestamp,
    lane::LaneVersion,
    listing::Listing,
    log::Activity,
    map::{KeyPart, KeyTemplate, KeyType, MapSide},
    record::Image,
    side::{CallEnding, Health, SecretRef, Side},
};
use serde_json::Value;

pub use self::{
    alerts::{
        AlertPorts, Alerts, Event, EventPorts, Events, Flagged, IncidentChange, Mail, MailError, MailPorts, Mailer,
        Refusal,
    },
    description::{Description, EntityDescription, FieldFacets},
    lanes::{
        ARCHIVED_AT_ONCE, Archive, CatchUp, Commit, CommitError, FirstDue, Gauges, JournalOp, LaneKey, Lanes, OpenLane,
        OpenRange, Resent, Sample, archived_at_once,
    },
    log::{FailedEvent, Log, LogRange},
    pages::{Page, PageError, PageRequest},
    queues::{Pointer, Queues, Received},
    store::{ConfigStore, Role, Session, Token, Tokens},
    sync_runs::{
        ActiveRun, FINDINGS_AT_ONCE, FindingChange, FindingList, SyncPorts, SyncRuns, WorkItems, failure_place,
        finding_place, is_waiting_place, waiting_place,
    },
};

/// Everything a use case works with. One implementation for AWS, one in memory for tests.
pub trait Ports: Sync {
    /// Lane heads, entries and markers; the archive; figures.
    type Lanes: Lanes + Archive + Gauges;
    /// The paused-write queues.
    type Queues: Queues;
    /// Maps and sides.
    type Config: Config;
    /// The two apps.
    type Apps: Apps;
    /// Wake-up calls for waiting lanes.
    type WakeUps: WakeUps;

    /// The journal.
    fn lanes(&self) -> &Self::Lanes;
    /// The paused-write queues.
    fn queues(&self) -> &Self::Queues;
    /// Maps and sides.
    fn config(&self) -> &Self::Config;
    /// The two apps.
    fn apps(&self) -> &Self::Apps;
    /// Wake-up calls.
    fn wakes(&self) -> &Self::WakeUps;
    /// The time now.
    fn now(&self) -> Timestamp;
    /// 128 bits nobody else has: time first, then chance (a ULID).
    fn fresh_id(&self) -> u128;
    /// Waits for some milliseconds.
    fn sleep(&self, ms: u64) -> impl Future<Output = ()> + Send;
}

/// Why a port did not do what it was asked. The texts are for the log, not for callers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// A repeat may succeed: throttled, no answer, a conflict of transactions.
    #[error("transient: {0}")]
    Transient(String),
    /// No repeat will succeed: not allowed, too large, not there, not readable.
    #[error("permanent: {0}")]
    Permanent(String),
}

/// Maps and sides, as the write path needs them.
pub trait Config: Sync {
    /// A map with both of its sides, in map order. May be up to a second old.
    fn map(&self, id: &MapId) -> impl Future<Output = Result<Option<SyncMap>, PortError>> + Send;
    /// The same, as it is stored at this moment.
    fn fresh_map(&self, id: &MapId) -> impl Future<Output = Result<Option<SyncMap>, PortError>> + Send;
    /// All maps that have been run, as they are stored at this moment.
    fn maps(&self) -> impl Future<Output = Result<Vec<SyncMap>, PortError>> + Send;
    /// Saves a map if its stored version is `expected`, together with its line in the activity log.
    fn save_map(
        &self,
        map: &Map,
        expected: u64,
        line: &Activity,
    ) -> impl Future<Output = Result<(), CommitError>> + Send;
}

/// A map with the settings of its two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncMap {
    /// The map.
    pub map: Map,
    /// Its sides, in map order.
    pub sides: [Side; 2],
}

impl std::ops::Deref for SyncMap {
    type Target = Map;

    fn deref(&self) -> &Map {
        &self.map
    }
}

/// Where a record is found in an app.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordAddress {
    /// The entity set or path.
    pub entity: String,
    /// The field that holds the key, or a template of fields.
    pub key_field: String,
    /// Fields of the key that are no text.
    pub key_types: BTreeMap<String, KeyType>,
    /// The other parts of the key, which are the same for all records of the map.
    pub fixed_key: BTreeMap<String, Value>,
    /// The key.
    pub key: RecordKey,
}

impl RecordAddress {
    /// The address of a record at one end of a map.
    #[must_use]
    pub fn of(end: &MapSide, key: &RecordKey) -> Self {
        let MapSide { entity, key_field, key_types, fixed_key, .. } = end.clone();
        Self { entity, key_field, key_types, fixed_key, key: key.clone() }
    }

    /// The fields of the key with their values: those that are the same for all records, then those of the template.
    ///
    /// # Errors
    /// Names the field that the key has no value for, or of whose type its value is not.
    pub fn parts(&self) -> Result<Vec<KeyPart>, String> {
        let own = KeyTemplate::of(&self.key_field).parts(&self.key_types, self.key.as_str())?;
        Ok(KeyPart::fixed(&self.fixed_key, &self.key_types).into_iter().chain(own).collect())
    }

    /// The fields that differ from record to record.
    #[must_use]
    pub fn own_fields(&self) -> Vec<&str> {
        KeyTemplate::of(&self.key_field).fields
    }
}

/// A write to one record of an app.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The record.
    pub record: RecordAddress,
    /// Its new image, in the app's own field names; without the fields of its key.
    pub image: Image,
    /// Goes along as `Idempotency-Key`, the same in every attempt.
    pub entry: EntryId,
    /// Goes along as `Tandem-Version`: grows with every entry of the record.
    pub version: LaneVersion,
    /// The `ETag` the record had when Tandem last wrote it, if nothing else is known to have changed it since.
    pub etag: Option<String>,
}

/// A call that had its effect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// The record's new `ETag`, if the app tells it.
    pub etag: Option<String>,
    /// The record as the app has stored it, by the app's names and without the fields of its key. Only a side that is set to
    /// return it does, and even then it may not: `None` says nothing.
    pub stored: Option<Record>,
    /// The app had this content already, or no such record to delete: nothing was written.
    pub unchanged: bool,
}

impl Call {
    /// What the outcome of this call tells of the app.
    #[must_use]
    pub fn ending<'a>(&'a self, outcome: &'a Result<Applied, Failure>) -> CallEnding<'a> {
        match outcome {
            Ok(Applied { unchanged: false, .. }) => CallEnding::Taken(&self.record.entity),
            Ok(_) => CallEnding::NothingToWrite,
            Err(failure) => CallEnding::Failed(failure),
        }
    }
}

/// A record as an app has it now.
#[derive(Clone, Debug, PartialEq)]
pub struct FetchedRecord {
    /// Its fields, by the app's names.
    pub record: Record,
    /// Its `ETag`, if the app tells it.
    pub etag: Option<String>,
}

/// The apps. A read, also that of a page, never lasts longer than the side's `request_timeout_ms`, and a write never longer than that times
/// [`requests_per_write`](domain::side::SideConfig::requests_per_write).
pub trait Apps: Sync {
    /// Upserts or deletes a record. Deleting what is not there is a success.
    fn write(&self, side: &Side, call: &Call) -> impl Future<Output = Result<Applied, Failure>> + Send;
    /// Reads a record; `None` when the app has none.
    fn read(
        &self,
        side: &Side,
        record: &RecordAddress,
    ) -> impl Future<Output = Result<Option<FetchedRecord>, Failure>> + Send;
    /// Reads a page of the list of an entity's records, with the sign-in for copies if the side has one.
    fn read_page(
        &self,
        side: &Side,
        listing: &Listing,
        request: &PageRequest,
    ) -> impl Future<Output = Result<Page, PageError>> + Send;
    /// How the app of a side answers, as this process has seen it.
    fn health(&self, side: &SideId) -> Health;
    /// Reads one record of `entity`, whichever the app gives; `None` when it has none. With the fields of its key.
    fn sample(&self, side: &Side, entity: &str) -> impl Future<Output = Result<Option<FetchedRecord>, Failure>> + Send;
    /// What the app says of these entities; `None` when apps of this kind say nothing.
    fn describe(
        &self,
        side: &Side,
        entities: &[String],
    ) -> impl Future<Output = Result<Option<Description>, Failure>> + Send;
    /// Notes a report of the side, for [`Apps::health`]: whether it told what Tandem had written.
    fn note_report(&self, _side: &SideId, _is_own: bool, _at: Timestamp) {}
    /// Whether the app can be reached and accepts our credentials: reads at most one record of `entity`.
    fn probe(&self, side: &Side, entity: Option<&str>) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Wake-up calls. They may be lost, late or doubled: the sweep finds what they miss.
pub trait WakeUps: Sync {
    /// A lane has something to do.
    fn wake_lane(&self, lane: &LaneKey) -> impl Future<Output = Result<(), PortError>> + Send;
    /// A map has a backlog to be written.
    fn wake_map(&self, map: &MapId) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Secrets, by reference.
pub trait Secrets: Send + Sync {
    /// The secret's value. The error is for operators: it names the reference, never a value.
    fn get(&self, reference: &SecretRef) -> impl Future<Output = Result<String, String>> + Send;
}
