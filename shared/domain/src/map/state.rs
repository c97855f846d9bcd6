//! The states of a map, and what they do to a write.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The state of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapState {
    /// Made, never run.
    NotRunning,
    /// The initial sync copies what was there before.
    Initializing,
    /// Changes flow.
    Running,
    /// Changes are kept, none is written.
    Paused,
    /// Changes flow; those kept during the pause are being replayed.
    CatchingUp,
    /// Was run; changes are counted and skipped.
    Stopped,
}

impl MapState {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::NotRunning, Self::Initializing, Self::Running, Self::Paused, Self::CatchingUp, Self::Stopped];

    /// The state's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRunning => "NotRunning",
            Self::Initializing => "Initializing",
            Self::Running => "Running",
            Self::Paused => "Paused",
            Self::CatchingUp => "CatchingUp",
            Self::Stopped => "Stopped",
        }
    }

    /// What happens to a write that arrives in this state.
    #[must_use]
    pub fn intake(self) -> Intake {
        match self {
            Self::NotRunning | Self::Stopped => Intake::Skip,
            Self::Initializing | Self::Running | Self::CatchingUp => Intake::Write,
            Self::Paused => Intake::Keep,
        }
    }

    /// Whether a write that has to wait is pointed to in the map's paused-write queue.
    #[must_use]
    pub fn queues(self) -> bool {
        matches!(self, Self::Paused | Self::CatchingUp)
    }
}

impl fmt::Display for MapState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What happens to a write that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// It is written to the other app.
    Write,
    /// It is kept.
    Keep,
    /// It is skipped and counted.
    Skip,
}
