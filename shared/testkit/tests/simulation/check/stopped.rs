//! What must hold of a map that operators stop and run: what it skipped is told and counted, and nothing else is missing.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    MapState, RecordKey, Timestamp,
    lane::{Answer, Mode, SkipReason},
};
use testkit::users::Heard;

use crate::play::Played;

/// A function remembers the map for so long.
const MEMORY_MS: u64 = 1_000;

fn was_skipped(heard: &Heard) -> bool {
    heard.answer == Ok(Answer::Skipped(SkipReason::Stopped))
}

/// Spans in which the map was stopped.
fn stops(played: &Played) -> Vec<(Timestamp, Timestamp)> {
    let history = played.world.history();
    let ends = history.iter().skip(1).map(|(at, ..)| *at).chain([Timestamp::NEVER]);
    let spans = history.iter().zip(ends).filter(|((_, state, _), _)| *state == MapState::Stopped);
    spans.map(|((from, ..), to)| (*from, to)).collect()
}

/// A change is skipped while the map is stopped, and at no other time; it is counted.
pub(super) fn skips_while_stopped(played: &Played) -> Result<(), String> {
    let (stops, heard) = (stops(played), played.users.heard());
    for one in &heard {
        let lasts = |(from, to): &&(Timestamp, Timestamp)| *from <= one.answered && one.sent.minus_ms(MEMORY_MS) <= *to;
        if was_skipped(one) && !stops.iter().any(|stop| lasts(&stop)) {
            return Err(format!("{} was skipped as stopped, though the map was not", one.id));
        }
        let taken = matches!(one.answer, Ok(Answer::Written { .. } | Answer::Queued { .. } | Answer::Parked { .. }));
        let within = |(from, to): &(Timestamp, Timestamp)| from.plus_ms(MEMORY_MS) < one.sent && one.answered < *to;
        if taken && stops.iter().any(within) {
            return Err(format!("{} was taken, though the map was stopped", one.id));
        }
    }
    let (told, counted) = (heard.iter().filter(|one| was_skipped(one)).count() as u64, played.world.lanes.skipped());
    // A function that crashed after it counted, and was called again, counts twice.
    if counted < told || counted > told && played.kind.stops && !played.kind.faults {
        return Err(format!("{told} changes were skipped, and {counted} counted"));
    }
    Ok(())
}

/// Records of which a change was skipped: they are equal in both apps if a later change was taken, and may differ if not.
pub(crate) fn skipped_records(played: &Played) -> BTreeMap<RecordKey, bool> {
    let map = played.world.map();
    let mut changes = BTreeMap::new();
    for side in &map.sides {
        for change in played.world.apps.with(&side.id, |app| app.changes.clone()) {
            changes.insert((side.id.clone(), change.key, Some(change.version)), change.at);
        }
    }
    let (mut skipped, mut taken) = (BTreeMap::new(), BTreeMap::new());
    for heard in played.users.heard() {
        // The report of a write of Tandem's is no change.
        let Some(committed) = changes.get(&(heard.origin.clone(), heard.key.clone(), heard.version)) else { continue };
        let later = |last: &mut Timestamp, at: Timestamp| *last = (*last).max(at);
        if was_skipped(&heard) {
            later(skipped.entry(heard.key).or_insert(*committed), *committed);
        } else if matches!(heard.answer, Ok(Answer::Written { .. } | Answer::Queued { .. })) {
            // It is written over what was there when it was sent.
            let made = if heard.mode == Mode::Sync { heard.sent } else { *committed };
            later(taken.entry(heard.key).or_insert(made), made);
        }
    }
    let equal = |key: &RecordKey, at: &Timestamp| taken.get(key).is_some_and(|taken| taken > at);
    skipped.iter().map(|(key, at)| (key.clone(), equal(key, at))).collect()
}

/// Records that may differ: the last change of them was skipped.
pub(super) fn may_differ(played: &Played) -> BTreeSet<RecordKey> {
    skipped_records(played).into_iter().filter(|(_, equal)| !equal).map(|(key, _)| key).collect()
}
