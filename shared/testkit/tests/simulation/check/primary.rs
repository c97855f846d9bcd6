//! What must hold of a map with a primary side: when changes cross, the change of the other side loses.

use std::collections::BTreeMap;

use app::ports::LaneKey;
use domain::{SideIx, lane::Winner, record::Image};
use testkit::Ended;

use super::shown_at_first;
use crate::play::Played;

pub(super) fn the_primary_side_wins(played: &Played) -> Result<(), String> {
    if !played.kind.primary {
        return Ok(());
    }
    let ended = played.world.lanes.history().ended.into_iter().map(|ended| (ended.lane, ended.entry));
    let archived = played.world.lanes.archive().into_iter();
    let map = played.world.map().map.id;
    let archived = archived.map(|one| (LaneKey { map: map.clone(), key: one.key }, one.entry));
    for (lane, entry) in ended.chain(archived).chain(played.world.lanes.journal()) {
        let Some((origin, crossing)) = entry.write().and_then(|write| write.origin).zip(entry.crossing) else {
            continue;
        };
        let wins = if origin == SideIx::First { Winner::ThisWrite } else { Winner::TheOther };
        if crossing.winner != wins {
            return Err(format!("{} of {} crossed, and is not as the primary side has it", entry.seq, lane.key));
        }
    }
    let beaten = played
        .world
        .lanes
        .all_conflicts()
        .into_iter()
        .find(|one| (one.origin == SideIx::First) != (one.winner == Winner::ThisWrite));
    match beaten {
        Some(conflict) => Err(format!("the primary side lost the conflict over {}", conflict.key)),
        None => Ok(()),
    }
}

/// The value that lost last is in neither app.
pub(super) fn what_lost_is_gone(played: &Played) -> Result<(), String> {
    if !played.kind.primary || played.kind.operators {
        return Ok(());
    }
    let map = played.world.map();
    let mut lanes: BTreeMap<LaneKey, Vec<Ended>> = BTreeMap::new();
    for ended in played.world.lanes.history().ended {
        lanes.entry(ended.lane.clone()).or_default().push(ended);
    }
    let open: Vec<LaneKey> = played.world.lanes.journal().into_iter().map(|(lane, _)| lane).collect();
    for (lane, entries) in lanes.into_iter().filter(|(lane, _)| !open.contains(lane)) {
        let writes: Vec<_> = entries.iter().filter_map(|ended| ended.entry.write()).collect();
        let Some(last) = entries.last().and_then(|ended| Some((ended.entry.write()?, ended.entry.crossing?))) else {
            continue;
        };
        let (write, crossing) = last;
        if crossing.winner != Winner::TheOther || write.image == Image::Absent {
            continue;
        }
        // A resync may have carried it: it copies a side as that is by then.
        if entries.iter().any(|ended| ended.entry.needs_resync) {
            continue;
        }
        let lost = shown_at_first(played, write.shape, &write.image);
        // What lost may be the report of what Tandem copied from the primary side.
        let twice = writes.iter().filter(|one| shown_at_first(played, one.shape, &one.image) == lost).count() > 1;
        let there = played.world.apps.with(&map.sides[1].id, |app| app.image(&lane.key));
        if !twice && shown_at_first(played, SideIx::Second, &there) == lost {
            return Err(format!("{} is as the change that lost wanted it", lane.key));
        }
    }
    Ok(())
}
