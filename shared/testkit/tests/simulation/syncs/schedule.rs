//! Reconciles by schedule: one for each due time, however many sweeps come and wherever they crash.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use app::{
    admin::syncs::{RunCommand, StartSync, command, start},
    sync::sweep,
};
use domain::{
    MapState, Timestamp,
    map::ReconcileSchedule,
    side::Capability,
    sync::{RunState, Selection, SyncKind, SyncOutcome, SyncRun},
};
use serde_json::json;
use testkit::{SimWorld, sample};

use super::{STEPS, fill, lines::wrong_lines};
use crate::operator::kim;

const HOUR_MS: u64 = 60 * 60 * 1_000;

/// A world whose map is reconciled every hour, in this state.
fn world(seed: u64, state: MapState) -> Arc<SimWorld> {
    let mut map = sample::running(Capability::Idempotent);
    map.map.state = state;
    let hourly = serde_json::from_value::<ReconcileSchedule>(json!({"every": "1h"})).unwrap();
    map.map.config.reconcile = Some(hourly);
    let world = SimWorld::new(seed, map);
    world.change_map(|map| map.map.since = world.executor.now());
    world
}

/// The runs that the schedule wanted, each with the time for which it did.
fn scheduled(world: &SimWorld) -> Vec<(Timestamp, SyncRun)> {
    let runs = world.sync_runs.all_runs().into_iter();
    runs.filter_map(|run| Some((run.start.due?, run))).collect()
}

fn plays(play: impl Future<Output = ()> + Send + 'static, world: &Arc<SimWorld>) {
    let done = Arc::new(AtomicU64::new(0));
    let end = Arc::clone(&done);
    world.executor.spawn(async move {
        play.await;
        end.store(1, Ordering::SeqCst);
    });
    assert!(world.executor.run(STEPS));
    assert_eq!(done.load(Ordering::SeqCst), 1, "the play was not played to its end");
    for run in world.sync_runs.all_runs() {
        assert_eq!(wrong_lines(world, &run), None);
    }
}

#[test]
fn every_due_time_has_one_run_however_many_sweeps_come_and_crash() {
    for seed in crate::seeds(20) {
        let world = world(seed, MapState::Running);
        fill(&world, [1, 1]);
        let began = world.executor.now();
        for _ in 0..2 {
            let sweeper = Arc::clone(&world);
            world.executor.spawn(async move {
                for _ in 0..200 {
                    sweeper.executor.sleep(60_000).await;
                    sweeper.sweep_syncs().await;
                }
            });
        }
        let worker = Arc::clone(&world);
        world.executor.spawn(async move {
            for _ in 0..(200 * 6 + 60) {
                worker.executor.sleep(10_000).await;
                worker.work_on_syncs().await;
            }
        });
        world.set_crashes(20);
        world.sync_runs.set_failing(20);
        assert!(world.executor.run(STEPS));
        let (runs, hour) = (scheduled(&world), |n: u64| began.plus_ms(n * HOUR_MS));
        let due: Vec<_> = runs.iter().map(|(due, _)| *due).collect();
        assert_eq!(due, [hour(0), hour(1), hour(2), hour(3)], "TANDEM_SEED={seed}");
        for (due, run) in runs {
            assert!(run.began.ms_since(due) < 20 * 60_000, "TANDEM_SEED={seed}: {due} {}", run.began);
            assert!(run.adds_up() && run.outcome() != SyncOutcome::Cancelled, "TANDEM_SEED={seed}: {run:?}");
            assert_eq!(wrong_lines(&world, &run), None, "TANDEM_SEED={seed}");
        }
    }
}

#[test]
fn a_sweep_that_crashes_anywhere_leaves_one_run_that_goes_on() {
    let play = |point: Option<u64>| {
        let world = world(3, MapState::Running);
        let points = Arc::new(AtomicU64::new(0));
        let (played, told) = (Arc::clone(&world), Arc::clone(&points));
        let play = async move {
            let world = &*played;
            world.crash_at_point(point);
            let _ = world.invoke(sweep(world)).await;
            told.store(world.points(), Ordering::SeqCst);
            world.crash_at_point(None);
            for _ in 0..20 {
                world.sweep_syncs().await;
                world.work_on_syncs().await;
                world.executor.sleep(20_000).await;
            }
            let runs = scheduled(world);
            assert_eq!(runs.len(), 1, "crashed at {point:?}");
            assert_eq!(runs[0].1.state, RunState::Finished, "crashed at {point:?}");
        };
        plays(play, &world);
        points.load(Ordering::SeqCst)
    };
    for point in 0..play(None) {
        play(Some(point));
    }
}

#[test]
fn a_reconcile_that_is_due_while_a_run_goes_on_is_skipped_once_and_says_so() {
    let world = world(5, MapState::Running);
    let played = Arc::clone(&world);
    let play = async move {
        let world = &*played;
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
        let other = start(world, &kim(), &world.map().map.id, &wanted).await.unwrap();
        command(world, &kim(), &other.map, other.id, (RunCommand::Pause, "to test")).await.unwrap();
        for _ in 0..5 {
            world.sweep_syncs().await;
            world.executor.sleep(60_000).await;
        }
        let runs = scheduled(world);
        assert_eq!(runs.len(), 1);
        let (_, run) = &runs[0];
        let why = format!("the schedule of the map: every 1h; skipped, because run {} goes on", other.id);
        assert_eq!((run.state, &*run.reason), (RunState::Cancelled, &*why));
        command(world, &kim(), &other.map, other.id, (RunCommand::Cancel, "to test")).await.unwrap();
        world.sweep_syncs().await;
        assert_eq!(scheduled(world).len(), 1, "it is not made up for");
        world.executor.sleep(HOUR_MS).await;
        world.sweep_syncs().await;
        assert_eq!(scheduled(world)[1].1.state, RunState::Running);
    };
    plays(play, &world);
}

#[test]
fn a_map_that_holds_its_changes_is_skipped_and_one_that_does_not_run_is_never_due() {
    for (state, wanted) in [
        (MapState::Paused, Some("the map is Paused")),
        (MapState::CatchingUp, Some("the map is CatchingUp")),
        (MapState::Stopped, None),
        (MapState::NotRunning, None),
    ] {
        let world = world(7, state);
        let played = Arc::clone(&world);
        let play = async move {
            let world = &*played;
            world.sweep_syncs().await;
            let runs = scheduled(world);
            let told = runs.first().map(|(_, run)| &*run.reason);
            assert_eq!(told.is_some(), wanted.is_some(), "{state}");
            assert!(told.zip(wanted).is_none_or(|(told, wanted)| told.ends_with(wanted)), "{state}: {told:?}");
            assert!(runs.iter().all(|(_, run)| run.is_over()));
        };
        plays(play, &world);
    }
}

#[test]
fn a_time_of_before_the_map_ran_is_not_due() {
    let world = world(9, MapState::Running);
    world.change_map(|map| map.map.since = world.executor.now().plus_ms(1));
    let played = Arc::clone(&world);
    let play = async move {
        played.executor.sleep(60_000).await;
        played.sweep_syncs().await;
        assert_eq!(scheduled(&played).len(), 0);
        played.executor.sleep(HOUR_MS).await;
        played.sweep_syncs().await;
        assert_eq!(scheduled(&played).len(), 1);
    };
    plays(play, &world);
}
