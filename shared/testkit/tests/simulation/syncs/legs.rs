//! Legs that are off, rows that are no records, and reruns.

use std::sync::Arc;

use app::admin::syncs::{StartSync, start};
use domain::{
    MapState, SideId,
    id::SyncRunId,
    side::Capability,
    sync::{LegChoice, Selection, SyncKind, SyncRun},
};
use testkit::{SimWorld, sample};

use super::{RECORDS, STEPS, WORLDS, fill, key};
use crate::operator::kim;

/// A leg that is off copies nothing, and a row that is no record is listed, in the run and in its rerun.
#[test]
fn a_leg_that_is_off_copies_nothing_and_rows_without_a_key_are_told_each_time() {
    let mut map = sample::running(Capability::Idempotent);
    map.map.state = MapState::NotRunning;
    for seed in crate::seeds(WORLDS / 4) {
        let world = SimWorld::new(seed, map.clone());
        fill(&world);
        let [finance, crm] = world.map().sides.map(|side| side.id);
        world.apps.with(&finance, |app| app.odd_rows.insert("C-1x".to_owned(), "{\"Name\": \"no key\"}".to_owned()));
        let before: Vec<_> = (0..RECORDS).map(|n| world.apps.with(&finance, |app| app.image(&key(n)))).collect();
        let played = Arc::clone(&world);
        world.executor.spawn(async move {
            let world = &*played;
            let off = vec![(crm.clone(), LegChoice::Off)];
            run_to_its_end(world, Selection::All, None, off).await;
            let first = world.sync_runs.all_runs()[0].clone();
            run_to_its_end(world, Selection::Failed, Some(first.id), vec![(crm, LegChoice::Off)]).await;
            let rerun = world.sync_runs.all_runs()[1].clone();
            assert_eq!(rerun.counts.0[0].read, first.counts.0[0].failed, "TANDEM_SEED={seed}");
            let keyless = |run: &SyncRun| run.causes.iter().any(|cause| cause.message.contains("no key field"));
            assert!(keyless(&first) && keyless(&rerun), "TANDEM_SEED={seed}: {:?}, {:?}", first.causes, rerun.causes);
        });
        assert!(world.executor.run(STEPS));
        let after: Vec<_> = (0..RECORDS).map(|n| world.apps.with(&finance, |app| app.image(&key(n)))).collect();
        assert_eq!(before, after, "TANDEM_SEED={seed}: nothing is copied to finance");
        assert_eq!(world.sync_runs.all_runs().len(), 2, "TANDEM_SEED={seed}");
        for run in world.sync_runs.history() {
            assert!(run.adds_up(), "TANDEM_SEED={seed}: {:?}", run.counts);
        }
    }
}

async fn run_to_its_end(
    world: &SimWorld,
    selection: Selection,
    parent: Option<SyncRunId>,
    legs: Vec<(SideId, LegChoice)>,
) {
    let (kind, reason) = (SyncKind::InitialSync, "to test".to_owned());
    let wanted = StartSync { kind, winner: None, legs, selection, parent, reason };
    let run = start(world, &kim(), &world.map().map.id, &wanted).await.unwrap();
    for _ in 0..200 {
        if world.sync_runs.all_runs().iter().any(|known| known.id == run.id && known.is_over()) {
            return;
        }
        world.sweep_syncs().await;
        world.work_on_syncs().await;
        world.executor.sleep(5_000).await;
    }
    panic!("the run does not end: {:?}", world.sync_runs.all_runs());
}
