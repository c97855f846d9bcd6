//! The configuration as one document: exported, compared, applied.

use app::ports::{PortError, Role};
use axum::http::Method;
use proptest::prelude::*;
use serde_json::{Value, json};
use testkit::config::Mishap;

use super::harness::{Answer, Api, map_config, side_config};

fn whole() -> Value {
    json!({"sides": {"finance": side_config(), "crm": side_config()}, "maps": {"customers": map_config()}})
}

/// `action kind id` of each item.
fn items(answer: &Answer) -> Vec<String> {
    let items = answer.json()["items"].as_array().unwrap_or_else(|| panic!("{answer:?}")).clone();
    let word = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    items.iter().map(|item| format!("{} {} {}", word(item, "action"), word(item, "kind"), word(item, "id"))).collect()
}

fn assert_unchanged(answer: &Answer) {
    assert!(items(answer).iter().all(|item| item.starts_with("unchanged")), "{answer:?}");
}

#[tokio::test]
async fn a_document_is_planned_applied_and_then_unchanged() {
    let api = Api::new();
    let created = ["create side crm", "create side finance", "create map customers"];
    let planned = api.post("/config/plan", &whole()).await;
    assert_eq!(items(&planned), created);
    assert_eq!(planned.json()["items"][2]["changes"][0]["path"], "");
    assert_eq!(planned.json()["items"][2]["changes"][0]["to"]["on_unavailable"], "queue");
    assert_eq!(api.get("/config").await.json(), json!({"sides": {}, "maps": {}}), "a plan writes nothing");
    assert_eq!(items(&api.post("/config/apply", &whole()).await), created);
    assert_unchanged(&api.post("/config/apply", &whole()).await);
    assert_unchanged(&api.post("/config/plan", &whole()).await);
    assert_eq!(api.get("/maps/customers").await.json()["state"], "NotRunning");
}

#[tokio::test]
async fn a_plan_shows_where_it_differs() {
    let api = Api::new();
    api.post("/config/apply", &whole()).await;
    let mut changed = whole();
    changed["sides"]["crm"]["connector"]["base_url"] = json!("https://crm.example/api/");
    changed["maps"]["customers"]["fields"][0]["required"] = json!(false);
    let planned = api.post("/config/plan", &changed).await;
    assert_eq!(items(&planned), ["update side crm", "unchanged side finance", "update map customers"]);
    let told = planned.json();
    let wanted =
        json!([{"path": "connector.base_url", "from": "https://erp.example/data/", "to": "https://crm.example/api/"}]);
    assert_eq!(told["items"][0]["changes"], wanted);
    assert_eq!(told["items"][2]["changes"], json!([{"path": "fields[crm.name].required", "from": true}]));
    api.post("/config/apply", &changed).await;
    assert_eq!(api.get("/sides/crm").await.header("etag"), Some("\"2\""));
    assert_eq!(api.get("/sides/finance").await.header("etag"), Some("\"1\""));
}

#[tokio::test]
async fn an_export_in_json_and_in_yaml_can_be_applied_elsewhere() {
    let api = Api::new();
    api.post("/config/apply", &whole()).await;
    let json = api.get("/config").await;
    let yaml = api.send(Method::GET, "/config", &[("accept", "text/html, application/yaml;q=0.9")], None).await;
    assert_eq!(yaml.header("content-type"), Some("application/yaml"));
    for (kind, text) in [("application/json", &json.text), ("application/yaml", &yaml.text), ("text/yaml", &yaml.text)]
    {
        let other = Api::new();
        let applied = other.send(Method::POST, "/config/apply", &[("content-type", kind)], Some(text.clone())).await;
        assert_eq!(applied.status, 200, "{applied:?}");
        assert_eq!(other.get("/config").await.json(), json.json());
        assert_unchanged(&api.send(Method::POST, "/config/plan", &[("content-type", kind)], Some(text.clone())).await);
    }
}

#[tokio::test]
async fn what_is_not_in_the_document_stays_unless_it_is_pruned() {
    let api = Api::with_map().await;
    let only_crm = json!({"sides": {"crm": side_config()}});
    assert_eq!(items(&api.post("/config/plan", &only_crm).await), ["unchanged side crm"]);
    let planned = items(&api.post("/config/plan?prune=true", &only_crm).await);
    assert_eq!(planned, ["unchanged side crm", "delete map customers", "delete side finance"]);
    api.post("/config/apply?prune=false", &only_crm).await;
    assert_eq!(api.get("/maps/customers").await.status, 200);
    assert_eq!(api.post("/config/apply?prune=true", &only_crm).await.status, 200);
    assert_eq!(api.get("/config").await.json()["maps"], json!({}));
    api.post("/config/plan?prune=1", &only_crm).await.is_problem(
        400,
        "invalid_request",
        "prune: must be true or false",
    );
    api.post("/config/plan?purge=true", &only_crm).await.is_problem(400, "invalid_request", "purge: is not known here");
}

#[tokio::test]
async fn all_mistakes_are_reported_at_once_and_nothing_is_written() {
    let api = Api::new();
    let mut wrong = whole();
    wrong["sides"]["crm"]["connector"]["base_url"] = json!("ftp://x/");
    wrong["sides"]["crm"]["connect_timeout_ms"] = json!(1);
    wrong["maps"]["customers"]["sides"][0]["entity"] = json!("a/../b");
    wrong["maps"]["orders"] = map_config();
    wrong["maps"]["orders"]["sides"][1]["side"] = json!("shop");
    for path in ["/config/plan", "/config/apply"] {
        let (status, code, errors) = api.post(path, &wrong).await.problem();
        assert_eq!((status, &*code), (400, "invalid_request"));
        for says in [
            "sides.crm.connector.base_url: must be",
            "sides.crm.connect_timeout_ms: must be",
            "maps.customers.sides[0].entity: must be",
            "maps.orders.sides[1].side: there is no side shop",
        ] {
            assert!(errors.contains(says), "{says} in {errors}");
        }
    }
    assert_eq!(api.get("/config").await.json(), json!({"sides": {}, "maps": {}}));
}

#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let api = Api::new();
    for (kind, body, says) in [
        ("application/json", "{", "body: EOF"),
        ("application/json", r#"{"side": {}}"#, "side: unknown field"),
        ("application/json", r#"{"sides": {"CRM": {}}}"#, "sides"),
        ("application/json", r#"{"maps": {"m": {"sides": 5}}}"#, "maps.m.sides: invalid type"),
        ("application/yaml", "}", "body: "),
        ("application/yaml", "sides: [", "sides: invalid type: sequence"),
        ("application/yaml", "a: &a [*a]\n", "a: unknown field"),
        ("application/yaml", "maps:\n  m:\n    sides: 5\n", "maps.m.sides: invalid type"),
        ("application/yaml", "sides: {}\n---\nsides: {}\n", "body: "),
    ] {
        let answer = api.send(Method::POST, "/config/apply", &[("content-type", kind)], Some(body.to_owned())).await;
        answer.is_problem(400, "invalid_request", says);
    }
    let empty = api.post("/config/plan", &json!({})).await;
    assert_eq!(empty.json(), json!({"items": []}));
}

#[tokio::test]
async fn a_document_that_would_leave_the_lanes_of_a_running_map_is_not_applied() {
    let api = Api::with_map().await;
    api.post("/maps/customers/run", &json!({"reason": "go"})).await;
    let mut moved = whole();
    moved["sides"]["crm"]["connect_timeout_ms"] = json!(500);
    moved["maps"]["customers"]["sides"][1]["entity"] = json!("contacts");
    let planned = api.post("/config/plan", &moved).await;
    assert_eq!(planned.json()["items"][2]["blocked_by"], "The map is active");
    api.post("/config/apply", &moved).await.is_problem(409, "blocked", "maps.customers: The map is active");
    assert_eq!(api.get("/sides/crm").await.header("etag"), Some("\"1\""), "nothing was written");
    let nothing = json!({});
    api.post("/config/apply?prune=true", &nothing).await.is_problem(
        409,
        "blocked",
        "maps.customers: The map is active",
    );
    moved["maps"]["customers"]["sides"][1]["entity"] = json!("accounts");
    moved["maps"]["customers"]["on_unavailable"] = json!("fail");
    assert_eq!(api.post("/config/apply", &moved).await.status, 200, "settings of a running map can be changed");
}

#[tokio::test]
async fn who_is_overtaken_in_the_middle_is_told_what_is_left_to_do() {
    let api = Api::new();
    // Two reads for the plan, then one save after the other; what is unchanged is not saved.
    api.world.store.after(2, Mishap::Overtaken);
    api.post("/config/apply", &whole()).await.is_problem(412, "version_changed", "");
    api.world.store.after(3, Mishap::Overtaken);
    let (status, code, errors) = api.post("/config/apply", &whole()).await.problem();
    assert_eq!((status, &*code), (409, "interrupted"));
    assert_eq!(errors, "sides.finance: was changed by somebody else at the same time; maps.customers: was not reached");
    api.world.store.after(2, Mishap::Fails(PortError::Transient("secret table".into())));
    let answer = api.post("/config/apply", &whole()).await;
    answer.is_problem(503, "unavailable", "");
    let left = items(&api.post("/config/plan", &whole()).await);
    assert_eq!(left, ["unchanged side crm", "create side finance", "create map customers"]);
    api.world.store.after(3, Mishap::Fails(PortError::Permanent("secret arn".into())));
    let answer = api.post("/config/apply", &whole()).await;
    answer.is_problem(409, "interrupted", "maps.customers: could not be written");
    assert!(!answer.text.contains("secret"));
    assert_eq!(items(&api.post("/config/apply", &whole()).await).last().unwrap(), "create map customers");
    assert_unchanged(&api.post("/config/plan", &whole()).await);
}

#[tokio::test]
async fn looking_is_for_viewers_and_applying_for_admins() {
    let api = Api::new();
    let operator = api.as_role(Role::Operator).await;
    assert_eq!(operator.post("/config/plan", &whole()).await.status, 200);
    operator.post("/config/apply", &whole()).await.is_problem(403, "forbidden", "");
}

fn any_document() -> impl Strategy<Value = Value> {
    let names = proptest::sample::subsequence(vec!["a", "b", "c", "d"], 2..=4);
    (names, any::<[u16; 4]>(), proptest::collection::vec(("[A-Za-z]{1,8}", 0..4usize, any::<bool>()), 0..4)).prop_map(
        |(names, numbers, maps)| {
            let side = |i: usize| {
                let mut side = side_config();
                side["connect_timeout_ms"] = json!(100 + numbers[i] % 1_000);
                side
            };
            let sides: serde_json::Map<_, _> = names.iter().enumerate().map(|(i, n)| ((*n).to_owned(), side(i))).collect();
            let map = |field: &str, number: usize, required: bool| {
                let (one, two) = (names[0], names[1]);
                json!({
                    "sides": [{"side": one, "entity": "E", "key_field": "Id#"}, {"side": two, "entity": "f", "key_field": "id#"}],
                    "fields": [{"names": {one: field, two: field}, "required": required, "default": {one: number, two: f64::from(numbers[number]) / 8.0}}],
                })
            };
            let maps: serde_json::Map<_, _> =
                maps.iter().enumerate().map(|(i, (f, n, r))| (format!("m{i}"), map(f, *n, *r))).collect();
            json!({"sides": sides, "maps": maps})
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// What is applied is then unchanged, is what the export says, and the export does the same elsewhere, however
    /// things stood before.
    #[test]
    fn applied_twice_is_applied_once_and_an_export_says_what_was_applied(first in any_document(), second in any_document()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let api = Api::new();
            for document in [&first, &second] {
                let applied = api.post("/config/apply?prune=true", document).await;
                assert_eq!(applied.status, 200, "{applied:?}");
                assert_unchanged(&api.post("/config/plan?prune=true", document).await);
            }
            let export = api.get("/config").await;
            assert_unchanged(&api.post("/config/plan?prune=true", &export.json()).await);
            let elsewhere = Api::new();
            elsewhere.post("/config/apply", &second).await;
            assert_eq!(elsewhere.get("/config").await.json(), export.json());
        });
    }
}
