//! An app that is broken, in each of the ways its page has a switch for.

use app::ports::{LaneKey, Lanes};
use local::Answer;
use serde_json::{Value, json};

use crate::{
    settled::applied,
    stack::{World, alone},
    until::until,
    values::{customer, from_finance, id, key, write},
};

/// What the app asks for in `Retry-After`, in seconds: more than the first wait would be without it.
const RETRY_AFTER_SECONDS: u64 = 3;

/// The ways in which crm is broken, and what an error says of each.
const AILMENTS: [(&str, &str, &str); 5] = [
    ("down", "network", "unknown"),
    ("reset", "network", "unknown"),
    ("500", "other_http", "unknown"),
    ("503", "unavailable", "unknown"),
    ("429", "throttled", "not_applied"),
];

#[test]
fn a_change_that_was_stored_without_an_answer_is_applied_once() {
    alone(async |world| {
        let (edited, sent) = (key("DROP"), key("DROP"));
        drop_next_answer(world).await;
        let saved = world.finance().edit(&edited, customer("Contoso", 1)).await.expect("finance answers");
        assert_eq!((saved.status, &saved.body["tandem"]["status"]), (200, &json!("queued")), "{saved:?}");
        assert_eq!(saved.body["tandem"]["failure"]["outcome"], "unknown", "{saved:?}");

        drop_next_answer(world).await;
        let (id, record) = (id(), customer("Fabrikam", 2));
        let told = world.sync_write.send(&write(&id, &sent, &record)).await.expect("sync-write answers");
        assert_eq!((told.status, told.text("status")), (202, "queued"), "{told:?}");
        assert_eq!(told.body["failure"]["side"], "crm", "finance has it: {told:?}");

        for (key, in_finance) in [(&edited, 0), (&sent, 1)] {
            world.settled(key).await;
            assert_eq!(applied(world.crm(), key).await, 1, "{:?}", world.crm().calls(key).await);
            assert_eq!(applied(world.finance(), key).await, in_finance);
        }
        let fate = world.sync_write.look_up(local::MAP, &sent, &id).await.expect("sync-write answers");
        assert_eq!(fate.text("status"), "written", "{fate:?}");
    });
}

async fn drop_next_answer(world: &World) {
    world.crm().switch(json!({"mode": "apply_then_drop", "remaining": 1})).await.expect("crm is switched");
}

#[test]
fn whatever_ails_an_app_its_changes_are_kept_and_written_when_it_is_back() {
    alone(async |world| {
        let mut keys = Vec::new();
        for (mode, class, outcome) in AILMENTS {
            let key = key("AILS");
            // Tandem knows this version of the record: what it sends next is the change, and no look at the record before it.
            let before = world.finance().edit(&key, customer("Before", 1)).await.expect("finance answers");
            assert_eq!(before.status, 200, "{before:?}");
            world.settled(&key).await;
            world.crm().switch(json!({"mode": mode, "retry_after_seconds": RETRY_AFTER_SECONDS})).await.expect(mode);
            let saved = world.finance().edit(&key, customer("First", 1)).await.expect("finance answers");
            let told = &saved.body["tandem"];
            assert_eq!((saved.status, &told["status"]), (200, &json!("queued")), "{mode}: {saved:?}");
            assert_eq!((&told["failure"]["class"], &told["failure"]["outcome"]), (&json!(class), &json!(outcome)));
            // The next one waits behind it, and the program that sends it itself is told 202.
            let next = from_finance(&id(), &key, &customer("Second", 2), "committed");
            let told = world.sync_write.send(&next).await.expect("sync-write answers");
            assert_eq!((told.status, told.text("status"), &told.body["ahead"]), (202, "queued", &json!(1)), "{told:?}");
            assert_eq!(world.record(&key).await.crm.expect("crm has it")["name"], "Before", "{mode}");
            keys.push((mode, key));
            // The last one stays throttled for a while.
            let is_last = keys.len() == AILMENTS.len();
            if !is_last {
                world.crm().switch(json!({"mode": "normal"})).await.expect("crm is switched");
            }
        }
        let (_, throttled) = keys.last().expect("there are some");
        asked_to_wait(world, throttled).await;
        world.crm().switch(json!({"mode": "normal"})).await.expect("crm is switched");
        for (mode, key) in &keys {
            // The second was sent by a program; finance itself holds the first.
            crm_gets(world, key, "Second").await;
            let calls = world.crm().calls(key).await.expect("crm answers");
            let applied: Vec<_> = calls.iter().filter(|call| call["applied"] == true).collect();
            assert_eq!(applied.len(), 3, "{mode}: {calls:?}");
            assert!(applied.is_sorted_by_key(|call| call["version"].as_str()), "in order: {calls:?}");
        }
    });
}

/// Waits until the lane is idle and crm has the record.
async fn crm_gets(world: &World, key: &str, name: &str) {
    world.quiet(key).await;
    let record = world.record(key).await.crm.expect("crm has it");
    assert_eq!(record["name"], name);
}

/// The lane is not tried before the time the app asked for.
async fn asked_to_wait(world: &World, key: &str) {
    let lane = LaneKey { map: local::MAP.parse().expect("a good name"), key: key.parse().expect("a good key") };
    // Both as of one moment: the next attempt may come in between.
    let (head, entry) = until("the head and its entry", async || {
        let head = world.head(key).await.expect("there is a lane");
        let entry = world.lanes.entry(&lane, head.done_seq + 1).await.expect("it can be read").expect("it waits");
        (world.head(key).await.expect("there is a lane") == head && head.inflight.is_none()).then_some((head, entry))
    })
    .await;
    let failure = entry.last_failure.expect("it failed");
    assert_eq!(failure.failure.retry_after_ms, Some(RETRY_AFTER_SECONDS * 1_000));
    assert!(head.not_before >= failure.at.plus_ms(RETRY_AFTER_SECONDS * 1_000), "{head:?}");
}

#[test]
fn a_refusal_rolls_a_person_back_and_parks_what_stands_already() {
    alone(async |world| {
        let (edited, parked) = (key("REJECT"), key("REJECT"));
        world.crm().switch(json!({"mode": "reject"})).await.expect("crm is switched");
        let refused = world.finance().edit(&edited, customer("Contoso", 1)).await.expect("finance answers");
        assert_eq!((refused.status, &refused.body["problem"]["code"]), (422, &json!("refused")), "{refused:?}");
        let id = id();
        let request = from_finance(&id, &parked, &customer("Contoso", 1), "committed");
        let told = world.sync_write.send(&request).await.expect("sync-write answers");
        assert_eq!((told.status, told.text("status")), (202, "parked"), "{told:?}");
        assert_eq!(
            (&told.body["half_written"], &told.body["failure"]["class"]),
            (&json!(false), &json!("application"))
        );
        world.crm().switch(json!({"mode": "normal"})).await.expect("crm is switched");

        let settled = world.settled(&edited).await;
        assert_eq!((settled.finance, settled.crm), (None, None));
        let lane = open_lane(world, &parked).await.expect("operators see it");
        assert_eq!((&lane["state"], &lane["half_written"]), (&json!("parked"), &json!(false)), "{lane}");
        assert!(lane["last_failure"]["message"].as_str().is_some_and(|says| says.contains("rule")), "{lane}");
        // It stops its own record alone, and no sweep moves it.
        let next = from_finance(&crate::values::id(), &parked, &customer("Next", 1), "sync");
        let next: Answer = world.sync_write.send(&next).await.expect("sync-write answers");
        assert_eq!((next.status, next.text("status")), (202, "queued"), "{next:?}");
        world.stack.sweep().await.expect("the sweep runs");
        assert_eq!(open_lane(world, &parked).await.map(|lane| lane["behind"].clone()), Some(json!(1)));
        assert_eq!(applied(world.crm(), &parked).await, 0);
        assert_eq!(world.finance().edit(&edited, customer("Contoso", 2)).await.expect("finance answers").status, 200);
        world.settled(&edited).await;
    });
}

/// A lane as operators see it among those that are open.
pub(crate) async fn open_lane(world: &World, key: &str) -> Option<Value> {
    let open = world.admin.get(&format!("/maps/{}/open?limit=500", local::MAP)).await.expect("admin answers");
    open["lanes"].as_array().expect("a list").iter().find(|lane| lane["key"] == key).cloned()
}
