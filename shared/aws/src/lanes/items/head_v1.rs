//! Reads heads of schema 1. A head is written anew with the next write of its record, so some may stay for years.

use std::borrow::Cow;

use app::ports::PortError;
use domain::{
    ContentHash, ErrorClass, LogId, Timestamp,
    lane::{ActiveEntry, Recent, SideMemory, Written},
    map::PerSide,
};
use serde::Deserialize;

use super::{Item, Packed, read_bytes, unreadable};

/// The packed attribute without the evicted filters, which follow it if there are any.
#[derive(Deserialize)]
struct PackedV1 {
    generation: u64,
    next_seq: u64,
    done_seq: u64,
    parked: bool,
    not_before: Timestamp,
    inflight: Option<ActiveEntry>,
    recent: Recent,
    sides: PerSide<SideMemoryV1>,
    unresolved: Vec<(LogId, ErrorClass)>,
}

#[derive(Deserialize)]
struct SideMemoryV1 {
    reported_version: Option<u64>,
    last_write_seq: u64,
    last_write_at: Timestamp,
    retried: bool,
    last_reported: Option<ContentHash>,
    echoes_at_report: u64,
    recent_writes: Vec<Written>,
    seen_seq: u64,
    evicted_seq: u64,
    resync_seq: u64,
    etag: Option<String>,
}

pub(super) fn unpack(item: &Item) -> Result<Packed<'static>, PortError> {
    let failed = |error: postcard::Error| unreadable("lane", error);
    let bytes = read_bytes(item, "lane")?.ok_or_else(|| unreadable("lane", "missing"))?;
    let (packed, behind): (PackedV1, _) = postcard::take_from_bytes(bytes).map_err(failed)?;
    let filters = match behind {
        [] => PerSide::default(),
        behind => postcard::from_bytes(behind).map_err(failed)?,
    };
    Ok(packed.with(filters))
}

impl PackedV1 {
    fn with(self, PerSide([first, second]): PerSide<u64>) -> Packed<'static> {
        let PerSide([first_side, second_side]) = self.sides;
        Packed {
            generation: self.generation,
            next_seq: self.next_seq,
            done_seq: self.done_seq,
            parked: self.parked,
            not_before: self.not_before,
            inflight: self.inflight,
            recent: Cow::Owned(self.recent),
            sides: Cow::Owned(PerSide([first_side.with(first), second_side.with(second)])),
            unresolved: Cow::Owned(self.unresolved),
        }
    }
}

impl SideMemoryV1 {
    fn with(self, evicted_filter: u64) -> SideMemory {
        SideMemory {
            reported_version: self.reported_version,
            last_write_seq: self.last_write_seq,
            last_write_at: self.last_write_at,
            retried: self.retried,
            last_reported: self.last_reported,
            last_reported_at: Timestamp(0),
            last_reported_seq: 0,
            bounces: 0,
            echoes_at_report: self.echoes_at_report,
            recent_writes: self.recent_writes,
            seen_seq: self.seen_seq,
            evicted_seq: self.evicted_seq,
            evicted_filter,
            resync_seq: self.resync_seq,
            open_transaction: None,
            etag: self.etag,
        }
    }
}
