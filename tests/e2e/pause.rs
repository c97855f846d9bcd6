//! Pause, queue, resume: nothing lost, in order, at once for everything untouched.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    settled::applied,
    stack::{World, alone},
    until::until,
    values::{customer, from_finance, id, key},
};

/// Records that change during the pause, and how often each does.
const RECORDS: usize = 12;
const CHANGES: u32 = 3;
const POINTERS_ARE_HIDDEN: Duration = Duration::from_secs(60);

#[test]
fn what_changes_during_a_pause_is_kept_and_written_in_order_on_resume() {
    alone(async |world| {
        let touched: Vec<_> = (0..RECORDS).map(|_| key("PAUSE")).collect();
        pause(world, "crm is being upgraded").await;
        for change in 1..=CHANGES {
            for key in &touched {
                let request = from_finance(&id(), key, &customer("Contoso", change), "committed");
                let told = world.sync_write.send(&request).await.expect("sync-write answers");
                assert_eq!((told.status, told.text("status")), (202, "queued"), "{told:?}");
                assert_eq!(told.body["ahead"], json!(change - 1), "{told:?}");
            }
        }
        for key in &touched {
            assert_eq!(applied(world.crm(), key).await, 0, "nothing is written while the map is paused");
        }
        let kept = world.admin.get(&path(&format!("queue/entries?key={}", touched[0]))).await.expect("admin answers");
        assert_eq!(kept["entries"].as_array().map(Vec::len), Some(CHANGES as usize), "{kept}");
        let before = depth(world).await;
        assert!(before >= (RECORDS * CHANGES as usize) as u64, "a pointer for each change, but there are {before}");
        world.stack.sweep().await.expect("the sweep runs");
        assert_eq!(applied(world.crm(), &touched[0]).await, 0, "a sweep writes nothing, either");

        resume(world, json!({"reason": "crm is back"})).await;
        // A record that nobody touched flows at once.
        let untouched = from_finance(&id(), &key("PAUSE"), &customer("Fabrikam", 1), "committed");
        let told = world.sync_write.send(&untouched).await.expect("sync-write answers");
        assert_eq!((told.status, told.text("status")), (200, "written"), "{told:?}");
        for key in &touched {
            world.quiet(key).await;
            let calls = world.crm().calls(key).await.expect("crm answers");
            let limits: Vec<_> = calls.iter().filter(|call| call["applied"] == true).collect();
            assert_eq!(limits.len(), CHANGES as usize, "each once: {calls:?}");
            assert!(limits.is_sorted_by_key(|call| call["version"].as_str().map(str::to_owned)), "{calls:?}");
            assert_eq!(world.record(key).await.crm.expect("crm has it")["creditlimit"], json!(CHANGES));
        }
        caught_up(world).await;
        let done = |queue: &Value| queue["catch_up"]["done"].as_u64() >= Some((RECORDS * CHANGES as usize) as u64);
        queue_is(world, |queue| queue["depth"] == 0 && done(queue)).await;
    });
}

/// How many pointers are in the map's queue. An earlier test may have left some more, whose worker was killed: they are
/// hidden for a minute, and find nothing to do then.
async fn depth(world: &World) -> u64 {
    let queue = world.admin.get(&path("queue")).await.expect("admin answers");
    queue["depth"].as_u64().unwrap_or_else(|| panic!("{queue}"))
}

/// The address of something of the map.
pub(crate) fn path(what: &str) -> String {
    format!("/maps/{}/{what}", local::MAP)
}

/// Pauses the map and waits until nothing is being written.
pub(crate) async fn pause(world: &World, reason: &str) {
    let told = world.admin.post(&path("pause?wait=20"), &json!({"reason": reason})).await.expect("admin answers");
    assert_eq!((&told["quiet"], &told["map"]["state"]), (&json!(true), &json!("Paused")), "{told}");
}

pub(crate) async fn resume(world: &World, how: Value) {
    let told = world.admin.post(&path("resume"), &how).await.expect("admin answers");
    assert_eq!(told["state"], "CatchingUp", "{told}");
}

/// Waits until the queue is as it should be: several runs may be at it, and each tells what it did when it is over. A
/// run that found a lane in another one's hands leaves its pointers hidden for a minute.
async fn queue_is(world: &World, wanted: impl Fn(&Value) -> bool) {
    let deadline = Instant::now() + POINTERS_ARE_HIDDEN * 2;
    loop {
        let queue = world.admin.get(&path("queue")).await.expect("admin answers");
        if wanted(&queue) {
            return;
        }
        assert!(Instant::now() < deadline, "the queue is {queue}");
        let _refused_while_others_run = world.stack.sweep().await;
    }
}

/// Waits until the map says that it has caught up, which the drain finds out.
pub(crate) async fn caught_up(world: &World) {
    until("the map to catch up", async || {
        let map = world.admin.get(&format!("/maps/{}", local::MAP)).await.expect("admin answers");
        if map["state"] != "Running" {
            let _refused_while_others_run = world.stack.sweep().await;
            return None;
        }
        assert_eq!((&map["cause"], &map["actor"]), (&json!("caught_up"), &json!("tandem")), "{map}");
        Some(())
    })
    .await;
}
