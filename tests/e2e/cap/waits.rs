//! Changes that wait: an app on CAP is down, or the map is paused.

use local::Cap;
use serde_json::{Value, json};

use super::{
    bench::{WORK, bench, connect, customer, ledger_to, run_map, settled, write},
    records::Records,
};
use crate::{
    stack::{World, together},
    values::key,
};

/// How often each record changes meanwhile.
const CHANGES: u32 = 3;

#[test]
fn what_changes_while_the_app_is_down_is_written_in_order_when_it_is_back() {
    together(async |world| {
        bench(world).await;
        let mut app = Cap::start(WORK, "branch").await.expect("the app starts");
        connect(world, "branch", &app, "versioned").await;
        run_map(world, "cap-branch", &ledger_to("branch")).await;
        let branch = Records::of(&app, "Accounts", None);
        let (old, new) = (key("DOWN"), key("DOWN"));
        let told = write(world, "cap-branch", &old, committed(0)).await;
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        app.kill();
        for change in 1..=CHANGES {
            for key in [&old, &new] {
                let told = write(world, "cap-branch", key, committed(change)).await;
                assert_eq!((told.status, told.text("status")), (202, "queued"), "{told:?}");
            }
        }
        app.start_again().await.expect("the app starts");
        for (key, first) in [(&old, 0), (&new, 1)] {
            settled(world, "cap-branch", key).await;
            assert_eq!(branch.written(key, "employees").await, in_order(first), "{key}");
            assert_eq!(branch.held(key).await, Some(customer(json!({"employees": CHANGES}))));
        }
    });
}

#[test]
fn what_changes_while_the_map_is_paused_is_written_in_order_on_resume() {
    together(async |world| {
        let bench = bench(world).await;
        run_map(world, "cap-paused", &ledger_to("shop")).await;
        let keys = [key("PAUSED"), key("PAUSED")];
        command(world, "pause?wait=20").await;
        for change in 1..=CHANGES {
            for key in &keys {
                let told = write(world, "cap-paused", key, committed(change)).await;
                assert_eq!((told.status, told.text("status")), (202, "queued"), "{told:?}");
            }
        }
        world.stack.sweep().await.expect("the sweep runs");
        for key in &keys {
            assert_eq!(bench.shop.held(key).await, None, "nothing is written while the map is paused");
        }
        command(world, "resume").await;
        for key in &keys {
            settled(world, "cap-paused", key).await;
            assert_eq!(bench.shop.written(key, "employees").await, in_order(1), "{key}");
            assert_eq!(bench.shop.held(key).await, Some(customer(json!({"employees": CHANGES}))));
        }
    });
}

/// A change that the ledger has already.
fn committed(change: u32) -> Value {
    json!({"record": customer(json!({"employees": change})), "origin": "ledger", "mode": "committed"})
}

/// The number of each change, once, in the order in which they were sent.
fn in_order(first: u32) -> Vec<Value> {
    (first..=CHANGES).map(Value::from).collect()
}

async fn command(world: &World, command: &str) {
    let path = format!("/maps/cap-paused/{command}");
    world.admin.post(&path, &json!({"reason": "a test"})).await.expect("admin does it");
}
