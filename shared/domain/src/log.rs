//! What is logged: errors that writes met, and what became of maps.
//!
//! **Invariant: a log event is part of the very commit that makes it true** (an outbox attribute of the item that
//! changes). Nothing can fall between a change and its log, and a change that succeeds pays nothing for it.

mod activity;
mod error;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) use self::error::alike_message;
pub use self::{
    activity::{Activity, ActivityKind, Change, IncidentStep},
    error::{
        ErrorDisposition, ErrorEvent, LoggedError, MAX_PAYLOAD_BYTES, Resolution, Resolved, fingerprint, truncate,
    },
};
use crate::{id::LogId, time::Timestamp};

/// Something to be logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogEvent {
    /// A write met an error.
    Error(Box<ErrorEvent>),
    /// The errors of a record are over.
    Resolved(Resolution),
    /// A line of the activity log.
    Activity(Box<Activity>),
}

/// Where a line stands among those of the same millisecond: a cause before what follows from it, and the changes of one
/// thing in their order. Each carries the version of what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// It makes other things change: an incident is opened.
    Cause(u64),
    /// Something changed, or an attempt failed.
    Change(u64),
    /// It tells of a change that was made: an incident's action, or its end.
    Effect(u64),
}

impl Order {
    fn rank(self) -> u16 {
        let (band, version) = match self {
            Self::Cause(version) => (0, version),
            Self::Change(version) => (1, version),
            Self::Effect(version) => (2, version),
        };
        band << 14 | u16::try_from(version).unwrap_or(u16::MAX).min((1 << 14) - 1)
    }
}

impl LogId {
    /// The id of what happened at this time. The same parts make the same id: an event that is delivered twice is one.
    #[must_use]
    pub fn of(at: Timestamp, order: Order, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes()); // length first: no two different lists feed the same bytes
            hash.update(part);
        }
        let mut last = [0; 16];
        last[6..8].copy_from_slice(&order.rank().to_be_bytes());
        last[8..].copy_from_slice(&hash.finalize()[..8]);
        Self(u128::from(at.0) << 80 | u128::from_be_bytes(last))
    }

    /// When it happened.
    #[must_use]
    pub fn at(self) -> Timestamp {
        Timestamp(u64::try_from(self.0 >> 80).unwrap_or(u64::MAX))
    }

    /// The first id that anything at this time can have.
    #[must_use]
    pub fn first_at(at: Timestamp) -> Self {
        Self(u128::from(at.0.min((1 << 48) - 1)) << 80)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_carries_its_time_and_the_same_event_has_the_same_one() {
        let at = Timestamp(1_795_428_000_000);
        let of = |parts: &[&[u8]]| LogId::of(at, Order::Change(1), parts);
        let one = of(&[b"a", b"bc"]);
        assert_eq!(one, of(&[b"a", b"bc"]));
        assert_ne!(one, of(&[b"ab", b"c"]));
        assert_eq!(one.at(), at);
        assert_ne!(one, of(&[b"a", b"bd"]), "what differs in its parts differs");
        assert!(LogId::first_at(at) <= one && one < LogId::first_at(at.plus_ms(1)));
        assert!(LogId::first_at(Timestamp::NEVER) > one, "a time beyond all ids is no overflow");
    }

    /// Stored ids are compared with new ones: where a line stands must not change from release to release.
    #[test]
    fn the_place_of_a_line_is_in_its_id() {
        let place = |order| LogId::of(Timestamp(1), order, &[]).0 >> 64;
        assert_eq!(place(Order::Cause(3)), 1 << 16 | 3);
        assert_eq!(place(Order::Change(3)), 1 << 16 | 1 << 14 | 3);
        assert_eq!(place(Order::Effect(u64::MAX)), 1 << 16 | 2 << 14 | 0x3fff);
    }

    #[test]
    fn what_happens_in_one_millisecond_stands_in_its_order() {
        let at = Timestamp(1_795_428_000_000);
        let orders = [
            Order::Cause(1),
            Order::Cause(9),
            Order::Change(1),
            Order::Change(2),
            Order::Change(u64::MAX),
            Order::Effect(0),
            Order::Effect(2),
        ];
        let ids = |part: u8| orders.map(|order| LogId::of(at, order, &[&[part]]));
        for part in 0..32 {
            assert!(ids(part).is_sorted());
        }
        assert!(ids(0).iter().all(|id| id.at() == at && *id < LogId::first_at(at.plus_ms(1))));
    }
}
