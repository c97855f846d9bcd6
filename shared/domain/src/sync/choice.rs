//! What an operator asks a run to do.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    id::{RecordKey, SyncRunId},
    lane::KnownPast,
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
    /// Deletes records whose deletion its parent has proposed and an operator has approved.
    ApproveDeletions,
    /// Takes deletions that its parent has proposed, and an operator has rejected, from the list. Writes nothing.
    RejectDeletions,
}

impl SyncKind {
    /// Whether it writes to the apps.
    #[must_use]
    pub fn writes(self) -> bool {
        matches!(self, Self::InitialSync | Self::ApproveDeletions)
    }

    /// Whether it decides about deletions that another run has proposed.
    #[must_use]
    pub fn decides_deletions(self) -> bool {
        matches!(self, Self::ApproveDeletions | Self::RejectDeletions)
    }

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DryRun => "dry_run",
            Self::InitialSync => "initial_sync",
            Self::Reconcile => "reconcile",
            Self::ApproveDeletions => "approve_deletions",
            Self::RejectDeletions => "reject_deletions",
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
    /// Nothing. The other side is the master: a record that it lacks is proposed for deletion here. Only of the side that does
    /// not win.
    ProposeDeletion,
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
    /// Those that only one side has, but for those that failed in the parent run: these stay as they are.
    NewOnly,
    /// Those that failed in the parent run and were edited since: their rows, as the map compares them, are no longer as the
    /// parent read them.
    Edited,
    /// One record.
    Record {
        /// Its key.
        key: RecordKey,
    },
    /// Deletions that the parent run has proposed.
    Deletions(DeletionSet),
}

/// Which of the deletions that a run has proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum DeletionSet {
    /// All.
    All,
    /// Those up to and with this record, in the order of their list: all that were shown.
    Through {
        /// Its key.
        key: RecordKey,
    },
    /// Those of these records.
    Listed {
        /// Their keys.
        keys: BTreeSet<RecordKey>,
    },
    /// Those of records that both apps are known to have had.
    OnceInStep,
}

impl DeletionSet {
    /// Whether a proposed deletion is one of them.
    #[must_use]
    pub fn has(&self, key: &RecordKey, past: &KnownPast) -> bool {
        match self {
            Self::All => true,
            Self::Through { key: last } => key <= last,
            Self::Listed { keys } => keys.contains(key),
            Self::OnceInStep => past.in_step_at.is_some() || past.deleted_at.is_some(),
        }
    }
}

impl Selection {
    /// Whether both sides are read page by page; otherwise the records come from the parent run, or from whoever asks.
    #[must_use]
    pub fn lists_sides(&self) -> bool {
        matches!(self, Self::All | Self::NewOnly)
    }

    /// Whether the records are those of a parent run, or all others.
    #[must_use]
    pub fn needs_parent(&self) -> bool {
        match self {
            Self::Failed
            | Self::Cause { .. }
            | Self::Differences
            | Self::NewOnly
            | Self::Edited
            | Self::Deletions(_) => true,
            Self::All | Self::Record { .. } => false,
        }
    }

    /// Whether a record that its app has changed since the run began is no part of the selection: such a record was not there, or
    /// not edited, when the selection was made.
    #[must_use]
    pub fn ends_at_start(&self) -> bool {
        matches!(self, Self::NewOnly | Self::Edited)
    }
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
