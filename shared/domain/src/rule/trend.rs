//! When an incident is over.

use super::Incident;
use crate::map::{Map, MapState};

/// Whether an incident is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Not yet.
    NotYet,
    /// That depends on whether the rule's threshold is still reached.
    WhenQuiet,
    /// Yes, and this is why.
    Over(&'static str),
}

/// Whether an incident is over, as far as the map's state tells. `None`: there is no such map any more.
#[must_use]
pub fn recovery(incident: &Incident, map: Option<&Map>) -> Recovery {
    let Some(map) = map.filter(|map| map.uid == incident.uid) else { return Recovery::Over("the map is gone") };
    if incident.action_due() {
        return Recovery::NotYet;
    }
    let resumed = map.live_epoch > incident.live_epoch;
    match map.state {
        MapState::Running if resumed => Recovery::Over("the map was resumed and has caught up"),
        MapState::Running | MapState::Initializing => Recovery::WhenQuiet,
        MapState::Stopped if incident.wants() != Some(MapState::Stopped) => Recovery::Over("the map was stopped"),
        MapState::NotRunning => Recovery::Over("the map does not run"),
        MapState::Paused | MapState::CatchingUp | MapState::Stopped => Recovery::NotYet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        id::{IncidentId, LogId, MapUid},
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
            (Running, 2, Recovery::Over("the map was resumed and has caught up")),
            (Running, 1, Recovery::WhenQuiet),
            (Stopped, 1, Recovery::Over("the map was stopped")),
        ] {
            assert_eq!(recovery(&paused, Some(&map(state, live_epoch))), wanted, "{state}");
        }
        assert_eq!(recovery(&paused, None), Recovery::Over("the map is gone"));
        let other = Map { uid: MapUid(2), ..map(Running, 1) };
        assert_eq!(recovery(&paused, Some(&other)), Recovery::Over("the map is gone"));
        assert_eq!(recovery(&incident(Action::Stop, true), Some(&map(Stopped, 1))), Recovery::NotYet);
        assert_eq!(
            recovery(&incident(Action::Pause, false), Some(&map(Running, 1))),
            Recovery::NotYet,
            "not acted yet"
        );
    }
}
