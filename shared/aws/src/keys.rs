//! The keys of the one table, formed here and nowhere else.

use std::collections::HashMap;

use app::ports::LaneKey;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    EntryId, ErrorClass, GroupId, IncidentId, LogId, MapId, RecordKey, RuleId, SideId, WriteId,
    id::{MapUid, SyncRunId},
};

/// Partitions of the index of open lanes, per map. Each direct write puts its lane into the index and takes it out:
/// 10,000 writes a second are 20,000 index writes, and one partition of DynamoDB takes 1,000.
pub(crate) const OPEN_SHARDS: u32 = 32;
const SEQ_DIGITS: usize = 20;

/// Names an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// The head of a lane.
    Head(LaneKey),
    /// An entry of a lane.
    Entry(LaneKey, u64),
    /// The marker of a write, by the caller's id.
    Marker(MapId, u128),
    /// A map.
    Map(MapId),
    /// A side.
    Side(SideId),
    /// A bearer token, by its SHA-256.
    Token(String),
    /// A session of the console, by the SHA-256 of its secret.
    Session(String),
    /// How many writes were skipped while the map did not run.
    Skipped(MapUid),
    /// An archived entry, by its id in the archive.
    Archived(MapUid, EntryId),
    /// A conflict, by its entry.
    Conflict(MapUid, EntryId),
    /// What was done since the resume of this epoch.
    CatchUp(MapUid, u64),
    /// How the app of a side answers.
    Health(SideId),
    /// How deep the paused-write queue was.
    Depth(MapUid),
    /// The run that drains a map.
    Drain(MapUid),
    /// When pointers were sent again.
    Resent(MapUid),
    /// Carries what is logged of something that was deleted.
    Outbox(LogId),
    /// An error of this class in a map's log. By the map's name: the log outlives the map.
    Error(MapId, ErrorClass, LogId),
    /// A line of a map's activity log; without a map, of all.
    Activity(Option<MapId>, LogId),
    /// Says that an event which an app reported is in the log, by the hash of the app's id of it.
    Reported(MapId, u128),
    /// When a map met its last error.
    Noisy(MapId),
    /// A map that was deleted and whose logs are kept.
    Gone(MapId),
    /// An event that could not be logged.
    Failed(LogId),
    /// An alert setting.
    Rule(RuleId),
    /// A group of recipients.
    Group(GroupId),
    /// A rule on a map.
    Watch(RuleId, MapId),
    /// An incident.
    Incident(IncidentId),
    /// An address to which mail cannot be sent.
    Flagged(String),
    /// A sync run of a map.
    SyncRun(MapUid, SyncRunId),
    /// A sync run that is not over.
    ActiveRun(MapId, SyncRunId),
    /// The sync run that writes to the apps of a map: there is one at a time.
    WritingRun(MapUid),
    /// What a sync run has noted of a record, by its place.
    Finding(SyncRunId, String),
}

impl Key {
    /// The marker of a write.
    #[must_use]
    pub fn marker(map: &MapId, id: WriteId) -> Self {
        Self::Marker(map.clone(), id.value())
    }

    /// The partition key.
    #[must_use]
    pub fn pk(&self) -> String {
        match self {
            // A map's name has no `#`, so the record key may have any.
            Self::Head(lane) | Self::Entry(lane, _) => format!("L#{}#{}", lane.map, lane.key),
            Self::Marker(map, id) => format!("W#{map}#{id:032x}"),
            Self::Map(_) => "MAPS".to_owned(),
            Self::Side(_) => "SIDES".to_owned(),
            Self::Token(_) => "TOKENS".to_owned(),
            Self::Session(hash) => format!("Z#{hash}"),
            Self::Skipped(uid)
            | Self::CatchUp(uid, _)
            | Self::Depth(uid)
            | Self::Drain(uid)
            | Self::Resent(uid)
            | Self::WritingRun(uid) => {
                format!("S#{uid}")
            }
            Self::Health(_) => "HEALTH".to_owned(),
            Self::Outbox(id) => format!("OUT#{id}"),
            Self::Error(map, class, _) => format!("R#{map}#{class}"),
            Self::Activity(Some(map), _) => format!("V#{map}"),
            Self::Activity(None, _) => "V#".to_owned(),
            Self::Reported(map, hash) => format!("P#{map}#{hash:032x}"),
            Self::Noisy(_) => "NOISY".to_owned(),
            Self::Gone(_) => "GONE".to_owned(),
            Self::Failed(_) => "FAILED".to_owned(),
            Self::Rule(_) => "RULES".to_owned(),
            Self::Group(_) => "GROUPS".to_owned(),
            Self::Watch(rule, _) => format!("G#{rule}"),
            Self::Incident(_) => "INCIDENTS".to_owned(),
            Self::Flagged(_) => "FLAGGED".to_owned(),
            Self::Archived(uid, _) => format!("A#{uid}"),
            Self::Conflict(uid, _) => format!("X#{uid}"),
            Self::SyncRun(uid, _) => format!("Y#{uid}"),
            Self::ActiveRun(..) => "SYNCING".to_owned(),
            Self::Finding(run, _) => format!("N#{run}"),
        }
    }

    /// The sort key.
    #[must_use]
    pub fn sk(&self) -> String {
        match self {
            Self::Head(_) => "H".to_owned(),
            Self::Entry(_, seq) => format!("E#{seq:0SEQ_DIGITS$}"),
            Self::Marker(..) => "W".to_owned(),
            Self::Map(id) => id.to_string(),
            Self::Side(id) | Self::Health(id) => id.to_string(),
            Self::Token(hash) => hash.clone(),
            Self::Session(_) => "Z".to_owned(),
            Self::Skipped(_) => "SKIPPED".to_owned(),
            Self::Archived(_, id) | Self::Conflict(_, id) => format!("{:032x}", id.0),
            Self::Error(.., id) | Self::Activity(_, id) | Self::Failed(id) => format!("{:032x}", id.0),
            Self::Incident(id) => format!("{:032x}", id.0),
            Self::Outbox(_) => "O".to_owned(),
            Self::Reported(..) => "P".to_owned(),
            Self::Noisy(map) | Self::Gone(map) | Self::Watch(_, map) => map.to_string(),
            Self::Rule(rule) => rule.to_string(),
            Self::Group(group) => group.to_string(),
            Self::Flagged(address) => address.clone(),
            Self::CatchUp(_, epoch) => format!("CATCHUP#{epoch:0SEQ_DIGITS$}"),
            Self::Depth(_) => "DEPTH".to_owned(),
            Self::Drain(_) => "DRAIN".to_owned(),
            Self::Resent(_) => "RESENT".to_owned(),
            Self::SyncRun(_, id) => format!("{:032x}", id.0),
            Self::ActiveRun(map, id) => format!("{map}#{:032x}", id.0),
            Self::WritingRun(_) => "SYNC".to_owned(),
            Self::Finding(_, place) => place.clone(),
        }
    }

    /// Both, as an item's key.
    #[must_use]
    pub fn item(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("pk".to_owned(), AttributeValue::S(self.pk())),
            ("sk".to_owned(), AttributeValue::S(self.sk())),
        ])
    }

    /// The place of an entry, from its sort key.
    #[must_use]
    pub(crate) fn parse_seq(item: &HashMap<String, AttributeValue>) -> Option<u64> {
        item.get("sk")?.as_s().ok()?.strip_prefix("E#")?.parse().ok()
    }

    /// The lane of a head, from its partition key.
    #[must_use]
    pub fn parse_lane(pk: &str) -> Option<LaneKey> {
        let (map, key) = pk.strip_prefix("L#")?.split_once('#')?;
        Some(LaneKey { map: map.parse().ok()?, key: key.parse().ok()? })
    }
}

/// The partition of the index that a lane stands in while it is open.
#[must_use]
pub(crate) fn open_partition(map: &MapId, shard: u32) -> String {
    format!("O#{map}#{shard:02}")
}

/// FNV-1a of a record key. Not for security, only to spread.
#[must_use]
pub(crate) fn hash(key: &RecordKey) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    key.as_str().bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}

/// The shard of a lane.
#[must_use]
pub(crate) fn shard_of(lane: &LaneKey) -> u32 {
    u32::try_from(hash(&lane.key) % u64::from(OPEN_SHARDS)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lane(map: &str, key: &str) -> LaneKey {
        LaneKey { map: map.parse().unwrap(), key: key.parse().unwrap() }
    }

    #[test]
    fn keys_are_what_the_documentation_says() {
        let head = Key::Head(lane("customers", "C#1"));
        assert_eq!((head.pk(), head.sk()), ("L#customers#C#1".to_owned(), "H".to_owned()));
        let entry = Key::Entry(lane("customers", "C#1"), 7);
        assert_eq!(entry.sk(), "E#00000000000000000007");
        assert_eq!(Key::Marker("m".parse().unwrap(), 10).pk(), "W#m#0000000000000000000000000000000a");
    }

    proptest! {
        #[test]
        fn a_lane_is_read_back_from_its_key_and_lanes_never_share_one(a in "[a-z0-9]{1,5}", b in "\\PC{1,20}", c in "[a-z0-9]{1,5}", d in "\\PC{1,20}") {
            let (one, two) = (lane(&a, &b), lane(&c, &d));
            let key = Key::Head(one.clone()).pk();
            prop_assert_eq!(Key::parse_lane(&key), Some(one.clone()));
            prop_assert_eq!(key == Key::Head(two.clone()).pk(), one == two);
        }

        #[test]
        fn entries_sort_as_the_lane_orders_them(a in any::<u64>(), b in any::<u64>()) {
            let sk = |seq| Key::Entry(lane("m", "k"), seq).sk();
            prop_assert_eq!(a.cmp(&b), sk(a).cmp(&sk(b)));
        }
    }
}
