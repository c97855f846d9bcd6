//! The drain at work: how many runs there are, how long they take, and what they must not overlook.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

mod cuts;
mod failing;
mod own_reports;
mod pauses;
mod runs;

use std::sync::Arc;

use app::{
    admin::map_commands::switch,
    ports::{Ports, SyncMap},
    request::WriteRequest,
    write::write,
};
use domain::{MapState, RecordKey, lane::Answer, map::MapCommand, side::Capability};
use serde_json::json;
use testkit::{SimWorld, sample};

use crate::operator::kim;

const STEPS: u64 = 3_000_000;

/// Plays in a world without faults until all is over.
fn in_a_world<F: Future<Output = ()> + Send + 'static>(play: impl FnOnce(Arc<SimWorld>) -> F) {
    let world = SimWorld::new(11, sample::running(Capability::Idempotent));
    world.executor.spawn(play(Arc::clone(&world)));
    assert!(world.executor.run(STEPS), "it does not come to rest");
}

fn key(n: usize) -> RecordKey {
    format!("C-{n}").parse().unwrap()
}

/// finance reports a change that stands already.
fn change(world: &SimWorld, map: &str, key: &RecordKey, name: &str) -> WriteRequest {
    let refused = name == "refused";
    let request = json!({
        "id": ulid::Ulid(world.fresh_id()).to_string(), "map": map, "key": key, "origin": "finance",
        "mode": "committed", "record": {"Name": name, "OnHold": "No", "refused": refused}, "before": null,
    });
    WriteRequest::from_value(request).unwrap()
}

async fn reports(world: &SimWorld, key: &RecordKey, name: &str) -> Answer {
    write(world, &change(world, "customers", key, name)).await.unwrap().what
}

async fn command(world: &SimWorld, what: MapCommand) {
    switch(world, &kim(), &world.map().map.id, what, "to see").await.unwrap();
}

/// So many changes of each of so many records are kept.
async fn keeps(world: &SimWorld, records: usize, changes: usize) {
    command(world, MapCommand::Pause).await;
    for n in 0..records {
        for _ in 0..changes {
            reports(world, &key(n), "kept").await;
        }
    }
}

/// One more map, which catches up with a backlog.
async fn one_more_map(world: &SimWorld, n: usize, changes: usize) {
    let mut map = sample::running(Capability::Idempotent);
    map.map.id = format!("map-{n}").parse().unwrap();
    map.map.uid.0 = 100 + n as u128;
    let of = |state| SyncMap { map: domain::Map { state, epoch: 1, ..map.map.clone() }, sides: map.sides.clone() };
    world.put_map(of(MapState::Paused));
    let key: RecordKey = format!("M-{n}").parse().unwrap();
    for _ in 0..changes {
        write(world, &change(world, map.id.as_str(), &key, "kept")).await.unwrap();
    }
    world.put_map(of(MapState::CatchingUp));
}

/// Effects at crm, of records whose key begins so.
fn effects(world: &SimWorld, key: &str) -> usize {
    let of = |effect: &&testkit::apps::Effect| effect.key.as_str().starts_with(key);
    world.apps.with(&"crm".parse().unwrap(), |app| app.effects.iter().filter(of).count())
}

/// What crm has of a record.
fn at_crm(world: &SimWorld, key: &RecordKey) -> String {
    let image = world.apps.with(&"crm".parse().unwrap(), |app| app.image(key));
    serde_json::to_string(&image).unwrap()
}
