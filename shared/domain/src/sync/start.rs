//! How a run was started.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Join, LegChoice, RunMemory, RunPhase, RunState, Selection, Speed, SyncChoice, SyncKind, SyncRun};
use crate::{
    id::{MapId, SyncRunId},
    map::{Map, PerSide, SideIx},
    record::ContentHash,
    time::Timestamp,
};

/// How a run was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunStart {
    /// Codes of problems that stood against it, and that whoever started it has accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub despite: Vec<String>,
    /// When the schedule of the map wanted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// Runs of other maps that have to end before; `None`: its turn has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
}

/// What a run waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The runs, and those among them that have ended.
    pub after: Vec<Predecessor>,
    /// What follows if one of them does not end well.
    pub on_failure: OnFailure,
}

/// A run that has to end before another one begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    /// Its map.
    pub map: MapId,
    /// The run.
    pub run: SyncRunId,
}

/// What a run does when one before it has not ended well: it was cancelled, or records failed in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It pauses, and an operator resumes or cancels it.
    #[default]
    Stop,
    /// It begins all the same.
    Continue,
}

impl SyncRun {
    /// A run that has read nothing yet.
    #[must_use]
    pub fn new(id: SyncRunId, map: &Map, choice: SyncChoice, (actor, reason): (&str, &str), now: Timestamp) -> Self {
        let mut join = Join::default();
        // A filtered list says nothing about the records that it leaves out.
        for side in SideIx::BOTH.into_iter().filter(|side| map.config.side(*side).list_filter.is_some()) {
            join.may_lack(side);
        }
        Self {
            id,
            map: map.id.clone(),
            uid: map.uid,
            phase: if choice.selection.lists_sides() { RunPhase::Listing } else { RunPhase::Selecting },
            choice,
            state: RunState::Running,
            version: 1,
            started_by: actor.to_owned(),
            reason: reason.to_owned(),
            steered: None,
            began: now,
            ended: None,
            progress: Default::default(),
            join,
            counts: PerSide::default(),
            causes: Vec::new(),
            to_look_at: 0,
            noted: 0,
            speed: Speed::default(),
            expected_rows: PerSide::default(),
            stall: None,
            waits: 0,
            lease: None,
            start: RunStart::default(),
            memory: RunMemory::default(),
        }
    }

    /// The reconcile that the schedule of a map wanted at that time. Its id is the same whoever starts it, so it is stored once.
    #[must_use]
    pub fn scheduled(map: &Map, due: Timestamp, reason: &str, now: Timestamp) -> Self {
        let choice = SyncChoice {
            kind: SyncKind::Reconcile,
            winner: map.config.primary().unwrap_or(SideIx::First),
            winner_of_field: BTreeMap::new(),
            legs: PerSide([LegChoice::All; 2]),
            selection: Selection::All,
            parent: None,
        };
        let own = ContentHash::of_text(&format!("reconcile {}", map.uid));
        let id = SyncRunId(u128::from(due.0) << TIME_SHIFT | u128::from(own.0));
        let run = Self::new(id, map, choice, (SCHEDULE, reason), now);
        Self { start: RunStart { due: Some(due), ..RunStart::default() }, ..run }
    }

    /// The same, if it does not begin, because of this.
    #[must_use]
    pub fn skipped(self, why: String, now: Timestamp) -> Self {
        Self { state: RunState::Cancelled, ended: Some(now), reason: why, ..self }
    }
}

/// Who starts runs by schedule.
const SCHEDULE: &str = "tandem";
/// Ids carry their time above these bits.
const TIME_SHIFT: u32 = 80;
