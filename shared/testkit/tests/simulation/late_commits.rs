//! An app commits a change some time after Tandem accepted it, and an operator has the record copied in between.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::{Arc, Mutex};

use app::admin::{
    archive::{ArchiveFilter, OnNewer, list, recover},
    map_commands::switch,
};
use domain::{
    RecordKey, SideIx,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::json;
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

const WORLDS: u64 = 40;

/// A change is archived; the record is changed again by a caller that commits late; the archived change is recovered. What
/// is wrong in the end, if anything.
pub(crate) fn find_difference(seed: u64) -> Option<String> {
    let world = SimWorld::new(seed, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    users.set_commits_within_ms(60_000);
    let found = Arc::new(Mutex::new(None));
    {
        let (world, found) = (Arc::clone(&world), Arc::clone(&found));
        Arc::clone(&world).executor.spawn(async move {
            copies_before_the_commit(&world, &users).await;
            *found.lock().unwrap() = compare(&world);
        });
    }
    assert!(world.executor.run(500_000), "it does not come to rest");
    found.lock().unwrap().take()
}

async fn copies_before_the_commit(world: &Arc<SimWorld>, users: &Arc<Users>) {
    let map = world.map().map.id;
    users.edit_sync(SideIx::First, &key(), limit(SideIx::First, 1)).await;
    switch(&**world, &kim(), &map, MapCommand::Pause, "to test").await.unwrap();
    let archived_from = if world.executor.chance(|rng| rng.below(2)) == 0 { SideIx::First } else { SideIx::Second };
    users.edit_committed(archived_from, &key(), limit(archived_from, 2)).await;
    while users.report(archived_from).await {}
    switch(&**world, &kim(), &map, MapCommand::Resume(Backlog::Discard), "to test").await.unwrap();
    rests(world, users).await;
    // One edit: the next one would make the apps equal again.
    let side = if world.executor.chance(|rng| rng.below(4)) == 0 { archived_from.other() } else { archived_from };
    {
        let (world, users) = (Arc::clone(world), Arc::clone(users));
        Arc::clone(&world).executor.spawn(async move { users.edit_sync(side, &key(), limit(side, 3)).await });
    }
    world.executor.sleep(world.executor.chance(|rng| rng.below(60_000))).await;
    let (archived, _) = list(&**world, &map, &ArchiveFilter::default(), None, 10).await.unwrap();
    recover(&**world, &kim(), &map, archived[0].id, OnNewer::Keep, "to test").await.unwrap();
    rests(world, users).await;
}

async fn rests(world: &SimWorld, users: &Users) {
    for _ in 0..40 {
        world.run_woken().await;
        for side in SideIx::BOTH {
            while users.report(side).await {}
        }
        world.executor.sleep(10_000).await;
        world.sweep().await;
    }
}

fn compare(world: &SimWorld) -> Option<String> {
    let sides = world.map().sides;
    let limits = sides.each_ref().map(|side| match world.apps.with(&side.id, |app| app.image(&key())) {
        Image::Present(record) => record.get("Limit").or(record.get("limit")).cloned(),
        Image::Absent => None,
    });
    let open = world.lanes.open_entries();
    (limits[0] != limits[1] || open > 0).then(|| format!("the apps differ: {limits:?}, {open} entries are open"))
}

fn key() -> RecordKey {
    "C-1".parse().unwrap()
}

fn limit(side: SideIx, limit: u32) -> Image {
    let record = match side {
        SideIx::First => json!({"Name": "Ada", "Limit": limit, "OnHold": "No", "refused": false}),
        SideIx::Second => json!({"name": "Ada", "limit": limit, "hold": false, "refused": false}),
    };
    Image::Present(record.as_object().unwrap().clone())
}

#[test]
fn nothing_is_copied_while_a_caller_may_still_commit() {
    for seed in crate::seeds(WORLDS) {
        assert_eq!(find_difference(seed), None, "TANDEM_SEED={seed}");
    }
}
