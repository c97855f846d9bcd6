//! What the use cases need from the world, named by need. The simulator has a fake of each.

use std::future::Future;

use domain::{
    EntryId, Failure, Map, MapId, Record, RecordKey, SideId, Timestamp, WriteId,
    lane::{Echoes, Entry, Head, LaneVersion, Marker},
    record::Image,
    side::{SecretRef, Side},
};

/// Everything a use case works with. One implementation for AWS, one in memory for tests.
pub trait Ports: Sync {
    /// Lane heads, entries and markers.
    type Lanes: Lanes;
    /// Maps and sides.
    type Config: Config;
    /// The two apps.
    type Apps: Apps;
    /// Wake-up calls for waiting lanes.
    type Wakes: Wakes;

    /// The journal.
    fn lanes(&self) -> &Self::Lanes;
    /// Maps and sides.
    fn config(&self) -> &Self::Config;
    /// The two apps.
    fn apps(&self) -> &Self::Apps;
    /// Wake-up calls.
    fn wakes(&self) -> &Self::Wakes;
    /// The time now.
    fn now(&self) -> Timestamp;
    /// 128 bits nobody else has: time first, then chance (a ULID).
    fn fresh_id(&self) -> u128;
    /// Lets some time pass.
    fn pause(&self, ms: u64) -> impl Future<Output = ()> + Send;
}

/// Why a port did not do what it was asked. The texts are for the log, not for callers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// It may work when tried again: throttled, no answer, a conflict of transactions.
    #[error("transient: {0}")]
    Transient(String),
    /// It will not: not allowed, too large, not there, not readable.
    #[error("permanent: {0}")]
    Permanent(String),
}

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
    /// Entries and markers that change with it. None of them: one conditional write, no transaction.
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
}

/// Why a commit did not happen (or may not have).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Somebody else changed the head. Or this very commit did, and its answer was lost: read it again and look.
    #[error("the lane was changed in the meantime")]
    Conflict,
    /// The write's id is in the journal already.
    #[error("the write is in the journal already")]
    Duplicate,
    /// The journal cannot be reached.
    #[error(transparent)]
    Port(#[from] PortError),
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
    /// Lanes of a map that have something to do by now, oldest first. Eventually consistent, which is enough: it is
    /// asked again every minute.
    fn due(
        &self,
        map: &Map,
        now: Timestamp,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LaneKey>, PortError>> + Send;
    /// Counts a write that was skipped because the map does not run. May count a repeat twice.
    fn count_skipped(&self, map: &Map) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// Maps and sides, as the write path needs them. May be up to a second old.
pub trait Config: Sync {
    /// A map with both of its sides, in map order.
    fn map(&self, id: &MapId) -> impl Future<Output = Result<Option<MapWithSides>, PortError>> + Send;
    /// All maps that have been run.
    fn maps(&self) -> impl Future<Output = Result<Vec<MapWithSides>, PortError>> + Send;
}

/// A map with the settings of its two sides.
#[derive(Clone, Debug, PartialEq)]
pub struct MapWithSides {
    /// The map.
    pub map: Map,
    /// Its sides, in map order.
    pub sides: [Side; 2],
}

/// What is done to a record of an app.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The entity set or path.
    pub entity: String,
    /// The field that holds the key.
    pub key_field: String,
    /// The record.
    pub key: RecordKey,
    /// Its new image, in the app's own field names; without the key field.
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
}

/// A record as an app has it now.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// Its fields, by the app's names.
    pub record: Record,
    /// Its `ETag`, if the app tells it.
    pub etag: Option<String>,
}

/// The apps. A call never lasts longer than the side's `request_timeout_ms` (for `versioned` sides: three times that,
/// for it may have to read before it writes).
pub trait Apps: Sync {
    /// Upserts or deletes a record. Deleting what is not there is a success.
    fn write(&self, side: &Side, call: &Call) -> impl Future<Output = Result<Applied, Failure>> + Send;
    /// Reads a record; `None` when the app has none.
    fn read(
        &self,
        side: &Side,
        entity: &str,
        key_field: &str,
        key: &RecordKey,
    ) -> impl Future<Output = Result<Option<Found>, Failure>> + Send;
    /// Whether the app can be reached and accepts our credentials: reads at most one record of `entity`.
    fn probe(&self, side: &Side, entity: Option<&str>) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Wake-up calls. They may be lost, late or doubled: the sweep finds what they miss.
pub trait Wakes: Sync {
    /// A lane has something to do.
    fn lane_waits(&self, lane: &LaneKey) -> impl Future<Output = Result<(), PortError>> + Send;
}

/// The paused-write queues: one FIFO queue per map, which holds pointers only. Messages may be lost, doubled or late, and
/// a queue forgets them after 14 days: the journal is the truth, and the sweep finds what a queue has lost.
pub trait Queues: Sync {
    /// Makes the map's queue. Making it again changes nothing.
    fn create(&self, map: &Map) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Removes the map's queue with what is in it. Removing what is not there is a success.
    fn remove(&self, map: &Map) -> impl Future<Output = Result<(), PortError>> + Send;
    /// Sends pointers, in this order. Pointers to one record are received in the order in which they were sent. A second
    /// pointer to the same entry within five minutes is dropped.
    fn send(&self, map: &Map, pointers: &[Pointer]) -> impl Future<Output = Result<(), PortError>> + Send;
    /// At most ten pointers, without waiting for more. Nobody else receives pointers to the same records until these are
    /// deleted or a minute is over; then they come again.
    fn receive(&self, map: &Map) -> impl Future<Output = Result<Vec<Received>, PortError>> + Send;
    /// Takes received pointers out of the queue.
    fn delete(&self, map: &Map, receipts: &[String]) -> impl Future<Output = Result<(), PortError>> + Send;
    /// How many pointers are in the queue: those that wait, and those that were received and not deleted yet.
    /// Approximate.
    fn depth(&self, map: &Map) -> impl Future<Output = Result<u64, PortError>> + Send;
}

/// Points to an entry in the journal.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pointer {
    /// The record.
    pub key: RecordKey,
    /// The entry's place in its lane.
    pub seq: u64,
    /// The entry.
    pub entry: EntryId,
}

/// A pointer, with what deletes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The pointer.
    pub pointer: Pointer,
    /// Names this receipt of it.
    pub receipt: String,
}

/// Secrets, by reference.
pub trait Secrets: Send + Sync {
    /// The secret's value. The error is for operators: it names the reference, never a value.
    fn get(&self, reference: &SecretRef) -> impl Future<Output = Result<String, String>> + Send;
}

/// Who may change maps and sides, and how: see `admin`.
pub trait ConfigStore: Sync {
    /// All sides, by name.
    fn list_sides(&self) -> impl Future<Output = Result<Vec<Side>, PortError>> + Send;
    /// One side.
    fn side(&self, id: &SideId) -> impl Future<Output = Result<Option<Side>, PortError>> + Send;
    /// Saves a side if its stored version is `expected` (0: there is none).
    fn save_side(&self, side: &Side, expected: u64) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Deletes a side if its stored version is `expected`.
    fn delete_side(&self, id: &SideId, expected: u64) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// All maps, by name.
    fn list_maps(&self) -> impl Future<Output = Result<Vec<Map>, PortError>> + Send;
    /// One map.
    fn map(&self, id: &MapId) -> impl Future<Output = Result<Option<Map>, PortError>> + Send;
    /// Saves a map if its stored version is `expected` (0: there is none).
    fn save_map(&self, map: &Map, expected: u64) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Deletes a map if its stored version is `expected`.
    fn delete_map(&self, id: &MapId, expected: u64) -> impl Future<Output = Result<(), CommitError>> + Send;
    /// Heads of a map's lanes that are not idle, at most `limit`, with the entry each stands at.
    fn open_lanes(
        &self,
        map: &Map,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<(LaneKey, Head, Option<Entry>)>, PortError>> + Send;
    /// How many writes were skipped because the map did not run.
    fn skipped(&self, map: &Map) -> impl Future<Output = Result<u64, PortError>> + Send;
}

/// Bearer tokens of operators, known by their hash alone.
pub trait Tokens: Sync {
    /// The token with this SHA-256, if there is one.
    fn token(&self, sha256_hex: &str) -> impl Future<Output = Result<Option<Token>, PortError>> + Send;
    /// Saves a new token.
    fn save_token(&self, sha256_hex: &str, token: &Token) -> impl Future<Output = Result<(), PortError>> + Send;
    /// All tokens.
    fn list_tokens(&self) -> impl Future<Output = Result<Vec<Token>, PortError>> + Send;
    /// Takes a token back; whether there was one.
    fn delete_token(&self, id: &str) -> impl Future<Output = Result<bool, PortError>> + Send;
}

/// A bearer token, without the secret.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Token {
    /// Its id.
    pub id: String,
    /// Whose it is: this name stands in the audit of what was done with it.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an operator may do. Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look.
    Viewer,
    /// Run, stop, retry.
    Operator,
    /// Change sides, maps and tokens.
    Admin,
}
