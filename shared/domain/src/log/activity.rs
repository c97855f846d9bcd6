//! The activity log: what became of maps, who did it, and why.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Order;
use crate::{
    id::{IncidentId, LogId, MapId, RecordKey, RuleId, SideId, SyncRunId},
    map::{Cause, Map, MapState},
    sync::{CauseTold, LegTold, SyncKind, SyncOutcome, SyncStep},
    time::Timestamp,
};

/// One line of the activity log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Activity {
    /// Its id: time first. The same change has the same id however often it is delivered.
    pub id: LogId,
    /// When.
    pub at: Timestamp,
    /// The map; `None`: it concerns all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map: Option<MapId>,
    /// Who.
    pub actor: String,
    /// Why.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What kind of thing caused it.
    #[serde(default)]
    pub cause: Cause,
    /// What.
    pub what: ActivityKind,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ActivityKind {
    /// A map was made.
    MapCreated,
    /// A map's settings were changed.
    MapChanged {
        /// Field by field; the first of them, if there are many.
        changes: Vec<Change>,
        /// So many more there are.
        #[serde(default, skip_serializing_if = "is_zero")]
        more: u64,
    },
    /// A map was deleted.
    MapDeleted,
    /// A map came into another state.
    StateChanged {
        /// From this one.
        from: MapState,
        /// To this one.
        to: MapState,
        /// The epoch it began.
        epoch: u64,
    },
    /// An app's settings were made, changed or deleted.
    SideChanged {
        /// The app.
        side: SideId,
        /// Field by field.
        changes: Vec<Change>,
    },
    /// An alert setting was made, changed or deleted.
    RuleChanged {
        /// The setting.
        rule: RuleId,
        /// Field by field.
        changes: Vec<Change>,
    },
    /// An operator did something to a change that waits.
    Entry {
        /// What: `retry`, `skip`, …
        command: String,
        /// The record.
        key: RecordKey,
        /// The change's place in the record's lane.
        seq: u64,
    },
    /// An operator said that errors are no concern any more.
    ErrorsResolved {
        /// How many.
        count: u64,
        /// Which, as the filter named them, e.g. `class=application&key=C-1`.
        filter: String,
    },
    /// An operator has dealt with an event that could not be logged.
    FailedEventDismissed {
        /// Which: its time first.
        event: LogId,
        /// Where it came from.
        source: String,
        /// What is wrong with it.
        says: String,
    },
    /// An alert.
    Incident {
        /// Which.
        incident: IncidentId,
        /// The rule that was breached.
        rule: RuleId,
        /// What happened to it.
        step: IncidentStep,
        /// The errors that were counted.
        errors: u32,
    },
    /// A sync run.
    SyncRun {
        /// Which.
        run: SyncRunId,
        /// What it is for.
        sync: SyncKind,
        /// What happened to it.
        step: SyncStep,
        /// What it has shown.
        outcome: SyncOutcome,
        /// What was counted so far.
        legs: Vec<LegTold>,
        /// Why records failed: the causes of the most records.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        causes: Vec<CauseTold>,
        /// At its start: codes of problems that stood against it, and that the actor has accepted.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        despite: Vec<String>,
    },
}

/// What happened to an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStep {
    /// The threshold was reached.
    Opened,
    /// The rule's action was done.
    Acted,
    /// Somebody has seen it.
    Acknowledged,
    /// The map was resumed by itself.
    Reopened,
    /// It is over.
    Recovered,
}

impl IncidentStep {
    /// Its name, as events and mails have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Acted => "acted",
            Self::Acknowledged => "acknowledged",
            Self::Reopened => "reopened",
            Self::Recovered => "recovered",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One place where two configurations differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where, e.g. `connector.base_url`. A field mapping is told by one of its names: `fields[crm.name].required`.
    pub path: String,
    /// What was there; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What is there; absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

impl Activity {
    /// The line of a map's change of state.
    #[must_use]
    pub fn of_state(before: MapState, map: &Map) -> Self {
        let what = ActivityKind::StateChanged { from: before, to: map.state, epoch: map.epoch };
        Self { cause: map.cause.clone(), ..Self::of_map(map, &map.actor, map.since, &map.reason, what) }
    }

    /// The line of another change of a map.
    #[must_use]
    pub fn of_map(map: &Map, actor: &str, at: Timestamp, reason: &str, what: ActivityKind) -> Self {
        let id =
            LogId::of(at, Order::Change(map.version), &[b"map", &map.uid.0.to_be_bytes(), &map.version.to_be_bytes()]);
        Self {
            id,
            at,
            map: Some(map.id.clone()),
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            cause: Cause::Operator,
            what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{id::MapUid, mapping::tests::customers, time::Timestamp};

    #[test]
    fn a_step_has_one_name() {
        use IncidentStep::{Acknowledged, Acted, Opened, Recovered, Reopened};
        for step in [Opened, Acted, Acknowledged, Reopened, Recovered] {
            assert_eq!(serde_json::to_value(step).unwrap(), step.as_str());
        }
    }

    #[test]
    fn a_line_says_how_many_changes_it_leaves_out_if_it_does() {
        let line = |more| serde_json::to_value(ActivityKind::MapChanged { changes: Vec::new(), more }).unwrap();
        assert_eq!(line(0).get("more"), None);
        assert_eq!(line(3)["more"], 3);
    }

    #[test]
    fn the_line_of_a_change_of_state_has_its_cause() {
        let map = Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", Timestamp(5));
        let map = Map { state: MapState::Running, epoch: 3, cause: Cause::CaughtUp, ..map };
        let line = Activity::of_state(MapState::CatchingUp, &map);
        assert_eq!(
            (line.cause, line.at, &*line.actor, &*line.reason),
            (Cause::CaughtUp, Timestamp(5), "kim", "created")
        );
        let changed = ActivityKind::StateChanged { from: MapState::CatchingUp, to: MapState::Running, epoch: 3 };
        assert_eq!(line.what, changed);
        let later = Map { version: map.version + 1, ..map.clone() };
        assert!(line.id < Activity::of_state(MapState::CatchingUp, &later).id, "in the order of the map's versions");
    }
}
