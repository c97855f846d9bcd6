//! How heads, entries and markers are kept.
//!
//! DynamoDB bills each write of a head by the kilobyte, so attributes that it need not see are packed into one, and the
//! record in flight is deflated in another. Packed parts are read by position: a change of them must raise
//! [`HEAD_SCHEMA`] and keep reading the previous schema ([`head_v1`]).

mod head_v1;
mod in_flight;

use std::{
    borrow::Cow,
    collections::HashMap,
    io::{Read, Write},
};

use app::ports::{LaneKey, PortError};
use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{
    EntryId, ErrorClass, LogId, Timestamp,
    id::MapUid,
    lane::{
        ActiveEntry, ArchiveCause, Archived, Conflict, Echoes, Entry, Head, Marker, MarkerState, Recent, SideMemory,
        Unreadable, Work,
    },
    limits::{ARCHIVE_TTL_MS, MARKER_TTL_MS, MAX_BODY_BYTES},
    log::LogEvent,
    map::PerSide,
};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use self::in_flight::{put_record, take_record};
use crate::{
    keys::open_partition,
    metrics::{Metrics, Unit},
    outbox::{self, OUTBOX},
};

/// The schema of the heads written here.
const HEAD_SCHEMA: u64 = 2;
/// The schema of entries, markers, archived entries and conflicts.
const BODY_SCHEMA: u64 = 1;
/// Condition: there is no head, or one without a version that can be read.
const NO_VERSION: &str = "attribute_not_exists(pk) OR NOT attribute_type(version, :number)";
/// Largest unpacked item: an entry carries one record and its bookkeeping.
const MAX_UNPACKED_BYTES: u64 = 4 * MAX_BODY_BYTES as u64;

pub(super) type Item = HashMap<String, AttributeValue>;

/// A conditional update of a head.
pub(super) struct HeadUpdate {
    pub(super) expression: String,
    pub(super) condition: &'static str,
    pub(super) values: HashMap<String, AttributeValue>,
}

pub(super) fn number(n: u64) -> AttributeValue {
    AttributeValue::N(n.to_string())
}

fn unreadable(what: &str, error: impl std::fmt::Display) -> PortError {
    PortError::Permanent(format!("{what} cannot be read: {error}"))
}

/// During a deployment, a function of the newer release may have written this item. The older function then answers
/// that it is unavailable, and its caller retries.
fn newer(what: &str, schema: u64) -> PortError {
    PortError::Transient(format!("{what} has schema {schema}, of a newer release"))
}

/// Packs a value that only Tandem reads.
pub(super) fn pack<T: Serialize>(value: &T) -> Result<AttributeValue, PortError> {
    let bytes = postcard::to_allocvec(value).map_err(|error| PortError::Permanent(error.to_string()))?;
    Ok(AttributeValue::B(Blob::new(bytes)))
}

fn unpack_head(item: &Item) -> Result<Packed<'static>, PortError> {
    match read_number(item, "v")? {
        1 => head_v1::unpack(item),
        HEAD_SCHEMA => unpack(item, "lane")?.ok_or_else(|| unreadable("lane", "missing")),
        schema => Err(newer("a lane head", schema)),
    }
}

fn unpack<T: DeserializeOwned>(item: &Item, name: &str) -> Result<Option<T>, PortError> {
    let Some(bytes) = read_bytes(item, name)? else { return Ok(None) };
    postcard::from_bytes(bytes).map(Some).map_err(|error| unreadable(name, error))
}

fn read_bytes<'a>(item: &'a Item, name: &str) -> Result<Option<&'a [u8]>, PortError> {
    let blob = item.get(name).map(AttributeValue::as_b).transpose().map_err(|_| unreadable(name, "not binary"))?;
    Ok(blob.map(AsRef::as_ref))
}

/// Packs a value that carries a record: deflated JSON.
fn deflate<T: Serialize>(value: &T) -> Result<AttributeValue, PortError> {
    let failed = |error: String| PortError::Permanent(error);
    let json = serde_json::to_vec(value).map_err(|error| failed(error.to_string()))?;
    let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
    out.write_all(&json).map_err(|error| failed(error.to_string()))?;
    Ok(AttributeValue::B(Blob::new(out.finish().map_err(|error| failed(error.to_string()))?)))
}

fn inflate<T: DeserializeOwned>(item: &Item, name: &str) -> Result<Option<T>, PortError> {
    let Some(bytes) = read_bytes(item, name)? else { return Ok(None) };
    let mut json = Vec::new();
    DeflateDecoder::new(bytes)
        .take(MAX_UNPACKED_BYTES)
        .read_to_end(&mut json)
        .map_err(|error| unreadable(name, error))?;
    // serde_json's own words may repeat a value of the record.
    let failed = |error: serde_json::Error| {
        unreadable(name, format!("{:?} error at byte {} of its JSON", error.classify(), error.column()))
    };
    serde_json::from_slice(&json).map(Some).map_err(failed)
}

pub(super) fn read_number(item: &Item, name: &str) -> Result<u64, PortError> {
    let text = item.get(name).and_then(|value| value.as_n().ok()).ok_or_else(|| unreadable(name, "missing"))?;
    text.parse().map_err(|error| unreadable(name, error))
}

/// The fields of a head that have no attribute of their own, except the record in flight.
#[derive(Serialize, Deserialize)]
struct Packed<'a> {
    generation: u64,
    next_seq: u64,
    done_seq: u64,
    parked: bool,
    not_before: Timestamp,
    inflight: Option<ActiveEntry>,
    recent: Cow<'a, Recent>,
    sides: Cow<'a, PerSide<SideMemory>>,
    unresolved: Cow<'a, [(LogId, ErrorClass)]>,
}

/// The head's part of a commit. It sets attributes by name, so that it does not overwrite echoes that other functions
/// note while this write is in flight.
pub(super) fn head_update(
    head: &Head,
    expected: u64,
    lane: &LaneKey,
    shard: u32,
    log: &[LogEvent],
) -> Result<HeadUpdate, PortError> {
    let mut inflight = head.inflight.clone();
    let record = inflight.as_mut().and_then(take_record);
    let packed = Packed {
        generation: head.generation,
        next_seq: head.next_seq,
        done_seq: head.done_seq,
        parked: head.parked,
        not_before: head.not_before,
        inflight,
        recent: Cow::Borrowed(&head.recent),
        sides: Cow::Borrowed(&head.sides),
        unresolved: Cow::Borrowed(&head.unresolved),
    };
    let mut values = HashMap::from([
        (":v".to_owned(), number(HEAD_SCHEMA)),
        (":version".to_owned(), number(head.version)),
        (":uid".to_owned(), AttributeValue::S(head.map.to_string())),
        (":lane".to_owned(), pack(&packed)?),
    ]);
    let mut expression = "SET v = :v, version = :version, map_uid = :uid, lane = :lane".to_owned();
    let mut gone = Vec::new();
    match record {
        Some(record) => {
            values.insert(":image".to_owned(), deflate(&record)?);
            expression.push_str(", image = :image");
        }
        None => gone.push("image"),
    }
    match head.due() {
        Some(due) => {
            values.insert(":open_pk".to_owned(), AttributeValue::S(open_partition(&lane.map, shard)));
            values.insert(":open_at".to_owned(), number(due.0));
            expression.push_str(", open_pk = :open_pk, open_at = :open_at");
        }
        None => gone.extend(["open_pk", "open_at"]),
    }
    match outbox::attribute(log)? {
        Some(events) => {
            values.insert(":outbox".to_owned(), events);
            expression.push_str(", outbox = :outbox");
        }
        None => gone.push(OUTBOX),
    }
    if head.recent.forgotten_ids().is_empty() {
        gone.push("ids");
    } else {
        values.insert(":ids".to_owned(), pack(head.recent.forgotten_ids())?);
        expression.push_str(", ids = :ids");
    }
    if let Some(damaged) = &head.unreadable {
        // What could not be read is kept beside it.
        values.insert(":damaged".to_owned(), AttributeValue::S(damaged.raw.clone()));
        expression.push_str(", damaged = if_not_exists(damaged, :damaged)");
        gone.extend(["echoes", "echo_ids"]);
    }
    if !gone.is_empty() {
        expression.push_str(" REMOVE ");
        expression.push_str(&gone.join(", "));
    }
    let condition = if expected == 0 {
        values.insert(":number".to_owned(), AttributeValue::S("N".to_owned()));
        NO_VERSION
    } else {
        values.insert(":expected".to_owned(), number(expected));
        "version = :expected"
    };
    Ok(HeadUpdate { expression, condition, values })
}

pub(super) fn read_head(item: &Item) -> Result<(Head, Echoes), PortError> {
    let mut packed = unpack_head(item)?;
    let map = read_uid(item)?;
    if let Some(record) = inflate(item, "image")? {
        packed
            .inflight
            .as_mut()
            .and_then(|to| put_record(to, record))
            .ok_or_else(|| unreadable("image", "nobody's"))?;
    }
    let mut recent = packed.recent.into_owned();
    recent.restore_forgotten_ids(unpack(item, "ids")?.unwrap_or_default());
    let mut echoes: Echoes = unpack(item, "echoes")?.unwrap_or_default();
    echoes.restore_forgotten_ids(unpack(item, "echo_ids")?.unwrap_or_default());
    let head = Head {
        map,
        generation: packed.generation,
        version: read_number(item, "version")?,
        next_seq: packed.next_seq,
        done_seq: packed.done_seq,
        inflight: packed.inflight,
        parked: packed.parked,
        not_before: packed.not_before,
        recent,
        sides: packed.sides.into_owned(),
        unresolved: packed.unresolved.into_owned(),
        unreadable: None,
    };
    Ok((head, echoes))
}

/// Rebuilds a head that cannot be read from what stands beside it. `waiting`: the first and the last place in the lane.
pub(super) fn rebuild_head(
    item: &Item,
    map: MapUid,
    waiting: Option<(u64, u64)>,
    why: String,
    now: Timestamp,
) -> (Head, Echoes) {
    let damaged = note_damage(item, why);
    // Without a version, the next change is conditional on there being none ([`NO_VERSION`]).
    let version = read_number(item, "version").unwrap_or(0);
    (Head::rebuilt(map, version, waiting, damaged, now), Echoes::default())
}

/// The map whose lane a head is of.
pub(super) fn read_uid(item: &Item) -> Result<MapUid, PortError> {
    let uid =
        item.get("map_uid").and_then(|value| value.as_s().ok()).ok_or_else(|| unreadable("map_uid", "missing"))?;
    serde_json::from_value(serde_json::Value::String(uid.clone())).map_err(|error| unreadable("map_uid", error))
}

/// An entry or marker, without its key.
pub(super) fn body<T: Serialize>(value: &T, ttl: Option<Timestamp>) -> Result<Item, PortError> {
    let mut item = Item::from([("v".to_owned(), number(BODY_SCHEMA)), ("body".to_owned(), deflate(value)?)]);
    if let Some(at) = ttl {
        item.insert("ttl".to_owned(), number(at.0 / 1_000));
    }
    Ok(item)
}

pub(super) fn marker(marker: &Marker) -> Result<Item, PortError> {
    let ttl = match &marker.state {
        MarkerState::Final { at, .. } => Some(at.plus_ms(MARKER_TTL_MS)),
        MarkerState::Open | MarkerState::WrittenBackLater => None,
    };
    body(marker, ttl)
}

/// An archived entry. An entry that was skipped to go live does not expire until an operator recovers it.
pub(super) fn archived(archived: &Archived) -> Result<Item, PortError> {
    let waits = archived.cause == ArchiveCause::SkippedToLive && archived.recovered.is_none();
    let closed = archived.recovered.as_ref().map(|(by, _)| by.at);
    let until = closed.unwrap_or(archived.by.at).plus_ms(ARCHIVE_TTL_MS);
    closeable(body(archived, (!waits).then_some(until))?, closed.is_some())
}

/// A conflict.
pub(super) fn conflict(conflict: &Conflict) -> Result<Item, PortError> {
    let closed = conflict.reversed.as_ref().map(|(by, _)| by.at);
    let until = closed.unwrap_or(conflict.at).plus_ms(ARCHIVE_TTL_MS);
    closeable(body(conflict, Some(until))?, closed.is_some())
}

fn closeable(mut item: Item, closed: bool) -> Result<Item, PortError> {
    if closed {
        item.insert("closed".to_owned(), AttributeValue::Bool(true));
    }
    Ok(item)
}

pub(super) fn read_body<T: DeserializeOwned>(item: &Item) -> Result<T, PortError> {
    match read_number(item, "v")? {
        BODY_SCHEMA => inflate(item, "body")?.ok_or_else(|| unreadable("body", "missing")),
        schema => Err(newer("body", schema)),
    }
}

/// Reads an entry. What cannot be read is an entry, too: it stops its own lane, and operators can take it out.
pub(super) fn read_entry(item: &Item, seq: u64) -> Result<Entry, PortError> {
    let entry: Entry = match read_body(item) {
        Err(PortError::Permanent(why)) => {
            return Ok(Entry::unreadable(seq, note_damage(item, why)));
        }
        read => read?,
    };
    if entry.seq != seq {
        let why = format!("its place is {}, and its key says {seq}", entry.seq);
        return Ok(Entry::unreadable(seq, note_damage(item, why)));
    }
    Ok(read_raw(entry))
}

/// Reads an entry that could not be read when an operator handled it: a later release may be able to.
fn read_raw(entry: Entry) -> Entry {
    let Work::Unreadable(Unreadable { raw, .. }) = &entry.work else { return entry };
    match serde_json::from_str::<Entry>(raw) {
        Ok(read) if read.seq == entry.seq => {
            Entry { handling: entry.handling, cancelled: entry.cancelled.or(read.cancelled), ..read }
        }
        _ => entry,
    }
}

/// Reads an archived entry, whose id is in its key.
pub(super) fn read_archived(item: &Item) -> Result<Archived, PortError> {
    match read_body(item) {
        Err(PortError::Permanent(why)) => Ok(Archived::unreadable(read_id(item)?, note_damage(item, why))),
        read => read,
    }
}

/// Reads a conflict, whose entry is in its key.
pub(super) fn read_conflict(item: &Item) -> Result<Conflict, PortError> {
    match read_body(item) {
        Err(PortError::Permanent(why)) => Ok(Conflict::unreadable(read_id(item)?, note_damage(item, why).why)),
        read => read,
    }
}

fn read_id(item: &Item) -> Result<EntryId, PortError> {
    let id = item.get("sk").and_then(|sk| u128::from_str_radix(sk.as_s().ok()?, 16).ok());
    id.map(EntryId).ok_or_else(|| unreadable("sk", "no id"))
}

/// Logs and counts an item that cannot be read, which raises an alarm. Returns what is stored.
fn note_damage(item: &Item, why: String) -> Unreadable {
    let key = |name| item.get(name).and_then(|key| key.as_s().ok()).map_or("?", String::as_str);
    tracing::error!(
        item.pk = key("pk"),
        item.sk = key("sk"),
        %why,
        "could not read an item of the journal; it stops its record"
    );
    Metrics::of(&[]).add("UnreadableItems", 1, Unit::Count).emit();
    Unreadable { raw: json_of_body(item).unwrap_or_else(|| binary_attributes(item)), why }
}

fn json_of_body(item: &Item) -> Option<String> {
    let mut json = String::new();
    let bytes = read_bytes(item, "body").ok()??;
    DeflateDecoder::new(bytes).take(MAX_UNPACKED_BYTES).read_to_string(&mut json).ok()?;
    Some(json)
}

/// All that only Tandem reads, each attribute as its name and its bytes in Base64. A head has its record in one of its own.
fn binary_attributes(item: &Item) -> String {
    let mut all: Vec<_> = item
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}:{}", STANDARD.encode(value.as_b().ok()?.as_ref()))))
        .collect();
    all.sort();
    all.join(" ")
}

#[cfg(test)]
mod tests;
