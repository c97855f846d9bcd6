//! Initial syncs of maps whose records refer to each other's.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use app::{
    admin::syncs::{RunCommand, StartInOrder, StartSync, command, start_in_order},
    ports::{Config, SyncMap},
};
use domain::{
    MapState, SideIx,
    map::MapSide,
    side::Capability,
    sync::{OnFailure, RunState, Selection, SyncKind, SyncRun},
};
use serde_json::json;
use testkit::{SimWorld, sample};

use super::{STEPS, image, key, lines::wrong_lines};
use crate::operator::kim;

/// A map whose records refer, in crm, to those of the world's own map.
pub(crate) fn orders() -> SyncMap {
    let mut orders = sample::running(Capability::Idempotent);
    (orders.map.id, orders.map.uid.0, orders.map.state) = ("orders".parse().unwrap(), 100, MapState::NotRunning);
    let config = &mut orders.map.config;
    let [finance, crm] = config.sides.each_ref().map(|end: &MapSide| end.side.to_string());
    let field = json!({
        "names": {&finance: "Owner", &crm: "owner"},
        "lookup": {&crm: {"entity": config.sides[1].entity}},
    });
    config.fields.push(serde_json::from_value(field).unwrap());
    config.sides.iter_mut().for_each(|end| end.entity = "orders".to_owned());
    orders
}

pub(crate) fn wanted(on_failure: OnFailure) -> StartInOrder {
    let wanted = StartSync {
        kind: SyncKind::InitialSync,
        winner: None,
        winner_of_field: None,
        legs: Vec::new(),
        selection: Selection::All,
        parent: None,
        despite: vec!["key_field".to_owned()],
        reason: "to test".to_owned(),
    };
    StartInOrder { maps: vec!["orders".parse().unwrap(), "customers".parse().unwrap()], on_failure, wanted }
}

fn stored(world: &SimWorld, run: &SyncRun) -> SyncRun {
    world.sync_runs.all_runs().into_iter().find(|known| known.id == run.id).unwrap()
}

async fn state(world: &SimWorld, map: &str) -> MapState {
    world.fresh_map(&map.parse().unwrap()).await.unwrap().unwrap().map.state
}

/// Workers go on for some minutes. As long as the first run goes on, the second one has read nothing, and its map does not run.
async fn goes_on(world: &SimWorld, [first, second]: [&SyncRun; 2]) {
    for _ in 0..60 {
        if !stored(world, first).is_over() {
            let waits = stored(world, second);
            assert_eq!((waits.counts[SideIx::First].read, state(world, "orders").await), (0, MapState::NotRunning));
        }
        world.sweep_syncs().await;
        world.work_on_syncs().await;
        world.executor.sleep(10_000).await;
    }
}

/// A world with both maps and one record, which crm refuses or takes.
fn plays<F: Future<Output = ()> + Send + 'static>(refused: bool, play: impl FnOnce(Arc<SimWorld>) -> F) {
    let mut map = sample::running(Capability::Idempotent);
    map.map.state = MapState::NotRunning;
    let world = SimWorld::new(11, map);
    world.put_map(orders());
    let finance = world.map().sides[0].id.clone();
    let image = image(SideIx::First, "Ada", 1, refused);
    world.apps.with(&finance, |app| app.change(&key(1), image, world.executor.now()));
    let done = Arc::new(AtomicBool::new(false));
    let (play, end) = (play(Arc::clone(&world)), Arc::clone(&done));
    world.executor.spawn(async move {
        play.await;
        end.store(true, Ordering::SeqCst);
    });
    assert!(world.executor.run(STEPS));
    assert!(done.load(Ordering::SeqCst), "the play was not played to its end");
    for run in world.sync_runs.all_runs() {
        assert_eq!(wrong_lines(&world, &run), None);
    }
}

#[test]
fn a_map_is_copied_and_started_after_the_one_that_its_lookups_refer_to() {
    plays(false, |world| async move {
        let world = &*world;
        let runs = start_in_order(world, &kim(), &wanted(OnFailure::Stop)).await.unwrap();
        let names: Vec<_> = runs.iter().map(|run| run.map.as_str()).collect();
        assert_eq!(names, ["customers", "orders"]);
        world.executor.sleep(1).await;
        world.sweep_syncs().await;
        world.work_on_syncs().await;
        world.sweep_syncs().await;
        world.work_on_syncs().await;
        let why = format!("it waits for run {} of map customers", runs[0].id);
        assert!(stored(world, &runs[1]).stall.is_none_or(|stall| stall.why == why));
        let again = start_in_order(world, &kim(), &wanted(OnFailure::Stop)).await.unwrap();
        assert_eq!(again.iter().map(|run| run.id).collect::<Vec<_>>(), [runs[0].id, runs[1].id], "they go on");
        goes_on(world, [&runs[0], &runs[1]]).await;
        assert!(runs.iter().all(|run| stored(world, run).state == RunState::Finished));
        assert_eq!([state(world, "customers").await, state(world, "orders").await], [MapState::Running; 2]);
        assert!(world.sync_runs.history().iter().any(|run| run.stall.as_ref().is_some_and(|stall| stall.why == why)));
    });
}

#[test]
fn a_run_before_that_has_failed_stops_the_next_one_until_it_is_resumed_or_does_not() {
    for on_failure in [OnFailure::Stop, OnFailure::Continue] {
        plays(true, |world| async move {
            let world = &*world;
            let runs = start_in_order(world, &kim(), &wanted(on_failure)).await.unwrap();
            goes_on(world, [&runs[0], &runs[1]]).await;
            assert_eq!(stored(world, &runs[0]).counts[SideIx::First].failed, 1);
            let next = stored(world, &runs[1]);
            if on_failure == OnFailure::Stop {
                let why = next.stall.unwrap().why;
                assert!(why.starts_with(&format!("run {} of map customers", runs[0].id)), "{why}");
                assert!(why.contains("ended as failed, with 1 failed records"), "{why}");
                assert_eq!((next.state, state(world, "orders").await), (RunState::Paused, MapState::NotRunning));
                command(world, &kim(), &next.map, next.id, (RunCommand::Resume, "it is known")).await.unwrap();
                goes_on(world, [&runs[0], &runs[1]]).await;
            }
            assert_eq!(stored(world, &runs[1]).state, RunState::Finished);
            assert_eq!(state(world, "orders").await, MapState::Running);
        });
    }
}

#[test]
fn a_run_that_waits_for_its_turn_may_be_cancelled_and_its_map_is_not_started() {
    plays(false, |world| async move {
        let world = &*world;
        let runs = start_in_order(world, &kim(), &wanted(OnFailure::Stop)).await.unwrap();
        command(world, &kim(), &runs[1].map, runs[1].id, (RunCommand::Cancel, "not yet")).await.unwrap();
        goes_on(world, [&runs[0], &runs[1]]).await;
        assert_eq!(stored(world, &runs[1]).state, RunState::Cancelled);
        assert_eq!(
            [state(world, "customers").await, state(world, "orders").await],
            [MapState::Running, MapState::NotRunning]
        );
    });
}
