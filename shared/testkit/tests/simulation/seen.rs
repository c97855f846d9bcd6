//! What was seen in a world: a generator that stopped producing what it is for would pass every check.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use domain::{
    MapState, SideIx,
    lane::{Answer, SkipReason, Winner},
};

use crate::{
    check::{restoring, skipped_records},
    play::Played,
};

/// What was seen, and how often.
pub(crate) type Seen = BTreeMap<&'static str, u64>;

impl Played {
    /// What was seen in this world.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = Seen::new();
        let mut note = |what: &'static str, count: usize| *seen.entry(what).or_default() += count as u64;
        for heard in self.users.heard() {
            let (what, crossing) = match &heard.answer {
                Ok(Answer::Written { crossing, .. }) => ("written", *crossing),
                Ok(Answer::Skipped(SkipReason::Stopped)) => ("skipped as stopped", None),
                Ok(Answer::Skipped(_)) => ("skipped", None),
                Ok(Answer::Queued { crossing, .. }) => ("queued", *crossing),
                Ok(Answer::Parked { .. }) => ("parked", None),
                Ok(Answer::Archived { .. }) => ("archived", None),
                Ok(Answer::Refused { .. }) => ("refused", None),
                Ok(Answer::Unavailable { .. }) => ("unavailable", None),
                Err(_) => ("error", None),
            };
            note(what, 1);
            note("crossing", usize::from(crossing.is_some()));
        }
        let lanes = &self.world.lanes;
        note("crash", usize::try_from(self.world.crashes.load(Ordering::SeqCst)).unwrap_or(usize::MAX));
        note("parked", lanes.heads().iter().filter(|(_, head)| head.parked).count());
        note("archived", lanes.archive().len());
        note("restored", restoring(self).len());
        let conflicts = lanes.all_conflicts();
        note("conflict", conflicts.len());
        note("lost to the primary", conflicts.iter().filter(|one| one.winner == Winner::TheOther).count());
        note("won as the primary", conflicts.iter().filter(|one| one.origin == SideIx::First).count());
        for (what, wanted) in [("paused", MapState::Paused), ("stopped", MapState::Stopped)] {
            note(what, self.world.history().iter().filter(|(_, state, _)| *state == wanted).count());
        }
        note("equal after a stop", skipped_records(self).values().filter(|equal| **equal).count());
        for side in &self.world.map().sides {
            let (stale, held) = self.world.apps.with(&side.id, |app| (app.stale, app.held.len()));
            note("tag met", stale);
            note("as wanted", held);
        }
        seen
    }
}
