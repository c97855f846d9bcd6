//! Runs, and how many of them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use app::{
    drain::{drain_map, sweep},
    ports::{Gauges, Ports, Queues},
};
use domain::{
    MapState,
    map::{Backlog, MapCommand},
};
use testkit::{QueueFaults, SimWorld};

use super::{change, command, effects, in_a_world, keeps, key, one_more_map, reports};

const RUN_MS: u64 = 240_000;

/// A function that runs beside the others; how many did at most.
fn begins<F: Future<Output = ()> + Send + 'static>(
    world: &Arc<SimWorld>,
    (live, most): (&Arc<AtomicUsize>, &Arc<AtomicUsize>),
    run: impl FnOnce(Arc<SimWorld>) -> F + Send + 'static,
) {
    let (played, live, most) = (Arc::clone(world), Arc::clone(live), Arc::clone(most));
    world.executor.spawn(async move {
        most.fetch_max(live.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        run(played).await;
        live.fetch_sub(1, Ordering::SeqCst);
    });
}

#[test]
fn an_hour_of_backlog_is_drained_by_one_run_after_the_other_and_not_by_one_more_each_minute() {
    in_a_world(|world| async move {
        keeps(&world, 3, 400).await;
        world.apps.set_latency_ms(5_000);
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        let (live, most, runs) = (Arc::default(), Arc::default(), Arc::new(AtomicUsize::new(0)));
        for second in 0..3_600 {
            if second % 60 == 0 {
                begins(&world, (&live, &most), |world| async move {
                    sweep(&*world, world.now().plus_ms(RUN_MS)).await.unwrap();
                });
            }
            for id in world.take_woken().0 {
                runs.fetch_add(1, Ordering::SeqCst);
                begins(&world, (&live, &most), |world| async move {
                    drain_map(&*world, &id, world.now().plus_ms(RUN_MS)).await.unwrap();
                });
            }
            world.executor.sleep(1_000).await;
        }
        assert_eq!((world.map().map.state, effects(&world, "C-")), (MapState::Running, 1_200));
        let (most, runs) = (most.load(Ordering::SeqCst), runs.load(Ordering::SeqCst));
        assert!(most <= 2, "{most} runs at the same time");
        assert!(runs <= 12, "{runs} runs had another one go on");
    });
}

#[test]
fn a_run_that_died_holds_up_nobody_for_long() {
    in_a_world(|world| async move {
        keeps(&world, 1, 20).await;
        world.apps.set_latency_ms(5_000);
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        let id = world.map().map.id;
        {
            let run = drain_map(&*world, &id, world.now().plus_ms(RUN_MS));
            let death = world.executor.sleep(12_000);
            futures::future::select(Box::pin(run), Box::pin(death)).await;
        }
        world.executor.sleep(60_000).await;
        sweep(&*world, world.now().plus_ms(RUN_MS)).await.unwrap();
        assert_eq!((world.map().map.state, effects(&world, "C-")), (MapState::Running, 20));
    });
}

#[test]
fn a_run_that_cannot_tell_that_the_map_has_caught_up_lets_it_go() {
    in_a_world(|world| async move {
        keeps(&world, 1, 3).await;
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        let map = world.map().map;
        world.set_failing_saves(1);
        let told = drain_map(&*world, &map.id, world.now().plus_ms(RUN_MS)).await;
        assert!(told.is_err(), "{told:?}");
        assert_eq!(world.lanes().drain_holder(&map, world.now()).await, Ok(None), "nobody has to wait for it");
        drain_map(&*world, &map.id, world.now().plus_ms(RUN_MS)).await.unwrap();
        assert_eq!((world.map().map.state, effects(&world, "C-")), (MapState::Running, 3));
    });
}

#[test]
fn a_queue_that_a_paused_map_has_lost_is_made_anew_and_says_how_deep_it_is_only_then() {
    in_a_world(|world| async move {
        keeps(&world, 2, 3).await;
        let map = world.map().map;
        world.queues().remove(&map).await.unwrap();
        assert_eq!(world.queues().depth(&map).await, Ok(None));
        sweep(&*world, world.now().plus_ms(RUN_MS)).await.unwrap();
        assert_eq!(world.lanes().depths(&map).await, Ok(Vec::new()), "what is not known is no sample");
        assert_eq!(world.queues().depth(&map).await, Ok(Some(6)), "all that waits is pointed to");
    });
}

#[test]
fn every_map_has_its_share_of_a_sweep() {
    in_a_world(|world| async move {
        for n in 0..20 {
            one_more_map(&world, n, 300).await;
        }
        world.apps.set_latency_ms(5_000);
        sweep(&*world, world.now().plus_ms(RUN_MS)).await.unwrap();
        let none: Vec<_> = (0..20).filter(|n| effects(&world, &format!("M-{n}")) == 0).collect();
        assert_eq!(none, Vec::<usize>::new(), "maps that had no time");
        assert!(!world.take_woken().0.is_empty(), "other runs go on with them");
    });
}

#[test]
fn a_queue_that_cannot_be_read_stops_nothing() {
    in_a_world(|world| async move {
        world.queues.set_faults(QueueFaults { unreadable: 1_000, ..QueueFaults::default() });
        keeps(&world, 3, 2).await;
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        drain_map(&*world, &world.map().map.id, world.now().plus_ms(RUN_MS)).await.unwrap();
        assert_eq!((world.map().map.state, effects(&world, "C-")), (MapState::Running, 6));
    });
}

#[test]
fn a_run_ends_in_its_time_though_the_app_wants_to_be_left_alone_for_longer() {
    in_a_world(|world| async move {
        keeps(&world, 3, 2).await;
        world.apps.set_busy_for_ms(30_000);
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        let until = world.now().plus_ms(10_000);
        drain_map(&*world, &world.map().map.id, until).await.unwrap();
        assert!(world.now() <= until, "it ran until {}, for {until}", world.now());
    });
}

#[test]
fn no_entry_is_begun_when_the_time_is_up_though_a_place_was_waited_for() {
    in_a_world(|world| async move {
        keeps(&world, 3, 2).await;
        world.apps.set_latency_ms(12_000);
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        let until = world.now().plus_ms(10_000);
        drain_map(&*world, &world.map().map.id, until).await.unwrap();
        let late: Vec<_> = world.lanes.history().begun.into_iter().filter(|begun| begun.at >= until).collect();
        assert_eq!(late, Vec::new());
    });
}

#[test]
fn pointers_to_many_records_are_sent_again_by_sweeps_that_have_too_little_time() {
    in_a_world(|world| async move {
        keeps(&world, 250, 1).await;
        world.executor.sleep(13 * 24 * 3_600_000 + 1_000).await;
        world.queues.set_latency_ms(100);
        for _ in 0..8 {
            world.executor.sleep(60_000).await;
            sweep(&*world, world.now().plus_ms(5_000)).await.unwrap();
        }
        assert_eq!(world.queues.sent(), 500, "each once more");
    });
}

#[test]
fn a_change_behind_a_backlog_is_pointed_to_and_wakes_nobody_past_the_drain() {
    in_a_world(|world| async move {
        keeps(&world, 1, 2).await;
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        world.take_woken();
        let before = world.queues.sent();
        for _ in 0..9 {
            reports(&world, &key(0), "behind").await;
        }
        assert_eq!((world.take_woken().1, world.queues.sent() - before), (0, 9));
        let direct = change(&world, "customers", &key(7), "untouched");
        app::write::write(&*world, &direct).await.unwrap();
        assert_eq!(effects(&world, "C-7"), 1, "records without a backlog are written at once");
    });
}
