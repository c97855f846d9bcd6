//! A record that waits for an operator delays no other.

#![expect(clippy::unwrap_used, reason = "a test's helpers are tests too; clippy knows only #[test] functions")]

use std::sync::{Arc, Mutex};

use app::{admin::map_commands::switch, drain::drain_map, ports::Ports};
use domain::{
    RecordKey, SideIx,
    map::{Backlog, MapCommand},
    record::Image,
    side::Capability,
};
use serde_json::json;
use testkit::{SimWorld, sample, users::Users};

use crate::operator::kim;

const WORLDS: u64 = 10;
/// More than the drain works on at a time.
const RECORDS: u64 = 80;

/// S9: of a backlog in which one record is refused, one run of the drain writes all others. What is wrong, if anything.
pub(crate) fn wrong(seed: u64) -> Option<String> {
    let world = SimWorld::new(seed, sample::running(Capability::Idempotent));
    let users = Users::new(Arc::clone(&world));
    let wrong = Arc::new(Mutex::new(None));
    {
        let (world, wrong) = (Arc::clone(&world), Arc::clone(&wrong));
        Arc::clone(&world).executor.spawn(async move {
            let id = world.map().map.id;
            let ask = |n: u64| world.executor.chance(|rng| rng.below(n));
            switch(&*world, &kim(), &id, MapCommand::Pause, "to see").await.unwrap();
            let refused = ask(RECORDS / 8);
            for _ in 0..2 {
                for n in 0..RECORDS {
                    let record = json!({"Name": "Ada", "Limit": ask(1_000), "OnHold": "No", "refused": n == refused});
                    let image = Image::Present(record.as_object().unwrap().clone());
                    users.edit_committed(SideIx::First, &key(n), image).await;
                    while users.report(SideIx::First).await {}
                }
            }
            switch(&*world, &kim(), &id, MapCommand::Resume(Backlog::CatchUp), "to see").await.unwrap();
            drain_map(&*world, &id, world.now().plus_ms(240_000)).await.unwrap();
            let late =
                |(lane, head): &(app::ports::LaneKey, domain::lane::Head)| lane.key != key(refused) && !head.idle();
            let left = world.lanes.heads().into_iter().find(late);
            *wrong.lock().unwrap() =
                left.map(|(lane, _)| format!("{} waits for the parked one, {}", lane.key, key(refused)));
        });
    }
    assert!(world.executor.run(500_000), "it does not come to rest");
    wrong.lock().unwrap().take()
}

fn key(n: u64) -> RecordKey {
    format!("C-{n}").parse().unwrap()
}

#[test]
fn a_record_that_waits_for_an_operator_delays_no_other() {
    for seed in 0..WORLDS {
        assert_eq!(wrong(seed), None, "TANDEM_SEED={seed}");
    }
}
