//! Heads, entries and markers for the contract, with something in every field.

use app::ports::LaneKey;
use domain::{
    ContentHash, ErrorClass, Failure, Owner, Timestamp, WriteId,
    failure::CallEffect,
    id::{EntryId, MapUid},
    lane::{
        ActiveEntry, Crossing, Echo, Echoes, Entry, Final, Head, LaneVersion, Marker, MarkerState, Mode,
        OpenTransaction, Outcome, ParkReason, RestoreCause, SideMemory, StepFailure, Winner, Work, Write,
    },
    limits::RECENT_ANSWERS,
    map::{PerSide, SideIx},
    record::Image,
};
use serde_json::{Value, json};

/// The time of everything here.
pub(super) const AT: Timestamp = Timestamp(1_795_428_000_000);

pub(super) fn lane(map: &str, key: &str) -> LaneKey {
    LaneKey { map: map.parse().expect("a good map name"), key: key.parse().expect("a good key") }
}

/// A caller's id: the n-th of its time.
pub(super) fn write_id(n: u64) -> WriteId {
    ulid::Ulid((u128::from(AT.0) << 80) | u128::from(n)).to_string().parse().expect("a ULID")
}

/// A head at this version, idle.
pub(super) fn head(version: u64) -> Head {
    Head { version, ..Head::new(MapUid(7), AT) }
}

/// An entry of a caller's write.
pub(super) fn entry(seq: u64, id: u64, image: Value) -> Entry {
    let Value::Object(record) = image else { unreachable!("a record is an object") };
    let write = Write {
        id: write_id(id),
        body: ContentHash(u64::MAX - id),
        origin: Some(SideIx::Second),
        shape: SideIx::Second,
        mode: Mode::Committed,
        image: Image::Present(record),
    };
    Entry::new(seq, EntryId(u128::MAX - u128::from(id)), Work::Write(write), AT)
}

pub(super) fn marker(lane: &LaneKey, entry: &Entry, state: MarkerState) -> Marker {
    entry.marker(&lane.key, state).expect("a caller's write has a marker")
}

pub(super) fn refused() -> Outcome {
    let message = "Limit „1.000.000“ überschritten ☹".to_owned();
    Outcome::Refused { to: SideIx::First, class: ErrorClass::Application, code: Some("E#1".to_owned()), message }
}

/// An entry with something in every field.
pub(super) fn full_entry(seq: u64, id: u64) -> Entry {
    let image = json!({"Name": "Ünï \"code\" #/\\ 北京 🙂", "Empty": "", "Null": null, "Yes": true,
                       "Nested": {"list": [1, -1, 2.5, {"deep": [[]]}]}, "Big": u64::MAX, "Small": i64::MIN});
    let failure = Failure {
        retry_after_ms: Some(1_500),
        ..Failure::new(
            ErrorClass::Throttled,
            CallEffect::NotApplied,
            Some("429".to_owned()),
            "slow down, \u{202e}please",
        )
    };
    Entry {
        crossing: Some(Crossing { winner: Winner::TheOther }),
        needs_resync: true,
        done: PerSide([true, false]),
        attempts: u32::MAX,
        outcome_unknown: true,
        last_failure: Some(StepFailure { to: SideIx::Second, at: AT.plus_ms(1), failure }),
        parked: Some(ParkReason::HalfWritten),
        ..entry(seq, id, image)
    }
}

/// An entry that is no caller's.
pub(super) fn restore(seq: u64) -> Entry {
    let work = Work::Restore { from: SideIx::First, to: SideIx::Second, cause: RestoreCause::EchoOfRefused };
    Entry::new(seq, EntryId(u128::from(seq)), work, AT)
}

/// A deletion that neither side has yet.
pub(super) fn deletion(seq: u64, id: u64) -> Entry {
    let mut entry = entry(seq, id, json!({}));
    if let Work::Write(write) = &mut entry.work {
        (write.origin, write.image, write.mode) = (None, Image::Absent, Mode::Sync);
    }
    entry
}

/// A head with something in every field, with this entry in flight.
pub(super) fn full_head(version: u64, direct: Entry) -> Head {
    let memory = |n: u64| {
        let mut memory = SideMemory {
            reported_version: Some(u64::MAX),
            last_write_seq: n,
            last_write_at: AT,
            retried: true,
            last_reported: Some(ContentHash(n)),
            resync_seq: n,
            open_transaction: Some(OpenTransaction { accepted_at: Timestamp(n), longest_ms: n }),
            etag: Some("W/\"7 ü\"".to_owned()),
            ..SideMemory::default()
        };
        // More than are kept here, too.
        (0..20).for_each(|at| memory.note_written(n + at, ContentHash(u64::MAX - at)));
        memory
    };
    let mut head = Head {
        generation: AT.0 + 3,
        next_seq: direct.seq + 10,
        done_seq: direct.seq - 1,
        inflight: Some(ActiveEntry {
            seq: direct.seq,
            entry: direct.id,
            owner: Some(Owner(u128::MAX / 3)),
            lease_end: AT.plus_ms(25_000),
            writing: PerSide([Some(ContentHash(u64::MAX)), None]),
            direct: Some(Box::new(direct)),
        }),
        parked: true,
        not_before: Timestamp::NEVER,
        sides: PerSide([memory(3), memory(5)]),
        ..head(version)
    };
    // More than are kept: the floors move.
    for n in 0..RECENT_ANSWERS as u64 + 4 {
        let outcome = match n % 2 {
            0 => refused(),
            _ => Outcome::Written { crossing: Some(Crossing { winner: Winner::ThisWrite }) },
        };
        let origin = [None, Some(SideIx::First), Some(SideIx::Second)][usize::try_from(n % 3).unwrap_or(0)];
        head.recent.note(Final { id: write_id(n).value(), origin, body: ContentHash(n), seq: n, outcome });
    }
    head
}

/// These and one more echo.
pub(super) fn noted(echoes: &Echoes, n: u64) -> Echoes {
    echoes.with(Echo {
        id: write_id(n).value(),
        origin: if n.is_multiple_of(2) { SideIx::First } else { SideIx::Second },
        body: ContentHash(n),
        version: LaneVersion { generation: AT.0, seq: n },
        covered: n.is_multiple_of(5),
        content: ContentHash(u64::MAX - n),
    })
}
