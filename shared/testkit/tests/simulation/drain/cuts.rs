//! What is skipped to live or discarded is so, whatever its lane waits for; and nothing else is.

use app::{
    drain::drain_map,
    ports::{Config, Ports},
};
use domain::{
    MapState,
    map::{Backlog, MapCommand},
};
use testkit::SimWorld;

use super::{at_crm, command, in_a_world, key, reports};

const RUN_MS: u64 = 240_000;

async fn drains(world: &SimWorld) -> MapState {
    drain_map(world, &world.map().map.id, world.now().plus_ms(RUN_MS)).await.unwrap();
    world.map().map.state
}

#[test]
fn a_parked_record_is_discarded_though_hundreds_of_others_wait_for_their_next_attempt() {
    in_a_world(|world| async move {
        reports(&world, &key(0), "refused").await;
        reports(&world, &key(0), "behind it").await;
        command(&world, MapCommand::Pause).await;
        command(&world, MapCommand::Resume(Backlog::Discard)).await;
        world.apps.set_busy_for_ms(600_000);
        for n in 1..=210 {
            reports(&world, &key(n), "new").await;
        }
        world.apps.set_busy_for_ms(0);
        assert_eq!(drains(&world).await, MapState::Running);
        let archived: Vec<_> = world.lanes.archive().into_iter().map(|one| one.key.to_string()).collect();
        assert_eq!(archived, ["C-0", "C-0"]);
    });
}

#[test]
fn a_map_runs_when_a_parked_record_is_discarded_and_not_while_a_call_of_it_may_still_land() {
    in_a_world(|world| async move {
        let crm = "crm".parse().unwrap();
        world.apps.with(&crm, |app| app.locked.insert(key(0)));
        reports(&world, &key(0), "refused").await; // no answer
        world.apps.with(&crm, |app| app.locked.remove(&key(0)));
        world.executor.sleep(60_000).await;
        drains(&world).await; // refused
        reports(&world, &key(0), "behind it").await;
        assert!(world.lanes.heads().iter().any(|(_, head)| head.parked));
        command(&world, MapCommand::Pause).await;
        command(&world, MapCommand::Resume(Backlog::Discard)).await;
        assert_eq!((drains(&world).await, world.lanes.archive().len()), (MapState::CatchingUp, 0));
        world.executor.sleep(60_000).await;
        assert_eq!((drains(&world).await, world.lanes.archive().len()), (MapState::Running, 2));
    });
}

#[test]
fn a_change_that_comes_after_the_command_is_not_discarded_though_the_function_remembers_the_map() {
    in_a_world(|world| async move {
        world.set_memory_ms(1_000);
        super::keeps(&world, 1, 2).await;
        command(&world, MapCommand::Resume(Backlog::CatchUp)).await;
        Config::map(&*world, &world.map().map.id).await.unwrap();
        command(&world, MapCommand::Resume(Backlog::Discard)).await;
        reports(&world, &key(0), "after it").await;
        world.executor.sleep(2_000).await;
        assert_eq!(drains(&world).await, MapState::Running);
        assert_eq!(world.lanes.archive().len(), 2);
        assert!(at_crm(&world, &key(0)).contains("after it"), "{}", at_crm(&world, &key(0)));
    });
}
