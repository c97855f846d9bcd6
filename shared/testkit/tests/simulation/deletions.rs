//! An app deletes a record while the other one changes it.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::{Arc, Mutex};

use app::{
    admin::{conflicts, map_commands::switch},
    drain::{drain_map, sweep},
    ports::Ports,
};
use domain::{
    RecordKey, SideIx,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::{Value, json};
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

const WORLDS: u64 = 20;
/// A field that the map does not carry.
const NOTE: &str = "note";

fn key() -> RecordKey {
    "C-1".parse().unwrap()
}

fn image(fields: Value) -> Image {
    Image::Present(fields.as_object().unwrap().clone())
}

/// Both apps have a record. The map is paused; finance deletes it, and crm changes it after that or before. What both apps
/// have after the resume, and how many conflicts are noted.
fn play(seed: u64, deletion_first: bool) -> (Image, Image, usize) {
    let world = SimWorld::new(seed, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    let found = Arc::new(Mutex::new(None));
    let (inner, result) = (Arc::clone(&world), Arc::clone(&found));
    world.executor.spawn(async move {
        let world = inner;
        let id = world.map().map.id;
        let before = json!({"name": "Ada", "limit": 1, "hold": false, NOTE: "she pays late"});
        users.edit_committed(SideIx::Second, &key(), image(before)).await;
        rest(&world, &users).await;
        switch(&*world, &kim(), &id, MapCommand::Pause, "to see").await.unwrap();
        let change = json!({"name": "Ada", "limit": 2, "hold": false, NOTE: "she pays late"});
        let mut edits = vec![(SideIx::First, Image::Absent), (SideIx::Second, image(change))];
        if !deletion_first {
            edits.reverse();
        }
        for (side, image) in edits {
            users.edit_committed(side, &key(), image).await;
            while users.report(side).await {}
            world.executor.sleep(1_000).await;
        }
        switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "to see").await.unwrap();
        drain_map(&*world, &id, world.now().plus_ms(240_000)).await.unwrap();
        rest(&world, &users).await;
        let sides = world.map().sides;
        let [finance, crm] = sides.each_ref().map(|side| world.apps.with(&side.id, |app| app.image(&key())));
        let (noted, _) = conflicts::list(&*world, &id, &conflicts::ConflictFilter::default(), None, 10).await.unwrap();
        *result.lock().unwrap() = Some((finance, crm, noted.len()));
    });
    assert!(world.executor.run(500_000), "it does not come to rest");
    let played = found.lock().unwrap().take();
    played.unwrap()
}

async fn rest(world: &SimWorld, users: &Users) {
    for _ in 0..20 {
        for side in SideIx::BOTH {
            while users.report(side).await {}
        }
        world.executor.sleep(10_000).await;
        sweep(world, world.now().plus_ms(60_000)).await.unwrap();
    }
}

#[test]
fn a_deletion_that_a_later_change_beats_destroys_nothing() {
    for seed in 0..WORLDS {
        let (finance, crm, conflicts) = play(seed, true);
        let Image::Present(crm) = crm else { panic!("crm's user changed it last; seed {seed}") };
        assert_eq!((&crm["limit"], &crm[NOTE]), (&json!(2), &json!("she pays late")), "seed {seed}");
        let Image::Present(finance) = finance else { panic!("it is there again; seed {seed}") };
        assert_eq!(finance["Limit"], json!(2), "seed {seed}");
        assert_eq!(conflicts, 1, "the deletion that lost; seed {seed}");
    }
}

#[test]
fn a_deletion_that_comes_last_deletes() {
    for seed in 0..WORLDS {
        let (finance, crm, _) = play(seed, false);
        assert_eq!((finance, crm), (Image::Absent, Image::Absent), "seed {seed}");
    }
}
