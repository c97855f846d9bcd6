//! Records on which their app fails each time, among others that it takes.

use domain::{
    MapState, RecordKey,
    lane::ParkReason,
    map::{Backlog, MapCommand},
};
use testkit::SimWorld;

use super::{command, effects, in_a_world, key, reports};

const FAILING: usize = 300;
const HEALTHY: usize = 100;

fn crm_fails(world: &SimWorld, keys: impl Iterator<Item = RecordKey>) {
    world.apps.with(&"crm".parse().unwrap(), |app| app.fails.extend(keys));
}

async fn minutes(world: &SimWorld, count: u32) {
    for _ in 0..count {
        world.run_woken().await;
        world.executor.sleep(60_000).await;
        world.sweep().await;
    }
}

fn parked(world: &SimWorld) -> usize {
    let parked = |lane: &(app::ports::LaneKey, domain::lane::Head)| lane.1.parked;
    world.lanes.heads().iter().filter(|lane| parked(lane)).count()
}

#[test]
fn records_that_always_fail_hold_up_no_other_and_wait_for_an_operator_in_the_end() {
    in_a_world(|world| async move {
        command(&world, MapCommand::Pause).await;
        for n in 0..FAILING + HEALTHY {
            reports(&world, &key(n), "kept").await;
        }
        crm_fails(&world, (0..FAILING).map(key));
        world.apps.set_latency_ms(50);
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        let began = world.now_ms();
        world.run_woken().await;
        assert_eq!(effects(&world, "C-"), HEALTHY);
        // Eight at a time while none succeeds.
        let at_most_ms = (FAILING / 8 + HEALTHY) as u64 * 50 + 5_000;
        assert!(world.now_ms() - began < at_most_ms, "the healthy ones took {} ms", world.now_ms() - began);
        assert_eq!((world.map().map.state, parked(&world)), (MapState::CatchingUp, 0));
        minutes(&world, 12).await;
        assert_eq!((world.map().map.state, parked(&world)), (MapState::Running, FAILING));
        let (_, entry) = world.lanes.journal().into_iter().next().unwrap();
        assert_eq!(entry.parked, Some(ParkReason::KeepsFailing));
    });
}

#[test]
fn an_app_that_fails_on_everything_is_asked_again_until_it_works() {
    in_a_world(|world| async move {
        command(&world, MapCommand::Pause).await;
        for n in 0..20 {
            reports(&world, &key(n), "kept").await;
        }
        crm_fails(&world, (0..20).map(key));
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        minutes(&world, 60).await;
        assert_eq!((effects(&world, "C-"), parked(&world)), (0, 0));
        world.apps.with(&"crm".parse().unwrap(), |app| app.fails.clear());
        minutes(&world, 3).await;
        assert_eq!((world.map().map.state, effects(&world, "C-")), (MapState::Running, 20));
    });
}

#[test]
fn a_record_that_takes_its_app_down_each_time_waits_for_an_operator_in_the_end() {
    in_a_world(|world| async move {
        world.apps.with(&"crm".parse().unwrap(), |app| app.dies_of.insert(key(0)));
        reports(&world, &key(0), "deadly").await;
        for n in 1..30 {
            minutes(&world, 1).await;
            world.executor.sleep(10_000).await;
            reports(&world, &key(n), "harmless").await;
        }
        minutes(&world, 3).await;
        assert_eq!((effects(&world, "C-"), parked(&world)), (29, 1));
        let (lane, entry) = world.lanes.journal().into_iter().next().unwrap();
        assert_eq!((lane.key, entry.parked), (key(0), Some(ParkReason::KeepsFailing)));
        assert!(entry.attempts < 12, "{} attempts", entry.attempts);
    });
}
