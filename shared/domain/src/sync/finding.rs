//! What a run notes about single records.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::RowEnd;
use crate::{
    failure::{ErrorClass, Failure, shorten},
    id::{RecordKey, SideId},
    lane::{KnownPast, Look},
    limits::MAX_MESSAGE_CHARS,
    log::alike_message,
    map::{MapConfig, SideIx},
    record::{ContentHash, Record},
    redact::{REDACTED, is_hidden},
    time::Timestamp,
};

/// Most fields of a record whose difference is noted.
pub(super) const MAX_FIELD_DIFFERENCES: usize = 50;

/// A note about one record of one leg.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The side whose row it is.
    pub leg: SideIx,
    /// The record; of a row without a usable key, its place.
    pub key: RecordKey,
    /// What is noted.
    pub state: FindingState,
}

/// What is noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FindingState {
    /// It is looked at again.
    LookAgain(LookAgain),
    /// It could not be copied.
    Failed(FailedCopy),
    /// The two apps differ.
    Differs(Difference),
    /// Each look found another state: live changes carry it.
    Changing,
    /// The other app lacks it: its deletion is proposed, or somebody has decided about that.
    Deletion(Deletion),
}

/// The deletion of a record that the other app lacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// What became of it.
    pub fate: DeletionFate,
    /// When that was known.
    pub at: Timestamp,
    /// What was found when it was proposed: it is carried out only while that is so. `None`: nobody has looked at its lane.
    pub look: Option<Look>,
    /// What its lane knew of the record then.
    pub past: KnownPast,
}

/// What became of the deletion of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeletionFate {
    /// It waits for an operator.
    Proposed,
    /// It was carried out.
    Deleted,
    /// The record is gone from its app, too: there was nothing to delete.
    Gone,
    /// The app that lacked the record has it again: nothing was deleted.
    CameBack,
    /// The record, or its lane, was changed since: nothing was deleted.
    ChangedSince,
    /// An operator has rejected it.
    Rejected,
}

impl DeletionFate {
    /// The count of such rows.
    #[must_use]
    pub fn row_end(self) -> RowEnd {
        match self {
            Self::Proposed => RowEnd::Proposed,
            Self::Deleted => RowEnd::Deleted,
            Self::Gone => RowEnd::Gone,
            Self::CameBack => RowEnd::CameBack,
            Self::ChangedSince => RowEnd::ChangedSince,
            Self::Rejected => RowEnd::Rejected,
        }
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Deleted => "deleted",
            Self::Gone => "gone",
            Self::CameBack => "came_back",
            Self::ChangedSince => "changed_since",
            Self::Rejected => "rejected",
        }
    }
}

/// A record that is looked at again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAgain {
    /// Not before this time.
    pub due: Timestamp,
    /// Tells it from others of the same record that are due at the same time.
    #[serde(default)]
    pub noted: u64,
    /// Looks so far.
    pub looks: u32,
    /// What the last look found: a difference is sure when two looks find the same.
    pub seen: Option<Look>,
}

impl LookAgain {
    /// The first look at a record.
    #[must_use]
    pub fn first(due: Timestamp) -> Self {
        Self { due, noted: 0, looks: 0, seen: None }
    }
}

/// A record that could not be copied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FailedCopy {
    /// Failures with the same cause have the same.
    pub cause: ContentHash,
    /// When.
    pub at: Timestamp,
    /// What kind of error.
    pub class: ErrorClass,
    /// The app's own code; of a mapping error, the field.
    pub code: Option<String>,
    /// The app's own words, redacted.
    pub message: String,
    /// The row as it was, redacted and cut to size, if it was at hand.
    pub row: Option<Record>,
    /// What the row had, as the map compares it, if it was at hand: a row that has something else by now was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<ContentHash>,
    /// It is no record: the row has no key that can be used. Looking at it again would find nothing.
    #[serde(default)]
    pub no_record: bool,
}

/// Failures of records that share their class, code and words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Its fingerprint.
    pub cause: ContentHash,
    /// The side whose rows they are.
    pub leg: SideIx,
    /// What kind of error.
    pub class: ErrorClass,
    /// The app's own code; of a mapping error, the field.
    pub code: Option<String>,
    /// The words of the first.
    pub message: String,
    /// The record of the first.
    pub sample: RecordKey,
    /// How many records.
    pub records: u64,
}

/// How two apps differ in a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// The other side lacks it.
    pub missing: bool,
    /// Fields that differ, by the names of the other side.
    pub fields: Vec<FieldDifference>,
}

/// How two apps differ in a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldDifference {
    /// Its name on the other side.
    pub field: String,
    /// What would be written there.
    pub wanted: Value,
    /// What is there.
    pub there: Value,
}

impl FailedCopy {
    /// Of a failed call or mapping.
    #[must_use]
    pub fn of(failure: &Failure, to: &SideId, key: &RecordKey, row: Option<Record>, at: Timestamp) -> Self {
        let words = alike_message(&failure.message, Some(key));
        let cause = ContentHash::of_value(&serde_json::json!([failure.class, to, failure.code, words]));
        let message = shorten(&failure.message, MAX_MESSAGE_CHARS);
        Self {
            cause,
            at,
            class: failure.class,
            code: failure.code.clone(),
            message,
            row,
            content: None,
            no_record: false,
        }
    }
}

/// Largest value that is shown, in bytes of JSON: a commit of many findings must stay below the 4 MB of a transaction.
const MAX_SHOWN_BYTES: usize = 400;

fn cut(value: &Value) -> Value {
    let json = value.to_string();
    if json.len() <= MAX_SHOWN_BYTES {
        return value.clone();
    }
    let short: String = json.chars().take(MAX_SHOWN_BYTES / 4).collect();
    Value::from(format!("{short}… ({} bytes)", json.len()))
}

/// Names the fields that differ. `wanted` and `there` are fields of side `to`, as they are compared. Values of fields that the map hides
/// are not repeated.
#[must_use]
pub fn find_differences(map: &MapConfig, to: SideIx, wanted: &Record, there: &Record) -> Vec<FieldDifference> {
    let shown = |name: &str, value: Option<&Value>| match value {
        Some(_) if is_hidden(map, to, name) => Value::from(REDACTED),
        Some(value) => cut(value),
        None => Value::Null,
    };
    let mut names: Vec<&String> = wanted.keys().chain(there.keys()).collect();
    names.sort_unstable();
    names.dedup();
    let value = |record: &Record, name: &str| record.get(name).cloned().unwrap_or(Value::Null);
    let hash = |value: Value| ContentHash::of_value(&value);
    let differ = names.into_iter().filter(|name| hash(value(wanted, name)) != hash(value(there, name)));
    let difference = |name: &String| FieldDifference {
        field: name.clone(),
        wanted: shown(name, wanted.get(name)),
        there: shown(name, there.get(name)),
    };
    differ.take(MAX_FIELD_DIFFERENCES).map(difference).collect()
}
