//! The function that copies a record dies at each of its waits. If the app has the copy, its report is an echo.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::{Arc, Mutex};

use app::{
    admin::{
        archive::{ArchiveFilter, OnNewer, list, recover},
        map_commands::switch,
    },
    drain::run_lane,
    ports::{LaneKey, Lanes, Ports},
};
use domain::{
    RecordKey, SideIx, Timestamp,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::json;
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

/// What became of a copy whose function died, and of the app's report of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    /// The app does not have it.
    NotCalled,
    Echo,
    Change,
    /// The function was through.
    Settled,
}

/// finance's change is archived and recovered; the function that copies it to crm dies at this point.
fn dies_at(point: u64) -> Found {
    let world = SimWorld::new(7, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    let found = Arc::new(Mutex::new(None));
    {
        let (world, found) = (Arc::clone(&world), Arc::clone(&found));
        Arc::clone(&world).executor.spawn(async move {
            let end = copy(&world, &users, point).await;
            *found.lock().unwrap() = Some(end);
        });
    }
    assert!(world.executor.run(500_000), "it does not come to rest");
    let end = found.lock().unwrap().take();
    end.unwrap()
}

async fn copy(world: &Arc<SimWorld>, users: &Arc<Users>, point: u64) -> Found {
    let (map, key) = (world.map().map.id, "C-1".parse::<RecordKey>().unwrap());
    let lane = LaneKey { map: map.clone(), key: key.clone() };
    users.edit_committed(SideIx::First, &key, limit(1)).await;
    all_report(users).await;
    switch(&**world, &kim(), &map, MapCommand::Pause, "to test").await.unwrap();
    users.edit_committed(SideIx::First, &key, limit(2)).await;
    all_report(users).await;
    switch(&**world, &kim(), &map, MapCommand::Resume(Backlog::Discard), "to test").await.unwrap();
    for _ in 0..4 {
        world.run_woken().await;
        world.executor.sleep(10_000).await;
        world.sweep().await;
    }
    let (archived, _) = list(&**world, &map, &ArchiveFilter::default(), None, 10).await.unwrap();
    recover(&**world, &kim(), &map, archived[0].id, OnNewer::Keep, "to test").await.unwrap();
    world.crash_at_point(Some(point));
    let run = world.invoke(run_lane(&**world, &lane, Timestamp::NEVER)).await;
    world.crash_at_point(None);
    if run.is_some() {
        return Found::Settled;
    }
    if world.apps.with(&world.map().sides[1].id, |app| app.outbox.is_empty()) {
        return Found::NotCalled;
    }
    let places = async || world.lanes().head(&lane).await.unwrap().unwrap().0.next_seq;
    let before = places().await;
    all_report(users).await;
    if places().await == before { Found::Echo } else { Found::Change }
}

async fn all_report(users: &Users) {
    for side in SideIx::BOTH {
        while users.report(side).await {}
    }
}

/// As finance has it.
fn limit(limit: u32) -> Image {
    let record = json!({"Name": "Ada", "Limit": limit, "OnHold": "No", "refused": false});
    Image::Present(record.as_object().unwrap().clone())
}

#[test]
fn the_report_of_a_copy_is_an_echo_though_its_function_has_died() {
    let ends: Vec<_> = (0..).map(dies_at).take_while(|end| *end != Found::Settled).collect();
    assert!(ends.contains(&Found::NotCalled) && ends.contains(&Found::Echo), "{ends:?}");
    assert!(!ends.contains(&Found::Change), "{ends:?}");
}
