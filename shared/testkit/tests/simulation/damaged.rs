//! An item of the journal that cannot be read stops its own record and nothing else, and operators can take it out.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::Arc;

use app::{
    admin::{
        archive::{self, ArchiveFilter, OnNewer},
        backlog,
        lane::{Command, Target, command},
        map_commands::switch,
        open_lanes,
    },
    drain::{drain_map, sweep},
    lookup::{WriteStatus, find_write},
    ports::{LaneKey, Ports},
};
use domain::{
    MapState, RecordKey, SideIx,
    lane::{Answer, ArchiveCause, ParkReason},
    log::LogEvent,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::json;
use testkit::{SimWorld, StoredItem, sample, users::Users};

use crate::operator::kim;

const WORLDS: u64 = 20;
const RECORDS: u64 = 8;
/// Changes of each record.
const CHANGES: u64 = 2;

fn key(n: u64) -> RecordKey {
    format!("C-{n}").parse().unwrap()
}

async fn change(world: &SimWorld, users: &Users, n: u64, limit: u64) {
    let record = json!({"Name": "Ada", "Limit": limit, "OnHold": "No"});
    users.edit_committed(SideIx::First, &key(n), Image::Present(record.as_object().unwrap().clone())).await;
    while users.report(SideIx::First).await {}
    world.executor.sleep(1).await;
}

/// Plays a paused map with `RECORDS` records of which two are damaged: of one the first entry, of another the head.
fn play(seed: u64) {
    let world = SimWorld::new(seed, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    let inner = Arc::clone(&world);
    world.executor.spawn(async move {
        let world = inner;
        let id = world.map().map.id;
        switch(&*world, &kim(), &id, MapCommand::Pause, "to see").await.unwrap();
        for limit in 0..CHANGES {
            for n in 0..RECORDS {
                change(&world, &users, n, limit).await;
            }
        }
        let lane = |n| LaneKey { map: id.clone(), key: key(n) };
        world.lanes.damage(&StoredItem::Entry(lane(0), 1), world.now());
        world.lanes.damage(&StoredItem::Head(lane(1)), world.now());

        // Every list has its neighbours, and itself.
        let open = open_lanes::list(&*world, &id, 100).await.unwrap();
        assert_eq!(open.len() as u64, RECORDS);
        backlog::status(&*world, &id).await.unwrap();

        switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "to see").await.unwrap();
        drain_map(&*world, &id, world.now().plus_ms(240_000)).await.unwrap();
        assert_eq!(world.map().map.state, MapState::Running, "the rest is through");
        let heads = world.lanes.heads();
        let parked: Vec<_> = heads.iter().filter(|(_, head)| !head.idle()).map(|(lane, _)| lane.key.clone()).collect();
        assert_eq!(parked, [key(0), key(1)]);
        assert!(heads.iter().all(|(_, head)| head.idle() || head.parked));
        let told: Vec<_> = world
            .lanes
            .take_log()
            .into_iter()
            .filter_map(|event| match event {
                LogEvent::Error(error) if error.code.as_deref() == Some("unreadable") => error.key,
                _ => None,
            })
            .collect();
        assert_eq!(told.len(), 2, "each is in the log once: {told:?}");

        // A change that comes now waits behind it, and is not lost.
        change(&world, &users, 0, 7).await;
        change(&world, &users, 1, 7).await;
        let skip = Target { key: key(0), seq: 1 };
        command(&*world, &kim(), &id, &skip, &Command::Skip, "it cannot be read").await.unwrap();
        let retry = Target { key: key(1), seq: 1 };
        command(&*world, &kim(), &id, &retry, &Command::Retry, "both apps were compared").await.unwrap();
        for _ in 0..3 {
            sweep(&*world, world.now().plus_ms(60_000)).await.unwrap();
        }
        assert!(world.lanes.heads().iter().all(|(_, head)| head.idle()), "nothing waits any more");
        // Its caller asks what became of it.
        let heard = users.heard().into_iter().find(|heard| heard.key == key(0)).unwrap();
        let status = find_write(&*world, &id, None, heard.id.parse().unwrap()).await.unwrap().what;
        let archived = matches!(status, WriteStatus::Known(Answer::Archived { cause: ArchiveCause::Skipped, .. }));
        assert!(archived, "{status:?}");
        let (archived, _) = archive::list(&*world, &id, &ArchiveFilter::default(), None, 10).await.unwrap();
        assert_eq!(archived.len(), 1);
        assert_eq!((&archived[0].key, archived[0].entry.parked), (&key(0), Some(ParkReason::Unreadable)));
        let refused = archive::recover(&*world, &kim(), &id, archived[0].id, OnNewer::Overwrite, "again").await;
        assert!(format!("{:?}", refused.unwrap_err()).contains("Unreadable"));

        // In the archive, too.
        world.lanes.damage(&StoredItem::Archived(archived[0].id), world.now());
        let (archived, _) = archive::list(&*world, &id, &ArchiveFilter::default(), None, 10).await.unwrap();
        assert_eq!(archived.len(), 1);
    });
    assert!(world.executor.run(500_000), "it does not come to rest");
}

#[test]
fn what_cannot_be_read_stops_its_own_record_and_can_be_taken_out() {
    for seed in 0..WORLDS {
        play(seed);
    }
}
