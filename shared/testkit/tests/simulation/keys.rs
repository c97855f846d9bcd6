//! One record, spelled in several ways.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::Arc;

use app::{
    admin::{DiscardPolicy, Precondition, backlog, map_commands::switch, maps},
    drain::drain_map,
    ports::Ports,
};
use domain::{
    RecordKey, SideIx,
    map::{Backlog, KeyCase, KeyRule, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::json;
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

const WORLDS: u64 = 10;
const SPELLINGS: [&str; 3] = ["C-1a", "C-1A", "c-1a "];
const CHANGES: u64 = 6;

fn key(text: &str) -> RecordKey {
    text.parse().unwrap()
}

fn play(seed: u64) {
    let mut map = sample::running(Capability::Idempotent);
    map.map.config.key_rule = KeyRule { trim: true, case: Some(KeyCase::Upper), ..KeyRule::default() };
    let world = SimWorld::new(seed, map);
    let users = Users::new(Arc::clone(&world));
    let inner = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = inner;
        let id = world.map().map.id;
        switch(&*world, &kim(), &id, MapCommand::Pause, "to see").await.unwrap();
        for n in 0..CHANGES {
            let record = json!({"Name": "Ada", "Limit": n, "OnHold": "No"});
            let spelling = SPELLINGS[usize::try_from(n).unwrap() % SPELLINGS.len()];
            users
                .edit_committed(SideIx::First, &key(spelling), Image::Present(record.as_object().unwrap().clone()))
                .await;
            while users.report(SideIx::First).await {}
            world.executor.sleep(1).await;
        }
        for spelling in SPELLINGS {
            let (waiting, _) = backlog::list(&*world, &id, Some(key(spelling)), None, 100).await.unwrap();
            assert_eq!(waiting.len() as u64, CHANGES, "an operator finds them by {spelling:?}");
        }
        // The rule cannot change under what waits.
        let stored = maps::get(&*world, &id).await.unwrap();
        let config = domain::MapConfig { key_rule: KeyRule::default(), ..stored.config };
        let (kim, expects) = (kim(), Precondition::Version(stored.version));
        let put = maps::put(&*world, &kim, id.clone(), config, expects, DiscardPolicy::Keep);
        assert!(put.await.is_err());
        switch(&*world, &kim, &id, MapCommand::Resume(Backlog::CatchUp), "to see").await.unwrap();
        drain_map(&*world, &id, world.now().plus_ms(240_000)).await.unwrap();
        let crm = &world.map().sides[1].id;
        let (effects, image) = world.apps.with(crm, |app| (app.effects.clone(), app.image(&key("C-1A"))));
        assert_eq!(effects.len() as u64, CHANGES, "each was written");
        assert!(effects.iter().all(|effect| effect.key == key("C-1A")), "{effects:?}");
        assert!(effects.is_sorted_by_key(|effect| effect.version), "in order");
        let Image::Present(record) = image else { panic!() };
        assert_eq!(record["limit"], json!(CHANGES - 1));
    });
    assert!(world.executor.run(500_000), "it does not come to rest");
}

#[test]
fn spellings_of_one_key_keep_one_order() {
    for seed in 0..WORLDS {
        play(seed);
    }
}
