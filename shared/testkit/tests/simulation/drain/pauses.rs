//! When a paused map is quiet.

use std::sync::Arc;

use app::{
    admin::map_commands::{QUIET_AFTER_MS, pause},
    ports::{Config, Ports},
    write::write,
};
use domain::{
    map::{Backlog, MapCommand},
    side::Capability,
};
use testkit::{SimWorld, sample};

use super::{change, command, in_a_world, key, reports};
use crate::operator::kim;

#[test]
fn a_write_in_flight_is_seen_behind_hundreds_of_records_that_wait_for_their_next_attempt() {
    in_a_world(|world| async move {
        world.apps.set_busy_for_ms(30_000);
        for n in 1..=250 {
            reports(&world, &key(n), "new").await;
        }
        world.apps.set_busy_for_ms(0);
        world.apps.set_latency_ms(20_000);
        let slow = Arc::clone(&world);
        world.executor.spawn(async move {
            reports(&slow, &key(0), "slow").await;
        });
        world.executor.sleep(1_000).await;
        let (_, quiet) = pause(&*world, &kim(), &world.map().map.id, "to see", 5_000).await.unwrap();
        let keys: Vec<_> = quiet.in_flight.iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!((quiet.is_quiet(), quiet.settling, quiet.more, keys), (false, false, false, vec!["C-0".to_owned()]));
    });
}

#[test]
fn nothing_begins_when_a_map_was_told_to_be_quiet_not_even_a_write_that_waited_for_its_lease() {
    in_a_world(|world| async move {
        let request = change(&world, "customers", &key(0), "direct");
        world.apps.set_latency_ms(3_600_000);
        {
            let dies = world.executor.sleep(1_000);
            futures::future::select(Box::pin(write(&*world, &request)), Box::pin(dies)).await;
        }
        world.apps.set_latency_ms(0);
        let lease_end = world.lanes.heads()[0].1.inflight.as_ref().unwrap().lease_end;
        world.executor.sleep(lease_end.ms_since(world.now()) - 2_500).await;
        world.set_memory_ms(1_000);
        Config::map(&*world, &world.map().map.id).await.unwrap();
        command(&world, MapCommand::Pause).await;
        let paused = world.now();
        world.executor.sleep(900).await;
        let told = write(&*world, &request).await; // its caller comes again, and waits
        assert!(world.now() >= lease_end, "it waited: {told:?}");
        let late: Vec<_> =
            world.lanes.history().begun.into_iter().filter(|begun| begun.at > paused.plus_ms(QUIET_AFTER_MS)).collect();
        assert_eq!(late, Vec::new(), "{told:?}");
    });
}

#[test]
fn a_pause_that_somebody_ends_while_it_is_waited_for_is_not_told_to_have_come_about() {
    let world = SimWorld::new(3, sample::running(Capability::Idempotent));
    let (waits, ends) = (Arc::clone(&world), Arc::clone(&world));
    world.executor.spawn(async move {
        let told = pause(&*waits, &kim(), &waits.map().map.id, "to see", 20_000).await;
        assert!(told.is_err(), "{told:?}");
    });
    world.executor.spawn(async move {
        ends.executor.sleep(1_000).await;
        command(&ends, MapCommand::Resume(Backlog::CatchUp)).await;
    });
    assert!(world.executor.run(100_000));
}
