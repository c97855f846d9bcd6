//! Maps: made, changed with their version and within what their state allows, deleted when empty.

use app::{
    admin::SETTLE_MS,
    ports::{Commit, ConfigStore, LaneKey, Lanes, PortError, Ports},
};
use domain::{MapId, Timestamp, lane::Head};
use serde_json::{Value, json};
use testkit::config::{Mishap, OpenLane};

use super::harness::{Api, map_config, side_config};

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut config = map_config();
    change(&mut config);
    config
}

fn other_entity() -> Value {
    with(|config| config["sides"][1]["entity"] = json!("contacts"))
}

async fn uid(api: &Api) -> String {
    let id: MapId = "customers".parse().unwrap();
    api.world.store.map(&id).await.unwrap().unwrap().uid.to_string()
}

async fn with_open_lane(api: &Api) -> OpenLane {
    let id: MapId = "customers".parse().unwrap();
    let map = api.world.store.map(&id).await.unwrap().unwrap();
    let mut head = Head::new(map.uid, Timestamp(1));
    head.next_seq = 2;
    (LaneKey { map: id, key: "C-1".parse().unwrap() }, head, None)
}

#[tokio::test]
async fn a_map_is_made_read_changed_and_deleted() {
    let api = Api::with_map().await;
    let made = api.get("/maps/customers").await;
    assert_eq!((made.status, made.header("etag")), (200, Some("\"1\"")));
    assert_eq!((&made.json()["skipped"], &made.json()["config"]["conflict"]), (&json!(0), &json!("last_in_lane")));
    let again = api.put("/maps/customers", &map_config()).await;
    assert_eq!((again.status, again.header("etag")), (200, Some("\"1\"")), "the same again changes nothing");
    let changed = with(|config| config["on_unavailable"] = json!("fail"));
    api.put("/maps/customers", &changed).await.is_problem(428, "version_missing", "If-Match");
    api.put_if("/maps/customers", "\"9\"", &changed).await.is_problem(412, "version_changed", "If-Match");
    let answer = api.put_if("/maps/customers", "\"1\"", &changed).await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("\"2\"")));
    let listed = api.get("/maps").await.json();
    assert_eq!((&listed["maps"][0]["id"], &listed["maps"][0]["version"]), (&json!("customers"), &json!(2)));
    let map = api.world.store.map(&"customers".parse().unwrap()).await.unwrap().unwrap();
    for _ in 0..7 {
        api.world.lanes.count_skipped(&map).await.unwrap();
    }
    assert_eq!(api.get("/maps/customers").await.json()["skipped"], 7);
    assert_eq!(api.delete("/maps/customers").await.status, 204);
    api.get("/maps/customers").await.is_problem(404, "map_not_found", "");
    api.delete("/maps/customers").await.is_problem(404, "map_not_found", "");
}

#[tokio::test]
async fn every_mistake_in_a_map_is_named_at_once() {
    let api = Api::with_map().await;
    let wrong = with(|config| {
        config["sides"][1]["side"] = json!("erp");
        config["fields"][0]["names"] = json!({"finance": ""});
        config["crossing_window_ms"] = json!(u64::MAX);
    });
    let (status, _, errors) = api.put("/maps/orders", &wrong).await.problem();
    assert_eq!(status, 400);
    for says in [
        "crossing_window_ms: ",
        "fields[0].names.finance: ",
        "fields[1].names.crm: ",
        "sides[1].side: there is no side erp",
    ] {
        assert!(errors.contains(says), "{says} in {errors}");
    }
    for (body, says) in [
        (with(|c| c["sides"] = json!([])), "sides"),
        (with(|c| c["fields"][0]["nmes"] = json!({})), "fields[0].nmes: unknown field"),
        (with(|c| c["fields"][1]["types"]["crm"] = json!("money")), "fields[1].types.crm: unknown variant"),
        (with(|c| c["sides"][0]["side"] = json!("FIN")), "sides[0].side: must be 1 to 63"),
        (with(|c| c["conflict"] = json!({"primary": "erp"})), "conflict.primary: must be one of"),
        (with(|c| c["state"] = json!("Running")), "state: unknown field"),
        (with(|c| c["crossing_window_ms"] = json!("1")), "crossing_window_ms: invalid type"),
        (with(|c| c["reconcile"] = json!({"every": "30m"})), "reconcile.every: must be whole hours or days"),
        (with(|c| c["reconcile"] = json!({"at": "3 am"})), "reconcile.at: must be a time of the day"),
        (
            with(|c| c["reconcile"] = json!({"at": "03:00", "time_zone": "Vienna"})),
            "reconcile.time_zone: must be the IANA",
        ),
        (with(|c| c["reconcile"] = json!({})), "reconcile: must have either"),
    ] {
        api.put("/maps/orders", &body).await.is_problem(400, "invalid_request", says);
    }
    api.get("/maps/orders").await.is_problem(404, "map_not_found", "");
}

#[tokio::test]
async fn a_map_that_is_too_large_to_be_stored_is_refused() {
    let api = Api::with_map().await;
    let pair =
        |i: usize| json!({"finance": format!("{i}{}", "x".repeat(400)), "crm": format!("{i}{}", "y".repeat(400))});
    let field = |f: usize| json!({"names": {"finance": format!("F{f}"), "crm": format!("f{f}")}, "values": (0..200).map(pair).collect::<Vec<_>>()});
    let large = with(|config| config["fields"] = (0..2).map(field).collect());
    api.put("/maps/orders", &large).await.is_problem(
        400,
        "invalid_request",
        "fields: the map has more than 262144 bytes",
    );
}

#[tokio::test]
async fn the_fields_of_a_running_map_can_be_changed_but_not_what_it_joins() {
    let api = Api::with_map().await;
    let before = uid(&api).await;
    api.post("/maps/customers/run", &json!({"reason": "go"})).await;
    api.put_if("/maps/customers", "*", &other_entity()).await.is_problem(409, "map_active", "map: is Running");
    let fields = with(|config| config["fields"][0]["required"] = json!(false));
    let changed = api.put_if("/maps/customers", "\"2\"", &fields).await;
    assert_eq!(
        (changed.status, &changed.json()["state"], &changed.json()["reason"]),
        (200, &json!("Running"), &json!("go"))
    );
    let filter = with(|config| config["sides"][0]["filter"] = json!([]));
    assert_eq!(api.put_if("/maps/customers", "*", &filter).await.status, 200);
    assert_eq!(uid(&api).await, before, "the lanes go on");
}

#[tokio::test]
async fn a_key_of_several_fields_is_a_template_that_is_checked() {
    let api = Api::with_map().await;
    let keyed = |key: &'static str, types: Value| {
        with(move |config| {
            config["sides"][0]["key_field"] = json!(key);
            config["sides"][0]["key_types"] = types;
        })
    };
    let good = keyed("{dataAreaId}|{CustomerAccount}", json!({"CustomerAccount": "number"}));
    let made = api.put_if("/maps/customers", "*", &good).await;
    assert_eq!((made.status, &made.json()["config"]["sides"][0]), (200, &good["sides"][0]));
    for (key, types, field) in [
        ("{dataAreaId}{CustomerAccount}", json!({}), "sides[0].key_field"),
        ("{dataAreaId}|{CustomerAccount}", json!({"Company": "guid"}), "sides[0].key_types.Company"),
    ] {
        let refused = api.put_if("/maps/customers", "*", &keyed(key, types)).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["field"]), (400, &json!(field)), "{}", refused.text);
    }
    let kind = keyed("{dataAreaId}|{CustomerAccount}", json!({"CustomerAccount": "date"}));
    assert_eq!(api.put_if("/maps/customers", "*", &kind).await.status, 400);
}

#[tokio::test]
async fn the_time_zone_of_an_end_is_one_that_there_is() {
    let api = Api::with_map().await;
    let zoned = |zone: &'static str| with(move |config| config["sides"][0]["time_zone"] = json!(zone));
    let made = api.put_if("/maps/customers", "*", &zoned("Europe/Berlin")).await;
    assert_eq!((made.status, &made.json()["config"]["sides"][0]["time_zone"]), (200, &json!("Europe/Berlin")));
    let refused = api.put_if("/maps/customers", "*", &zoned("Berlin")).await;
    refused.is_problem(400, "invalid_request", "sides[0].time_zone: must be the IANA name of a time zone");
}

#[tokio::test]
async fn a_map_that_joins_other_records_forgets_its_lanes() {
    let api = Api::with_map().await;
    let before = uid(&api).await;
    for (i, change) in ["side", "entity", "key_field"].into_iter().enumerate() {
        api.put("/sides/shop", &side_config()).await;
        let other = with(|config| {
            config["sides"][1][change] = json!("shop");
            if change == "side" {
                config["fields"] = json!([{"names": {"finance": "Name", "shop": "name"}}]);
            }
        });
        assert_eq!(api.put_if("/maps/customers", "*", &other).await.status, 200, "{change}");
        let after = uid(&api).await;
        assert_ne!(after, before, "{change}");
        assert_eq!(api.put_if("/maps/customers", "*", &map_config()).await.status, 200, "{i}");
    }
}

#[tokio::test]
async fn a_field_that_is_renamed_while_changes_wait_must_say_what_it_was_called() {
    let api = Api::with_map().await;
    let mut renamed = map_config();
    renamed["fields"][0]["names"]["finance"] = json!("FullName");
    let before = map_config()["fields"][0]["names"]["finance"].clone();
    let map = api.world.store.map(&"customers".parse().unwrap()).await.unwrap().unwrap();
    let lane = LaneKey { map: map.id.clone(), key: "C-1".parse().unwrap() };
    let head = Head { next_seq: 2, version: 1, ..Head::new(map.uid, api.world.now()) };
    api.world.lanes.commit(&lane, Commit { head, expected: 0, ops: Vec::new() }).await.unwrap();
    let refused = api.put_if("/maps/customers", "*", &renamed).await;
    refused.is_problem(
        400,
        "invalid_request",
        "fields[0].names.finance: 1 record has changes that wait, in which FullName",
    );
    let document = json!({"sides": {}, "maps": {"customers": renamed}});
    let planned = api.post("/config/plan", &document).await;
    planned.is_problem(400, "invalid_request", "maps.customers.fields[0].names.finance: 1 record has");
    renamed["fields"][0]["former_names"] = json!({"finance": before});
    assert_eq!(api.put_if("/maps/customers", "*", &renamed).await.status, 200);
}

#[tokio::test]
async fn a_map_says_when_it_is_reconciled_by_schedule_next_if_it_runs() {
    let api = Api::with_map().await;
    let daily = with(|config| config["reconcile"] = json!({"at": "03:00", "time_zone": "europe/vienna"}));
    assert_eq!(api.put_if("/maps/customers", "*", &daily).await.status, 200);
    let map = api.get("/maps/customers").await.json();
    let stored = json!({"at": "03:00", "time_zone": "Europe/Vienna"});
    assert_eq!((map.get("next_reconcile"), &map["config"]["reconcile"]), (None, &stored));
    api.post("/maps/customers/run", &json!({"reason": "go"})).await;
    assert_eq!(api.get("/maps/customers").await.json()["next_reconcile"], "2026-11-24T02:00:00Z");
}

#[tokio::test]
async fn a_map_is_deleted_when_it_is_stopped_settled_and_empty() {
    let api = Api::with_map().await;
    let id: MapId = "customers".parse().unwrap();
    api.post("/maps/customers/run", &json!({"reason": "go"})).await;
    api.delete("/maps/customers").await.is_problem(409, "map_active", "map: is Running");
    api.post("/maps/customers/stop", &json!({"reason": "enough"})).await;
    api.world.pass_ms(SETTLE_MS - 1_001);
    let early = api.delete("/maps/customers").await;
    early.is_problem(409, "map_settling", "map: settles until 2026-11-23T12:00:10Z");
    assert_eq!(early.header("retry-after"), Some("2"));
    api.put_if("/maps/customers", "*", &other_entity()).await.is_problem(409, "map_settling", "");
    api.world.pass_ms(1_001);
    api.world.store.set_open(&id, vec![with_open_lane(&api).await]);
    api.delete("/maps/customers").await.is_problem(409, "map_not_empty", "");
    api.put_if("/maps/customers", "*", &other_entity()).await.is_problem(409, "map_not_empty", "");
    api.world.store.set_open(&id, Vec::new());
    let last = api.world.store.map(&id).await.unwrap().unwrap().version;
    let stale = [("if-match", "\"1\"")];
    api.send(axum::http::Method::DELETE, "/maps/customers", &stale, None).await.is_problem(412, "version_changed", "");
    let tag = format!("\"{last}\"");
    let answer = api.send(axum::http::Method::DELETE, "/maps/customers", &[("if-match", &tag)], None).await;
    assert_eq!(answer.status, 204);
}

#[tokio::test]
async fn a_map_made_again_is_another_map() {
    let api = Api::with_map().await;
    let before = uid(&api).await;
    api.delete("/maps/customers").await;
    assert_eq!(api.put("/maps/customers", &map_config()).await.status, 201);
    assert_ne!(uid(&api).await, before);
}

#[tokio::test]
async fn a_map_that_was_run_while_it_was_being_deleted_stays() {
    let api = Api::with_map().await;
    api.world.store.after(2, Mishap::Overtaken);
    api.delete("/maps/customers").await.is_problem(412, "version_changed", "");
    assert_eq!(api.get("/maps/customers").await.status, 200);
    api.world.store.after(1, Mishap::Fails(PortError::Transient("index".into())));
    api.delete("/maps/customers").await.is_problem(503, "unavailable", "");
    assert_eq!(api.get("/maps/customers").await.status, 200, "when it is not known whether it is empty, it stays");
}
