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
