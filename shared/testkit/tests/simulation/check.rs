//! What must hold of a world at rest.

mod last_word;
mod primary;
mod stopped;
mod unavailable;

use std::collections::{BTreeMap, BTreeSet};

use app::{ports::LaneKey, write::WriteError};
use domain::{
    ContentHash, MapState, RecordKey, SideIx,
    failure::CallEffect,
    lane::{ArchiveCause, Crossing, Entry, Outcome, Winner, content},
    map::PerSide,
    mapping::translate,
    record::Image,
    side::Capability,
};
use testkit::{
    Begun, Ended, Kept,
    apps::Effect,
    users::{Again, entry_of, version_of},
};

pub(crate) use self::{stopped::skipped_records, unavailable::restoring};
use crate::play::Played;

type Check = fn(&Played) -> Result<(), String>;

const CHECKS: [Check; 17] = [
    at_rest,
    states_in_order,
    nothing_begins_while_it_may_not,
    archived_is_not_written,
    effects_in_order,
    acknowledged_order,
    one_fate_per_id,
    what_comes_again_is_told_the_same,
    done_is_confirmed,
    nothing_is_passed,
    nothing_lost,
    stopped::skips_while_stopped,
    primary::the_primary_side_wins,
    unavailable::a_503_leaves_nothing,
    apps_agree,
    primary::what_lost_is_gone,
    last_word::nothing_older_comes_back,
];

pub(crate) fn check(played: &Played) -> Result<(), String> {
    CHECKS.iter().try_for_each(|check| check(played))
}

/// Whether the one thing that is wrong is a limit that is known (ARCHITECTURE, "Known not to hold"). About one of 3,000 worlds
/// without faults meets it.
pub(crate) fn is_known_limit(played: &Played) -> bool {
    last_word::nothing_older_comes_back(played).is_err() && wrongs(played).len() == 1
}

/// Everything that is wrong.
pub(crate) fn wrongs(played: &Played) -> Vec<String> {
    CHECKS.iter().filter_map(|check| check(played).err()).collect()
}

fn parked(played: &Played) -> BTreeSet<RecordKey> {
    played.world.lanes.heads().into_iter().filter(|(_, head)| head.parked).map(|(lane, _)| lane.key).collect()
}

/// L2: every entry of an unpaused map is done or parked.
fn at_rest(played: &Played) -> Result<(), String> {
    if !played.over {
        return Err("the world did not come to rest".to_owned());
    }
    for side in &played.world.map().sides {
        let left = played.world.apps.with(&side.id, |app| app.outbox.len());
        if left > 0 {
            return Err(format!("{left} reports of {} were never taken", side.id));
        }
    }
    let standing = played.world.lanes.journal();
    for (lane, head) in played.world.lanes.heads() {
        // An app that fails eight times in a row on one record, and takes others, looks like one that the record takes down.
        let failed = |entry: &Entry| entry.last_failure.as_ref().map(|last| last.failure.effect);
        let fails_alone = |entry: &Entry| failed(entry).is_some_and(|effect| effect != CallEffect::Refused);
        let alone = standing.iter().any(|(of, entry)| *of == lane && fails_alone(entry));
        if head.parked && !alone && !played.kind.refusals && !played.kind.operators {
            return Err(format!("{} is parked, though nothing was refused", lane.key));
        }
        if !head.idle() && !head.parked {
            return Err(format!("the lane of {} is stuck: {head:?}", lane.key));
        }
    }
    let map = played.world.map().map;
    if played.kind.operators && map.state != MapState::Running {
        return Err(format!("the map is {} and nothing is left to do", map.state));
    }
    let messages = played.world.queues.messages(map.uid);
    if messages > 0 {
        return Err(format!("{messages} pointers are left in the queue"));
    }
    let open = played.world.lanes.open_entries();
    if open > 0 && parked(played).is_empty() {
        return Err(format!("{open} entries are left in the journal"));
    }
    Ok(())
}

/// S7: epochs rise by one, and only legal changes happen.
fn states_in_order(played: &Played) -> Result<(), String> {
    let (mut state, mut epoch) = (MapState::Running, 0);
    for (at, next, next_epoch) in played.world.history() {
        let legal = matches!(
            (state, next),
            (MapState::Running | MapState::CatchingUp, MapState::Paused)
                | (MapState::Running | MapState::CatchingUp | MapState::Paused, MapState::Stopped)
                | (MapState::Stopped, MapState::Running)
                | (MapState::Paused, MapState::CatchingUp)
                | (MapState::CatchingUp, MapState::CatchingUp | MapState::Running)
        );
        if next_epoch != epoch + 1 || !legal {
            return Err(format!("at {at} the map went from {state} ({epoch}) to {next} ({next_epoch})"));
        }
        (state, epoch) = (next, next_epoch);
    }
    Ok(())
}

/// How long after a pause or a stop an attempt may still begin: a function remembers the map for a second, and meets other writers
/// of the record, lost answers and a wait for a repeat on its way.
const BEGINS_WITHIN_MS: u64 = 2_000;

/// S8: nothing is written while the map is paused or stopped, but for what was on its way.
fn nothing_begins_while_it_may_not(played: &Played) -> Result<(), String> {
    if played.kind.freezes() || played.kind.probes {
        return Ok(()); // functions are frozen there for minutes: what they begin then is bounded by the lease alone
    }
    let history = played.world.history();
    for Begun { at, lane, .. } in played.world.lanes.history().begun {
        let last = history.iter().rfind(|(since, ..)| *since <= at);
        if let Some((since, state @ (MapState::Paused | MapState::Stopped), _)) = last
            && at.ms_since(*since) > BEGINS_WITHIN_MS
        {
            let state = state.as_str().to_lowercase();
            return Err(format!("an attempt of {} began at {at}, though the map is {state} since {since}", lane.key));
        }
    }
    Ok(())
}

/// No entry is both archived and written, unless its outcome was unknown.
fn archived_is_not_written(played: &Played) -> Result<(), String> {
    // By the entry: one that was edited is another, and the one before may have been written in part.
    let mut written = BTreeSet::new();
    for side in &played.world.map().sides {
        played.world.apps.with(&side.id, |app| written.extend(app.effects.iter().map(|e| (e.key.clone(), e.entry))));
    }
    let history = played.world.history();
    for archived in played.world.lanes.archive() {
        let cut = matches!(archived.cause, ArchiveCause::SkippedToLive | ArchiveCause::Discarded);
        let resumed = |(_, state, _): &&(_, MapState, u64)| *state == MapState::CatchingUp;
        let before = history.iter().rfind(|change| resumed(change) && change.2 <= archived.entry.epoch);
        let last = history.iter().rfind(|change| resumed(change) && change.0 <= archived.by.at);
        if cut && before.is_some() && before == last {
            return Err(format!(
                "{} of {} was accepted after the resume, and archived",
                archived.version, archived.key
            ));
        }
        let definite = !archived.entry.outcome_unknown && archived.entry.done == PerSide([false, false]);
        let gone = archived.cause != ArchiveCause::Edited;
        if gone && definite && written.contains(&(archived.key.clone(), archived.entry.id)) {
            return Err(format!("{} of {} was archived and written", archived.version, archived.key));
        }
    }
    Ok(())
}

/// S2, S4: the effects of one record come in the order of its lane, and none twice.
fn effects_in_order(played: &Played) -> Result<(), String> {
    let archive = played.world.lanes.archive().into_iter();
    let edited: BTreeSet<_> =
        archive.filter(|one| one.cause == ArchiveCause::Edited).map(|one| (one.key, one.version)).collect();
    for side in &played.world.map().sides {
        let mut last = BTreeMap::new();
        for effect in played.world.apps.with(&side.id, |app| app.effects.clone()) {
            // An entry that was edited has a newer id.
            let this = (effect.version, effect.entry);
            let (before, row) = last.insert(effect.key.clone(), (this, effect.row)).unzip();
            let same = before.is_some_and(|before| before.0 == this.0 && before.1 != this.1);
            let lane = LaneKey { map: played.world.map().map.id, key: effect.key.clone() };
            let copy = played.world.lanes.is_copy(&lane, effect.version.seq);
            if same && copy {
                continue; // a copy that is made once more is another request
            }
            if same && !edited.contains(&(effect.key.clone(), effect.version)) {
                return Err(format!("{} of {} came to {} under two keys", effect.version, effect.key, side.id));
            }
            // A plain app takes the same call twice, and one with tags if somebody changed the record in between; never an older
            // one after a newer one.
            let again = match side.config.capability {
                Capability::Plain => true,
                Capability::Versioned => row.is_some_and(|row| effect.row > row + 1),
                Capability::Idempotent => false,
            };
            if before.is_some_and(|before| before > this || (before == this && !again)) {
                return Err(format!("{} of {} comes after {before:?} at {}", effect.version, effect.key, side.id));
            }
        }
    }
    Ok(())
}

/// S3: a write that was answered before another of the same record was sent comes before it.
fn acknowledged_order(played: &Played) -> Result<(), String> {
    let heard = played.users.heard();
    let placed: Vec<_> =
        heard.iter().filter_map(|heard| Some((heard, version_of(heard.answer.as_ref().ok()?)?))).collect();
    for (one, first) in &placed {
        for (two, second) in &placed {
            if one.key == two.key && one.id < two.id && first == second {
                return Err(format!("{} and {} were given one place, {first}", one.id, two.id));
            }
            if one.key == two.key && one.answered < two.sent && first >= second {
                return Err(format!("{} was answered before {} was sent, and stands behind it", one.id, two.id));
            }
        }
    }
    Ok(())
}

/// S6: one write is accepted once, however often it is sent.
fn one_fate_per_id(played: &Played) -> Result<(), String> {
    for (id, entries) in played.world.lanes.history().accepted {
        if entries.len() > 1 && !played.kind.fails {
            return Err(format!("{id:032x} was accepted twice, as {entries:?}"));
        }
    }
    let accepted = played.world.lanes.history().accepted;
    for heard in played.users.heard() {
        let id: u128 = heard.id.parse().map(|ulid: ulid::Ulid| ulid.0).unwrap_or_default();
        if heard.answer == Err(WriteError::IdTooOld) && !accepted.contains_key(&id) {
            return Err(format!("{} is new, and was refused as too old", heard.id));
        }
    }
    Ok(())
}

/// S6: what comes again with the same body has the same fate; with another body, it is refused.
fn what_comes_again_is_told_the_same(played: &Played) -> Result<(), String> {
    for Again { id, first, other, answer } in played.users.again() {
        let same = match (&answer, &first) {
            (Err(WriteError::IdReused), _) if other => true,
            // So many came in between that it cannot be told any more: nothing is done.
            (Err(WriteError::IdTooOld), _) => true,
            (Ok(now), first) if !other => match (version_of(now), version_of(first)) {
                (None, None) => now == first,
                (now, first) => now == first,
            },
            _ => false,
        };
        if !same {
            let body = if other { "another body" } else { "the same body" };
            return Err(format!("{id} came again with {body}, and was told {answer:?} after {first:?}"));
        }
    }
    Ok(())
}

/// S5: what is done has been taken by every side that it was for.
fn done_is_confirmed(played: &Played) -> Result<(), String> {
    let mut taken = BTreeSet::new();
    let map = played.world.map();
    for (at, side) in SideIx::BOTH.into_iter().zip(&map.sides) {
        let of = |effect: &Effect| (at, effect.key.clone(), effect.version);
        played.world.apps.with(&side.id, |app| taken.extend(app.effects.iter().chain(&app.held).map(of)));
    }
    let archived: BTreeSet<_> = played.world.lanes.archive().into_iter().map(|one| (one.key, one.version)).collect();
    for Ended { lane, version, entry, outcome } in played.world.lanes.history().ended {
        let Some(write) = entry.write().filter(|_| matches!(outcome, Some(Outcome::Written { .. }))) else { continue };
        // What is copied is not written where it is already, and a deletion that lost deletes nothing; what was archived had a call left.
        let lost = Outcome::Written { crossing: Some(Crossing { winner: Winner::TheOther }) };
        let yielded = write.image == Image::Absent && outcome.as_ref() == Some(&lost);
        if entry.waits_for_answer() || yielded || archived.contains(&(lane.key.clone(), version)) {
            continue;
        }
        for side in SideIx::BOTH {
            let wanted = write.origin != Some(side) || entry.crossing.is_some();
            if wanted && !taken.contains(&(side, lane.key.clone(), version)) {
                return Err(format!("{version} of {} is done, and {side:?} never took it", lane.key));
            }
        }
    }
    Ok(())
}

/// S5, S10: attempts begin in the order of their lane, and a record for which nothing waits is written at once.
fn nothing_is_passed(played: &Played) -> Result<(), String> {
    let history = played.world.lanes.history();
    for Begun { at, lane, seq, next } in history.begun {
        if seq != next {
            return Err(format!("at {at} the entry {seq} of {} passed the entry {next}", lane.key));
        }
    }
    let states = played.world.history();
    for Kept { lane, entry, idle } in history.kept {
        let state = states.iter().find(|(.., epoch)| *epoch == entry.epoch).map_or(MapState::Running, |found| found.1);
        if idle && !entry.waits_for_answer() && matches!(state, MapState::Running | MapState::CatchingUp) {
            return Err(format!("the entry {} of {} was kept, though nothing waits before it", entry.seq, lane.key));
        }
    }
    Ok(())
}

/// S1: every acknowledged write has had its effect, or waits in a parked lane.
fn nothing_lost(played: &Played) -> Result<(), String> {
    let parked = parked(played);
    let archived = played.world.lanes.archive();
    // By its own id, too: another write may have taken its place.
    let mut somewhere = BTreeSet::new();
    let mut note = |key: &RecordKey, version, entry| {
        somewhere.extend([(key.clone(), version, Some(entry)), (key.clone(), version, None)]);
    };
    archived.iter().for_each(|one| note(&one.key, one.version, one.entry.id));
    for side in &played.world.map().sides {
        played.world.apps.with(&side.id, |app| {
            app.effects.iter().chain(&app.held).for_each(|e| note(&e.key, e.version, e.entry));
        });
    }
    for heard in played.users.heard() {
        let Some(version) = heard.answer.as_ref().ok().and_then(version_of) else { continue };
        let lane = LaneKey { map: played.world.map().map.id, key: heard.key.clone() };
        let entry = heard.answer.as_ref().ok().and_then(entry_of);
        let known = somewhere.contains(&(heard.key.clone(), version, entry));
        if !known && !played.world.lanes.is_copy(&lane, version.seq) && !parked.contains(&heard.key) {
            return Err(format!("{} ({version}) was acknowledged and is nowhere", heard.id));
        }
    }
    Ok(())
}

/// What a side has of a record, as the guards compare it, in the fields of the first side.
fn shown_at_first(played: &Played, of: SideIx, image: &Image) -> Result<ContentHash, String> {
    let map = played.world.map();
    let first = match of {
        SideIx::First => image.clone(),
        SideIx::Second => translate(&map.config, of, image).map_err(|error| format!("{error:?}"))?,
    };
    Ok(content(&map.config, SideIx::First, &first))
}

/// L4: at rest both apps hold the same.
fn apps_agree(played: &Played) -> Result<(), String> {
    let map = played.world.map();
    let parked = parked(played);
    let config = &map.config;
    let image = |side: SideIx, key: &RecordKey| played.world.apps.with(&map.sides[side.at()].id, |app| app.image(key));
    let mut keys = BTreeSet::new();
    for side in &map.sides {
        played.world.apps.with(&side.id, |app| keys.extend(app.records.keys().cloned()));
    }
    let may_differ = stopped::may_differ(played);
    for key in keys.difference(&parked).filter(|key| !may_differ.contains(*key)) {
        let (one, two) = (image(SideIx::First, key), image(SideIx::Second, key));
        let there: Image = translate(config, SideIx::First, &one).map_err(|error| format!("{error:?}"))?;
        if content(config, SideIx::Second, &there) != content(config, SideIx::Second, &two) {
            return Err(format!("the apps differ in {key}: {one:?} and {two:?}"));
        }
    }
    Ok(())
}
