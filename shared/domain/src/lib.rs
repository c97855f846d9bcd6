//! Tandem's rules, pure: no clock, no randomness, no IO. Everything that must hold is decided here.
//!
//! Start with [`lane`]: the ordered sequence of writes of one record, and the one place where order is made.

pub mod failure;
pub mod id;
pub mod lane;
pub mod limits;
pub mod listing;
pub mod log;
pub mod map;
pub mod mapping;
pub mod record;
pub mod redact;
pub mod rule;
pub mod side;
pub mod sync;
pub mod time;

pub use failure::{ErrorClass, Failure};
pub use id::{EntryId, GroupId, IncidentId, LogId, MapId, Owner, RecordKey, RuleId, SideId, WriteId};
pub use map::{Map, MapConfig, MapState, SideIx};
pub use record::{ContentHash, Record};
pub use time::Timestamp;
