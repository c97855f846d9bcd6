//! What an error is about: the names that its words do not have.

use std::fmt;

use domain::{EntryId, MapId, RecordKey};
use serde::Serialize;

use super::AppError;

/// What an error is about, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The map.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<MapId>,
    /// The record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<RecordKey>,
    /// The entry's place in its lane.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// The archived entry, or the conflict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<EntryId>,
}

impl Subject {
    /// A map.
    #[must_use]
    pub fn map(map: &MapId) -> Self {
        Self { map: Some(map.clone()), ..Self::default() }
    }

    /// An entry of a record.
    #[must_use]
    pub fn entry(map: &MapId, key: &RecordKey, seq: u64) -> Self {
        Self { key: Some(key.clone()), seq: Some(seq), ..Self::map(map) }
    }

    /// An archived entry, or a conflict, and its record, once it is known.
    #[must_use]
    pub fn id(map: &MapId, key: Option<&RecordKey>, id: EntryId) -> Self {
        Self { key: key.cloned(), id: Some(id), ..Self::map(map) }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = [
            self.map.as_ref().map(|map| format!("map {map}")),
            self.key.as_ref().map(|key| format!("record {key}")),
            self.seq.map(|seq| format!("entry {seq}")),
            self.id.map(|id| format!("id {id}")),
        ];
        f.write_str(&named.into_iter().flatten().collect::<Vec<_>>().join(", "))
    }
}

impl AppError {
    /// The same, with the names of what it is about. Errors that name it themselves, or are about the request or about
    /// Tandem, stay as they are.
    #[must_use]
    pub fn about(self, about: Subject) -> Self {
        match self {
            Self::NotFound(_) | Self::Conflict(_) | Self::Contended => Self::Of { about, error: Box::new(self) },
            other => other,
        }
    }

    /// The error alone.
    #[must_use]
    pub fn without_subject(&self) -> &Self {
        match self {
            Self::Of { error, .. } => error.without_subject(),
            error => error,
        }
    }
}
