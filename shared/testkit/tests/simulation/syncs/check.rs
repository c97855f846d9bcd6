//! What must hold in a world at rest.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    MapState, RecordKey, SideIx,
    lane::{Answer, content},
    mapping::translate,
    record::Image,
    side::Capability,
    sync::{FindingState, RunState, SyncRun},
};
use testkit::SimWorld;

use super::{Played, RECORDS, key, lines, merged::not_merged};

/// What is wrong in a world at rest.
pub(super) fn wrongs(played: &Played) -> Vec<String> {
    let mut wrongs = Vec::new();
    let world = &played.world;
    if !played.over {
        wrongs.push("the world did not come to rest".to_owned());
    }
    let runs = world.sync_runs.all_runs();
    for run in world.sync_runs.history() {
        if !run.adds_up() {
            wrongs.push(format!("version {} does not add up: {:?} {:?}", run.version, run.counts, run.causes));
        }
    }
    for run in &runs {
        if run.state != RunState::Finished {
            wrongs.push(format!("the run is {:?} in {:?}: {:?}", run.state, run.phase, run.stall));
        }
        if run.counts.0.iter().any(|counts| counts.not_reached > 0) {
            wrongs.push(format!("rows were not reached: {:?}", run.counts));
        }
    }
    if world.map().map.state != MapState::Running {
        wrongs.push(format!("the map is {}", world.map().map.state));
    }
    for run in &runs {
        wrongs.extend(lines::wrong_lines(world, run));
    }
    let failed = failed(world, &runs);
    wrongs.extend(differences(played, &failed));
    if played.kind.crm_wins_limits && !played.kind.edits {
        wrongs.extend(not_merged(played, &failed));
    }
    // A plain app takes a repeated call twice: the second time on top of a user's change, and reports that as a change.
    if played.kind.capability != Capability::Plain {
        wrongs.extend(overwritten(played));
    }
    wrongs
}

fn failed(world: &SimWorld, runs: &[SyncRun]) -> BTreeSet<RecordKey> {
    let findings = runs.iter().flat_map(|run| world.sync_runs.all_findings(run.id));
    let told = |state: &FindingState| matches!(state, FindingState::Failed(_) | FindingState::Changing);
    findings.filter(|finding| told(&finding.state)).map(|finding| finding.key).collect()
}

/// Records that the apps have otherwise, and that no run has told.
fn differences(played: &Played, failed: &BTreeSet<RecordKey>) -> Vec<String> {
    let (world, map) = (&played.world, played.world.map());
    let parked: BTreeSet<RecordKey> =
        world.lanes.heads().into_iter().filter(|(_, head)| head.parked).map(|(lane, _)| lane.key).collect();
    let mut wrongs = Vec::new();
    for n in 0..RECORDS {
        let [first, second] = map.sides.each_ref().map(|side| world.apps.with(&side.id, |app| app.image(&key(n))));
        let wanted = translate(&map.config, SideIx::First, &first).unwrap();
        let equal = content(&map.config, SideIx::Second, &wanted) == content(&map.config, SideIx::Second, &second);
        if !equal && !failed.contains(&key(n)) && !parked.contains(&key(n)) {
            wrongs.push(format!("C-{n}: {first:?} and {second:?}"));
        }
    }
    wrongs
}

/// Records that have what was there before, though a change was accepted while the map ran.
fn overwritten(played: &Played) -> Vec<String> {
    let mut accepted: BTreeMap<RecordKey, Vec<String>> = BTreeMap::new();
    for heard in played.users.heard() {
        if let Ok(Answer::Written { .. } | Answer::Queued { .. } | Answer::Parked { .. }) = &heard.answer {
            let name = heard.record.get("Name").or(heard.record.get("name")).and_then(|name| name.as_str());
            if name.is_some_and(|name| name.starts_with('p')) {
                accepted.entry(heard.key.clone()).or_default().push(format!("{heard:?}"));
            }
        }
    }
    let ended = played.users.ended_transactions();
    accepted.retain(|key, _| !ended.contains(key));
    let map = played.world.map();
    let mut wrongs = Vec::new();
    for (key, heard) in accepted {
        for side in &map.sides {
            let image = played.world.apps.with(&side.id, |app| app.image(&key));
            let old = matches!(&image, Image::Present(record)
                if record.get("Name").or(record.get("name")).and_then(|name| name.as_str()).is_some_and(|name| name.starts_with("old")));
            if old {
                wrongs.push(format!("{key} in {}: {image:?} although {}", side.id, heard.join("; ")));
            }
        }
    }
    wrongs
}
