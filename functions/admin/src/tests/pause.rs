//! Pausing and resuming maps, and how much waits.

use app::{
    backlog_age::MAX_LANES,
    ports::{CatchUp, Commit, ConfigStore, Gauges, JournalOp, Lanes, Pointer, Queues, Role, Sample},
};
use domain::{
    EntryId, Map, MapId, Timestamp,
    lane::{Entry, Head},
};
use serde_json::{Value, json};

use super::{
    entries::{entry, lane},
    harness::{Api, map_config},
};

fn why() -> Value {
    json!({"reason": "crm is down"})
}

pub(super) async fn map(api: &Api) -> Map {
    let id: MapId = "customers".parse().unwrap();
    ConfigStore::map(&api.world.store, &id).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_pause_says_when_nothing_is_being_written_any_more_and_a_repeat_is_no_error() {
    let admin = Api::with_map().await;
    let api = admin.as_role(Role::Operator).await;
    api.post("/maps/customers/pause", &why()).await.is_problem(409, "illegal_command", "map: is NotRunning");
    api.post("/maps/customers/run", &why()).await;
    // Functions remember the map for a second: it is not quiet at once.
    let told = api.post("/maps/customers/pause", &why()).await;
    assert_eq!((told.status, &told.json()["quiet"], &told.json()["settling"]), (202, &json!(false), &json!(true)));
    let told = api.post("/maps/customers/pause?wait=5", &json!({"reason": "again"})).await;
    assert_eq!((told.status, &told.json()["quiet"]), (200, &json!(true)));
    let map = &told.json()["map"];
    assert_eq!(
        (&map["state"], &map["reason"], &map["actor"], &map["cause"]),
        (&json!("Paused"), &json!("crm is down"), &json!("the operator"), &json!("operator"))
    );
    for (wrong, says) in
        [("wait=x", "wait: must be"), ("wait=21", "wait: must be"), ("weight=1", "weight: is not known")]
    {
        api.post(&format!("/maps/customers/pause?{wrong}"), &why()).await.is_problem(400, "invalid_request", says);
    }
}

#[tokio::test]
async fn a_resume_says_what_becomes_of_the_backlog_and_wakes_the_drain() {
    let api = Api::with_map().await;
    api.post("/maps/customers/run", &why()).await;
    api.post("/maps/customers/pause", &why()).await;
    api.post("/maps/customers/resume", &json!({"reason": "x", "backlog": "drop"})).await.is_problem(
        400,
        "invalid_request",
        "backlog: unknown variant",
    );
    let resumed = api.post("/maps/customers/resume", &json!({"reason": "back"})).await.json();
    assert_eq!((&resumed["state"], &resumed["reason"]), (&json!("CatchingUp"), &json!("back")));
    assert_eq!(*api.world.woken.0.lock().unwrap(), ["customers"]);
    let skipping = api.post("/maps/customers/resume", &json!({"reason": "no", "backlog": "skip_to_live"})).await.json();
    assert_eq!((&skipping["state"], &skipping["epoch"]), (&json!("CatchingUp"), &json!(4)));
    assert!(map(&api).await.cut.is_some_and(|cut| cut.before_epoch == 4 && cut.reason == "no"));
}

#[tokio::test]
async fn several_maps_are_commanded_together_and_each_has_its_answer() {
    let api = Api::with_map().await;
    assert_eq!(api.put("/maps/orders", &map_config()).await.status, 201);
    api.post("/maps/customers/run", &why()).await;
    let many = json!({"maps": ["customers", "orders", "nothing"], "reason": "crm is down"});
    let told = api.post("/commands/pause", &many).await.json();
    assert_eq!(told["results"][0]["map"]["state"], "Paused");
    assert_eq!(told["results"][1]["problem"]["code"], "illegal_command");
    assert_eq!(told["results"][1]["problem"]["about"], json!({"map": "orders"}));
    assert_eq!(told["results"][2]["problem"]["code"], "map_not_found");
    assert_eq!(told["results"][2]["problem"]["about"], json!({"map": "nothing"}));
    assert_eq!((&told["results"][0]["quiet"], told["results"][1].get("quiet")), (&json!(false), None));
    api.world.pass_ms(5_000);
    assert_eq!(api.post("/commands/pause", &many).await.json()["results"][0]["quiet"], true);
    api.post("/commands/delete", &many).await.is_problem(400, "invalid_request", "command: must be run, pause");
    api.post("/commands/pause", &json!({"maps": [], "reason": "x"})).await.is_problem(
        400,
        "invalid_request",
        "maps: must be 1",
    );
    api.post("/commands/pause", &json!({"maps": ["customers"], "reason": " "})).await.is_problem(
        400,
        "invalid_request",
        "reason",
    );
    let wrong = json!({"maps": ["customers"], "reason": "x", "backlog": "discard"});
    api.post("/commands/stop", &wrong).await.is_problem(400, "invalid_request", "backlog: goes with resume");
}

#[tokio::test]
async fn how_much_waits_and_how_it_grows_is_told() {
    let api = Api::with_map().await;
    api.post("/maps/customers/run", &why()).await;
    api.post("/maps/customers/pause", &why()).await;
    let map = map(&api).await;
    // What was sampled before the pause belongs to another story: to a catch-up, or to a pause before that.
    api.world.lanes.note_depth(&map, Sample { at: map.since.minus_ms(60_000), depth: 600 }).await.unwrap();
    api.world.pass_ms(30_000);
    let pointers: Vec<_> =
        (1..=6_u64).map(|seq| Pointer { key: "C-1".parse().unwrap(), seq, entry: EntryId(u128::from(seq)) }).collect();
    api.world.queues.send(&map, &pointers).await.unwrap();
    let told = api.get("/maps/customers/queue").await.json();
    assert_eq!((&told["depth"], told.get("growth_per_minute")), (&json!(6), None), "nothing to compare with: {told}");
    api.world.lanes.note_depth(&map, Sample { at: map.since.plus_ms(30_000), depth: 0 }).await.unwrap();
    api.world.pass_ms(60_000);
    let told = api.get("/maps/customers/queue").await.json();
    assert_eq!(
        (&told["state"], &told["depth"], &told["growth_per_minute"]),
        (&json!("Paused"), &json!(6), &json!(6.0))
    );
    assert_eq!(told.get("catch_up"), None, "there was none yet: {told}");
}

#[tokio::test]
async fn all_maps_in_which_changes_wait_are_seen_at_once() {
    let api = Api::with_map().await;
    for other in ["orders", "vendors"] {
        assert_eq!(api.put(&format!("/maps/{other}"), &map_config()).await.status, 201);
    }
    let many = json!({"maps": ["customers", "orders", "vendors"], "reason": "crm is down"});
    api.post("/commands/run", &many).await;
    assert_eq!(api.get("/queues").await.json()["maps"], json!([]), "changes flow");
    let some = json!({"maps": ["customers", "vendors"], "reason": "crm is down"});
    api.post("/commands/pause", &some).await;
    waits(&api, "C-1", 100, 100, false).await;
    let told = api.get("/queues").await.json();
    let ids: Vec<_> = told["maps"].as_array().unwrap().iter().map(|map| &map["id"]).collect();
    assert_eq!(ids, ["customers", "vendors"]);
    assert_eq!(told["maps"][0]["queue"], api.get("/maps/customers/queue").await.json());
    assert_eq!(
        (&told["maps"][0]["queue"]["oldest"], &told["maps"][1]["queue"]["depth"]),
        (&json!("1970-01-01T00:01:40Z"), &json!(0))
    );
}

#[tokio::test]
async fn a_catch_up_says_how_far_it_is_and_when_it_ends() {
    let api = Api::with_map().await;
    api.post("/maps/customers/run", &why()).await;
    api.post("/maps/customers/pause", &why()).await;
    let pointers: Vec<_> =
        (1..=6_u64).map(|seq| Pointer { key: "C-1".parse().unwrap(), seq, entry: EntryId(u128::from(seq)) }).collect();
    api.world.queues.send(&map(&api).await, &pointers).await.unwrap();
    api.post("/maps/customers/resume", &json!({"reason": "back"})).await;
    let map = map(&api).await;
    let done = CatchUp { epoch: map.epoch, began: map.since, done: 20, ..CatchUp::default() };
    api.world.pass_ms(10_000);
    api.world.lanes.count_catch_up(&map, &done, map.since.plus_ms(10_000)).await.unwrap();
    let told = api.get("/maps/customers/queue").await.json();
    let progress = &told["catch_up"];
    assert_eq!(
        (&progress["done"], &progress["left"], &progress["rate_per_second"]),
        (&json!(20), &json!(6), &json!(2.0))
    );
    assert_eq!((&told["expected_seconds"], &told["expected_at"]), (&json!(3.0), &json!("2026-11-23T12:00:13Z")));
    api.post("/maps/customers/pause", &why()).await;
    let told = api.get("/maps/customers/queue").await.json();
    assert_eq!(
        (&told["expected_seconds"], told.get("expected_at")),
        (&json!(3.0), None),
        "nobody knows when it begins"
    );
}

/// A lane with one entry, accepted and due at these times, in seconds.
async fn waits(api: &Api, key: &str, accepted_s: u64, due_s: u64, parked: bool) {
    let entry = Entry { accepted_at: Timestamp(accepted_s * 1_000), ..entry(1, "x") };
    let head = Head::new(map(api).await.uid, entry.accepted_at);
    let head = Head { version: 1, next_seq: 2, parked, not_before: Timestamp(due_s * 1_000), ..head };
    let commit = Commit { head, expected: 0, ops: vec![JournalOp::Append(entry, None)] };
    api.world.lanes.commit(&lane(key), commit).await.unwrap();
}

#[tokio::test]
async fn the_oldest_is_what_was_accepted_first_and_not_what_is_due_first() {
    let api = Api::with_map().await;
    assert_eq!(api.get("/maps/customers/queue").await.json().get("oldest"), None);
    waits(&api, "C-new", 500, 500, false).await;
    // Tried many times: due later than what came after it.
    waits(&api, "C-old", 100, 900, false).await;
    waits(&api, "C-refused", 1, 1, true).await;
    let told = api.get("/maps/customers/queue").await.json();
    assert_eq!((&told["oldest"], &told["oldest_at_least"]), (&json!("1970-01-01T00:01:40Z"), &json!(false)));
    for n in 0..MAX_LANES {
        waits(&api, &format!("D-{n}"), 300, 300, false).await;
    }
    let told = api.get("/maps/customers/queue").await.json();
    assert_eq!((&told["oldest"], &told["oldest_at_least"]), (&json!("1970-01-01T00:05:00Z"), &json!(true)));
}

#[tokio::test]
async fn a_queue_is_made_and_removed_with_its_map() {
    let api = Api::with_map().await;
    let map = map(&api).await;
    let pointer = [Pointer { key: "C-1".parse().unwrap(), seq: 1, entry: EntryId(1) }];
    assert_eq!(api.world.queues.send(&map, &pointer).await, Ok(()));
    assert_eq!(api.send(axum::http::Method::DELETE, "/maps/customers", &[("if-match", "*")], None).await.status, 204);
    assert!(api.world.queues.send(&map, &pointer).await.is_err(), "it is gone");
}

#[tokio::test]
async fn a_queue_that_is_missing_is_made_again_when_its_map_is_paused() {
    let api = Api::with_map().await;
    let map = map(&api).await;
    api.post("/maps/customers/run", &why()).await;
    api.world.queues.remove(&map).await.unwrap();
    let told = api.get("/maps/customers/queue").await.json();
    assert_eq!(told.get("depth"), None, "what is not known is not nothing: {told}");
    api.post("/maps/customers/pause", &why()).await;
    assert_eq!(api.get("/maps/customers/queue").await.json()["depth"], 0);
    let pointer = [Pointer { key: "C-1".parse().unwrap(), seq: 1, entry: EntryId(1) }];
    assert_eq!(api.world.queues.send(&map, &pointer).await, Ok(()));
}
