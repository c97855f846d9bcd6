//! When an incident is over.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Incident;
use crate::{
    lane::ArchiveCause,
    map::{Cause, FlowStart, Map, MapState, StartedBy},
};

/// Whether an incident is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Not yet.
    NotYet,
    /// That depends on whether the rule's threshold is still reached.
    WhenQuiet,
    /// Yes, and this is why.
    Over(Ending),
}

/// Why an incident is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ending {
    /// Changes flow again, and nothing is left of the backlog.
    FlowsAgain {
        /// How they began to.
        began: FlowStart,
    },
    /// The map goes on, and errors have become rare.
    Quiet,
    /// The map was stopped, or does not run.
    Stopped {
        /// By whom: a person, or a rule.
        by: String,
    },
    /// The map was deleted.
    Deleted,
    /// The rule was switched off or deleted: nobody watches any more.
    RuleOff,
}

impl Ending {
    /// Whether changes flow, and are watched.
    #[must_use]
    pub fn is_recovery(&self) -> bool {
        matches!(self, Self::FlowsAgain { .. } | Self::Quiet)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FlowsAgain { began: FlowStart { how, actor, archived } } => {
                match how {
                    StartedBy::Run => write!(f, "{actor} ran the map again")?,
                    StartedBy::Resumed => write!(f, "{actor} resumed the map")?,
                    StartedBy::ByItself => f.write_str("Tandem resumed the map")?,
                }
                match (how, archived) {
                    (StartedBy::Run, _) => Ok(()),
                    (_, None) => f.write_str(", and it has caught up"),
                    (_, Some((cause, by))) => {
                        let by = if by == actor { String::new() } else { format!("{by} ") };
                        match cause {
                            ArchiveCause::Discarded => write!(f, ", and {by}discarded the backlog"),
                            _ => write!(f, ", and {by}skipped the backlog: it is in the archive"),
                        }
                    }
                }
            }
            Self::Quiet => f.write_str("fewer errors than the threshold have occurred since"),
            Self::Stopped { by } => write!(f, "{by} stopped the map"),
            Self::Deleted => f.write_str("the map was deleted"),
            Self::RuleOff => f.write_str("the rule was switched off or deleted"),
        }
    }
}

/// Whether an incident is over, as far as the map's state tells. `None`: there is no such map any more.
#[must_use]
pub fn recovery(incident: &Incident, map: Option<&Map>) -> Recovery {
    let Some(map) = map.filter(|map| map.uid == incident.uid) else { return Recovery::Over(Ending::Deleted) };
    if incident.action_due() {
        return Recovery::NotYet;
    }
    let resumed = map.live_epoch > incident.live_epoch;
    match map.state {
        MapState::Running if resumed => Recovery::Over(Ending::FlowsAgain { began: began(map) }),
        MapState::Running | MapState::Initializing => Recovery::WhenQuiet,
        MapState::Stopped if incident.wants() == Some(MapState::Stopped) => Recovery::NotYet,
        MapState::Stopped | MapState::NotRunning => Recovery::Over(Ending::Stopped { by: who(map) }),
        MapState::Paused | MapState::CatchingUp => Recovery::NotYet,
    }
}

/// How changes began to flow. A map that was resumed before this was noted does not say.
fn began(map: &Map) -> FlowStart {
    let unknown = || FlowStart { how: StartedBy::Resumed, actor: "somebody".to_owned(), archived: None };
    map.began.clone().unwrap_or_else(unknown)
}

/// Who brought the map into its state.
fn who(map: &Map) -> String {
    match &map.cause {
        Cause::Rule { rule, .. } => format!("the rule {rule}"),
        Cause::Operator
        | Cause::CaughtUp
        | Cause::InitialSync
        | Cause::Schedule
        | Cause::SyncRun
        | Cause::AutoResume { .. } => map.actor.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{IncidentId, LogId, MapUid},
        map::{Backlog, MapAnswer, MapCommand},
        mapping::tests::customers,
        rule::{Acted, Action, Breach, Rule, tests::rule},
        time::Timestamp,
    };

    fn map(state: MapState, live_epoch: u64) -> Map {
        let new = Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", Timestamp(1));
        Map { state, live_epoch, ..new }
    }

    fn incident(action: Action, acted: bool) -> Incident {
        let mut config = rule(1, 1);
        config.action = action;
        let (actor, changed_at) = ("kim".to_owned(), Timestamp(0));
        let rule = Rule { id: "r".parse().unwrap(), config, version: 1, actor, changed_at };
        let breach = Breach { first_at: Timestamp(1), last_at: Timestamp(1), errors: vec![LogId(1)] };
        let open = Incident::open(IncidentId(1), &rule, &map(MapState::Running, 1), &breach, &[], Timestamp(1));
        if acted { open.acted(Acted { at: Timestamp(2), state: None, left: None }) } else { open }
    }

    #[test]
    fn an_incident_is_over_when_changes_flow_again_or_can_flow_no_more() {
        use MapState::{CatchingUp, Paused, Running, Stopped};
        let paused = incident(Action::Pause, true);
        for (state, live_epoch, wanted) in [
            (Paused, 1, Recovery::NotYet),
            (CatchingUp, 2, Recovery::NotYet),
            (Running, 2, Recovery::Over(Ending::FlowsAgain { began: began(&map(Running, 2)) })),
            (Running, 1, Recovery::WhenQuiet),
            (Stopped, 1, Recovery::Over(Ending::Stopped { by: "kim".to_owned() })),
        ] {
            assert_eq!(recovery(&paused, Some(&map(state, live_epoch))), wanted, "{state}");
        }
        assert_eq!(recovery(&paused, None), Recovery::Over(Ending::Deleted));
        let other = Map { uid: MapUid(2), ..map(Running, 1) };
        assert_eq!(recovery(&paused, Some(&other)), Recovery::Over(Ending::Deleted));
        assert_eq!(recovery(&incident(Action::Stop, true), Some(&map(Stopped, 1))), Recovery::NotYet);
        assert_eq!(
            recovery(&incident(Action::Pause, false), Some(&map(Running, 1))),
            Recovery::NotYet,
            "not acted yet"
        );
    }

    /// What the incident says when the map runs again after these commands, the first two of which are by a rule.
    fn told(commands: &[(MapCommand, &str)]) -> String {
        let mut now = map(MapState::NotRunning, 0);
        let mut incident = None;
        for (command, actor) in commands {
            let cause = match (*command, *actor) {
                (MapCommand::Resume(_), "tandem") => Cause::AutoResume { incident: IncidentId(1) },
                (MapCommand::CaughtUp, _) => Cause::CaughtUp,
                _ => Cause::Operator,
            };
            let MapAnswer::Changed(next) = now.decide_because(*command, actor, "r", cause, Timestamp(3)) else {
                panic!("{command:?} of {}", now.state)
            };
            now = *next;
            let opened = || Incident { live_epoch: now.live_epoch, ..self::incident(Action::Pause, true) };
            incident.get_or_insert_with(opened);
        }
        let Recovery::Over(ending) = recovery(&incident.unwrap(), Some(&now)) else { panic!("{}", now.state) };
        let stored = serde_json::to_string(&ending).unwrap();
        assert_eq!(serde_json::from_str::<Ending>(&stored).unwrap(), ending);
        ending.to_string()
    }

    #[test]
    fn an_incident_says_who_let_changes_flow_and_what_became_of_the_backlog() {
        use MapCommand::{CaughtUp, Pause, Resume, Run, Stop};
        let (run, pause, caught_up) = ((Run, "kim"), (Pause, "tandem"), (CaughtUp, "tandem"));
        let after = |then: &[(MapCommand, &str)]| told(&[&[run, pause], then].concat());
        let (catch_up, discard) = (Resume(Backlog::CatchUp), Resume(Backlog::Discard));
        assert_eq!(after(&[(catch_up, "alex"), caught_up]), "alex resumed the map, and it has caught up");
        assert_eq!(after(&[(catch_up, "tandem"), caught_up]), "Tandem resumed the map, and it has caught up");
        let discarded = "alex resumed the map, and kim discarded the backlog";
        assert_eq!(after(&[(catch_up, "alex"), (discard, "kim"), caught_up]), discarded, "in mid-catch-up");
        let twice = [(catch_up, "alex"), (discard, "kim"), (catch_up, "alex"), caught_up];
        assert_eq!(after(&twice), discarded, "what is gone is gone");
        let again = [(discard, "kim"), caught_up, pause, (catch_up, "alex"), caught_up];
        assert_eq!(after(&again), "alex resumed the map, and it has caught up", "that was another pause");
        let skipped = "kim resumed the map, and skipped the backlog: it is in the archive";
        assert_eq!(after(&[(Resume(Backlog::SkipToLive), "kim"), caught_up]), skipped);
        assert_eq!(after(&[(Stop, "alex")]), "alex stopped the map");
        assert_eq!(after(&[(Stop, "alex"), (Run, "kim")]), "kim ran the map again");
    }

    #[test]
    fn an_incident_has_recovered_when_changes_flow_again_or_errors_are_few() {
        let began = FlowStart { how: StartedBy::Run, actor: "kim".to_owned(), archived: None };
        assert!(Ending::FlowsAgain { began }.is_recovery() && Ending::Quiet.is_recovery());
        for ending in [Ending::Stopped { by: "kim".to_owned() }, Ending::Deleted, Ending::RuleOff] {
            assert!(!ending.is_recovery(), "{ending}");
        }
    }

    #[test]
    fn an_incident_of_before_reads_without_its_ending() {
        let mut old =
            serde_json::to_value(incident(Action::Pause, true).recovered(Ending::Deleted, Timestamp(9))).unwrap();
        assert!(old.as_object_mut().unwrap().remove("ending").is_some());
        assert_eq!(serde_json::from_value::<Incident>(old).unwrap().ending, None);
    }
}
