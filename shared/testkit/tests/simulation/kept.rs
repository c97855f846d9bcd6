//! What is kept of a conflict: what the map has to do with, and nothing else that the apps have.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::Arc;

use app::admin::map_commands::switch;
use domain::{
    RecordKey, SideIx,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::{Value, json};
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

fn image(record: &Value) -> Image {
    Image::Present(record.as_object().unwrap().clone())
}

#[test]
fn of_two_changes_that_crossed_only_mapped_fields_are_kept() {
    let world = SimWorld::new(7, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    let played = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = played;
        let (id, key): (_, RecordKey) = (world.map().map.id, "C-1".parse().unwrap());
        switch(&*world, &kim(), &id, MapCommand::Pause, "to see").await.unwrap();
        let crms = json!({"name": "crm's", "limit": 5, "hold": false, "fax": "hunter2"});
        users.edit_committed(SideIx::Second, &key, image(&crms)).await;
        let finances = json!({"Name": "finance's", "Limit": 6, "OnHold": "No", "TaxId": "hunter2"});
        users.edit_committed(SideIx::First, &key, image(&finances)).await;
        for side in SideIx::BOTH {
            while users.report(side).await {}
        }
        switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "to see").await.unwrap();
        for _ in 0..3 {
            world.executor.sleep(60_000).await;
            world.sweep().await;
        }
        let conflicts = world.lanes.all_conflicts();
        assert!(!conflicts.is_empty());
        let kept = serde_json::to_string(&conflicts).unwrap();
        assert!(kept.contains("crm's") && kept.contains("finance's") && !kept.contains("hunter2"), "{kept}");
    });
    assert!(world.executor.run(500_000), "it does not come to rest");
}
