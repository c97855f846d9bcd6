//! A pause has no time limit, though a queue forgets a message after fourteen days.

use std::sync::Arc;

use app::{
    admin::map_commands::switch,
    ports::{Ports, Queues},
};
use domain::{
    MapState, RecordKey, SideIx,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::json;
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

const HALF_A_DAY_MS: u64 = 12 * 60 * 60 * 1_000;
const HALF_DAYS: u64 = 80;

#[test]
fn after_forty_days_every_kept_change_is_still_pointed_to_and_written() {
    let world = SimWorld::new(5, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        let id = world.map().map.id;
        switch(&*world, &kim(), &id, MapCommand::Pause, "crm is being rebuilt").await.unwrap();
        for n in 0..3 {
            let key: RecordKey = format!("C-{n}").parse().unwrap();
            let record = json!({"Name": "Ada", "Limit": n, "OnHold": "No"});
            users.edit_committed(SideIx::First, &key, Image::Present(record.as_object().unwrap().clone())).await;
            while users.report(SideIx::First).await {}
        }
        for half_day in 0..HALF_DAYS {
            world.executor.sleep(HALF_A_DAY_MS).await;
            world.sweep().await;
            let depth = world.queues().depth(&world.map().map).await.unwrap().unwrap();
            assert!((3..=6).contains(&depth), "{depth} pointers to 3 changes after {half_day} half days");
        }
        switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "it is back").await.unwrap();
        for _ in 0..3 {
            world.executor.sleep(60_000).await;
            world.sweep().await;
        }
        assert_eq!((world.map().map.state, world.lanes.open_entries()), (MapState::Running, 0));
        let crm = "crm".parse().unwrap();
        assert_eq!(world.apps.with(&crm, |app| app.effects.len()), 3);
    });
    assert!(world.executor.run(2_000_000), "it does not come to rest");
}
