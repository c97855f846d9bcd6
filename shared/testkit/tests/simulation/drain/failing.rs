//! Records on which their app fails each time, among others that it takes.

use app::write::write;
use domain::{
    MapState, RecordKey,
    lane::ParkReason,
    map::{Backlog, MapCommand},
    side::Capability,
};
use testkit::{SimWorld, sample};

use super::{change, command, effects, in_a_world, key, reports};

const FAILING: usize = 1_000;
const HEALTHY: usize = 200;

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

/// How long the healthy records take, in simulated milliseconds, behind and among so many that always fail.
fn healthy_ones_take(failing: impl Fn(usize) -> bool + Send + 'static) -> u64 {
    let (tell, told) = std::sync::mpsc::channel();
    in_a_world(move |world| async move {
        command(&world, MapCommand::Pause).await;
        for n in 0..FAILING + HEALTHY {
            if failing(n) || n >= FAILING {
                reports(&world, &key(n), "kept").await;
                world.executor.sleep(1).await; // one after the other
            }
        }
        crm_fails(&world, (0..FAILING).filter(|n| failing(*n)).map(key));
        world.apps.set_latency_ms(50);
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        let began = world.now_ms();
        let waiting = std::sync::Arc::clone(&world);
        world.executor.spawn(async move {
            while effects(&waiting, "C-") < HEALTHY {
                waiting.executor.sleep(10).await;
            }
            tell.send(waiting.now_ms() - began).unwrap();
        });
        minutes(&world, 2).await;
        assert_eq!(effects(&world, "C-"), HEALTHY);
    });
    told.recv().unwrap()
}

#[test]
fn healthy_records_take_at_most_twice_as_long_behind_a_thousand_that_always_fail() {
    let alone = healthy_ones_take(|_| false);
    let behind = healthy_ones_take(|_| true);
    assert!(behind <= 2 * alone, "{behind} ms behind {FAILING} that fail, {alone} ms without them");
}

#[test]
fn records_that_always_fail_wait_for_an_operator_in_the_end() {
    in_a_world(|world| async move {
        command(&world, MapCommand::Pause).await;
        for n in 0..FAILING + HEALTHY {
            reports(&world, &key(n), "kept").await;
            world.executor.sleep(1).await; // so all that are healthy come after them, and are written before most of them
        }
        crm_fails(&world, (0..FAILING).map(key));
        world.apps.set_latency_ms(50);
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        minutes(&world, 10).await;
        assert_eq!(effects(&world, "C-"), HEALTHY);
        assert!(parked(&world) < FAILING / 2, "the app may be broken for the others");
        minutes(&world, 14).await;
        assert_eq!((world.map().map.state, effects(&world, "C-")), (MapState::Running, HEALTHY));
        assert_eq!(parked(&world), FAILING);
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

#[test]
fn what_other_processes_have_seen_the_app_take_tells_that_a_record_fails_alone() {
    in_a_world(|world| async move {
        crm_fails(&world, std::iter::once(key(0)));
        reports(&world, &key(0), "fails").await;
        for n in 1..10 {
            // Another function writes, and the sweep runs in a process that has seen nothing.
            reports(&world, &key(n), "taken").await;
            world.apps.with(&"crm".parse().unwrap(), testkit::apps::FakeApp::forget_health);
            world.executor.sleep(60_000).await;
            world.sweep().await;
        }
        assert_eq!((effects(&world, "C-"), parked(&world)), (9, 1));
    });
}

#[test]
fn an_app_that_is_broken_for_one_entity_keeps_none_of_its_records_for_an_operator() {
    in_a_world(|world| async move {
        let mut orders = sample::running(Capability::Idempotent);
        (orders.map.id, orders.map.uid.0) = ("orders".parse().unwrap(), 100);
        for end in &mut orders.map.config.sides {
            end.entity = "orders".to_owned();
        }
        world.put_map(orders.clone());
        let order = |n: usize| format!("O-{n}").parse::<RecordKey>().unwrap();
        let orders_change = |n: usize| change(&world, orders.id.as_str(), &order(n), "kept");
        write(&*world, &orders_change(0)).await.unwrap();
        crm_fails(&world, (1..=20).map(order));
        for n in 1..=20 {
            write(&*world, &orders_change(n)).await.unwrap();
        }
        for n in 0..10 {
            reports(&world, &key(n), "taken").await;
            minutes(&world, 1).await;
        }
        assert_eq!((effects(&world, "C-"), effects(&world, "O-"), parked(&world)), (10, 1, 0));
        world.apps.with(&"crm".parse().unwrap(), |app| app.fails.clear());
        minutes(&world, 3).await;
        assert_eq!((effects(&world, "O-"), parked(&world)), (21, 0));
    });
}

#[test]
fn a_record_that_fails_when_no_other_is_written_waits_for_an_operator_if_its_app_answers() {
    in_a_world(|world| async move {
        reports(&world, &key(1), "taken").await;
        crm_fails(&world, std::iter::once(key(0)));
        reports(&world, &key(0), "fails").await;
        minutes(&world, 8).await;
        assert_eq!(parked(&world), 1);
    });
}

#[test]
fn records_that_conflict_wait_for_an_operator_though_their_app_has_taken_no_other() {
    in_a_world(|world| async move {
        world.apps.with(&"crm".parse().unwrap(), |app| app.conflicts.extend((0..2).map(key)));
        reports(&world, &key(0), "conflicts").await;
        reports(&world, &key(1), "conflicts").await;
        minutes(&world, 2).await;
        assert_eq!(parked(&world), 0, "most conflicts and locks pass");
        minutes(&world, 8).await;
        assert_eq!((effects(&world, "C-"), parked(&world)), (0, 2));
    });
}

#[test]
fn a_write_that_failed_once_is_tried_again_after_its_backoff_and_not_by_the_next_sweep() {
    in_a_world(|world| async move {
        let crm = "crm".parse().unwrap();
        for n in 0..20 {
            world.apps.with(&crm, |app| app.fails.insert(key(n)));
            reports(&world, &key(n), "kept").await;
            world.apps.with(&crm, |app| app.fails.clear());
            world.run_woken().await;
        }
        // Some wake-up calls are lost: then it waits for the sweep.
        assert!(effects(&world, "C-") >= 10, "{} of 20 without any sweep", effects(&world, "C-"));
    });
}

#[test]
fn in_an_outage_failed_writes_wake_no_function() {
    in_a_world(|world| async move {
        world.apps.set_faults(testkit::apps::CallFaults { not_applied: 1_000, ..testkit::apps::CallFaults::default() });
        for n in 0..100 {
            reports(&world, &key(n), "kept").await;
        }
        let (_, lanes) = world.take_woken();
        assert!(lanes <= 3, "{lanes} lanes were woken");
    });
}
