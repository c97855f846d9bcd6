//! Legs that are off, rows that are no records, and reruns.

use std::sync::{Arc, Mutex};

use app::{
    admin::syncs::{RunCommand, StartSync, command, findings, start},
    ports::{ActiveRun, FindingList},
    sync::work,
};
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
        fill(&world, [1, 1]);
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

pub(super) async fn run_to_its_end(
    world: &SimWorld,
    selection: Selection,
    parent: Option<SyncRunId>,
    legs: Vec<(SideId, LegChoice)>,
) {
    let (kind, reason) = (SyncKind::InitialSync, "to test".to_owned());
    let wanted = StartSync {
        kind,
        winner: None,
        winner_of_field: None,
        legs,
        selection,
        parent,
        despite: vec!["key_field".to_owned()],
        reason,
    };
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

/// A run that is cancelled lists every row that it did not reach, page by page: those that wait for their counterparts, too.
#[test]
fn a_cancelled_run_lists_what_it_did_not_reach() {
    let mut map = sample::running(Capability::Idempotent);
    map.map.state = MapState::NotRunning;
    let mut waited = 0;
    for seed in crate::seeds(WORLDS / 4) {
        let world = SimWorld::new(seed, map.clone());
        fill(&world, [1, 1]);
        let played = Arc::clone(&world);
        world.executor.spawn(async move {
            let (world, id) = (&*played, played.map().map.id);
            let wanted = StartSync {
                kind: SyncKind::DryRun,
                winner: None,
                winner_of_field: None,
                legs: Vec::new(),
                selection: Selection::All,
                parent: None,
                despite: Vec::new(),
                reason: "to test".to_owned(),
            };
            let run = start(world, &kim(), &id, &wanted).await.unwrap();
            // The worker crashes somewhere on the way.
            let active = ActiveRun { map: id.clone(), run: run.id };
            world.crash_at_point(Some(world.executor.chance(|rng| rng.below(60))));
            world.invoke(work(world, &active, world.executor.now().plus_ms(60_000))).await;
            world.crash_at_point(None);
            let _ = command(world, &kim(), &id, run.id, (RunCommand::Cancel, "to test")).await;
        });
        assert!(world.executor.run(STEPS));
        let run = world.sync_runs.all_runs().pop().unwrap();
        let listed = Arc::new(Mutex::new(Vec::new()));
        let (playing, out, of) = (Arc::clone(&world), Arc::clone(&listed), run.clone());
        world.executor.spawn(async move {
            let mut after: Option<String> = None;
            loop {
                let page = (after.as_deref(), 2);
                let (found, next) = findings(&*playing, &of.map, of.id, FindingList::LookAgain, page).await.unwrap();
                out.lock().unwrap().extend(found.into_iter().map(|found| (found.leg.at(), found.key)));
                after = next;
                if after.is_none() {
                    break;
                }
            }
        });
        assert!(world.executor.run(STEPS));
        let mut listed = listed.lock().unwrap().clone();
        let told = listed.len() as u64;
        listed.sort_unstable();
        listed.dedup();
        let not_reached: u64 = run.counts.0.iter().map(|counts| counts.not_reached).sum();
        assert_eq!((told, listed.len() as u64), (not_reached, not_reached), "TANDEM_SEED={seed}: {run:?}");
        waited += not_reached;
    }
    assert!(waited > 0, "no run was cancelled in time");
}
