//! What an operator asks a run to do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::{RecordKey, SyncRunId},
    map::{MapConfig, PerSide, SideIx},
    mapping::FieldWinners,
    record::ContentHash,
    side::Mistake,
};

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SyncKind {
    /// Says what an initial sync would do, and writes nothing.
    DryRun,
    /// Copies what one app has and the other has not, or has otherwise.
    InitialSync,
    /// Says where the two apps differ for sure, and writes nothing.
    Reconcile,
}

impl SyncKind {
    /// Whether it writes to the apps.
    #[must_use]
    pub fn writes(self) -> bool {
        self == Self::InitialSync
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::InitialSync => "initial_sync",
            Self::Reconcile => "reconcile",
        }
    }
}

/// What is copied from a side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LegChoice {
    /// Records that the other side lacks, and those that differ if this side wins.
    #[default]
    All,
    /// Only records that the other side lacks.
    CreateOnly,
    /// Nothing.
    Off,
}

/// Which records a run is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "which", rename_all = "snake_case")]
pub enum Selection {
    /// All that the two sides list.
    #[default]
    All,
    /// Those that failed in the parent run.
    Failed,
    /// Those that failed in the parent run for this cause.
    Cause {
        /// The cause: see [`super::Cause`].
        cause: ContentHash,
    },
    /// Those that differ, as the parent run found.
    Differences,
    /// One record.
    Record {
        /// Its key.
        key: RecordKey,
    },
}

/// The choice of whoever starts a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncChoice {
    /// What the run is for.
    pub kind: SyncKind,
    /// The side whose record is taken where both have one and they differ.
    pub winner: SideIx,
    /// Fields, by the name they have on either side, whose values are taken from a side of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub winner_of_field: BTreeMap<String, SideIx>,
    /// What is copied from each side.
    pub legs: PerSide<LegChoice>,
    /// Which records.
    pub selection: Selection,
    /// The run whose records are selected.
    pub parent: Option<SyncRunId>,
}

impl SyncChoice {
    /// Who wins each field of the map.
    ///
    /// # Errors
    /// What is wrong with the fields that have a winner of their own.
    pub fn winners(&self, map: &MapConfig) -> Result<FieldWinners, Vec<Mistake>> {
        FieldWinners::choose(map, self.winner, &self.winner_of_field)
    }

    /// Whether two runs decide alike about each field.
    #[must_use]
    pub fn decides_as(&self, other: &Self) -> bool {
        self.winner == other.winner && self.winner_of_field == other.winner_of_field
    }
}
