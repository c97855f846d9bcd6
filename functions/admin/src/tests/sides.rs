//! Sides: made, changed with their version, tried, deleted.

use std::sync::atomic::Ordering;

use app::ports::{Description, EntityDescription, Gauges, PortError, Role};
use axum::http::Method;
use domain::{
    ErrorClass, Failure, Timestamp,
    failure::CallEffect,
    side::{Health, KeyStyle, NextPage, Trouble},
};
use serde_json::{Value, json};
use testkit::config::Mishap;

use super::harness::{Api, map_config, side_config};

fn with_url(url: &str) -> Value {
    let mut config = side_config();
    config["connector"]["base_url"] = json!(url);
    config
}

#[tokio::test]
async fn a_side_is_made_read_changed_and_deleted() {
    let api = Api::new();
    api.get("/sides/erp").await.is_problem(404, "side_not_found", "");
    let made = api.put("/sides/erp", &side_config()).await;
    assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
    let read = api.get("/sides/erp").await;
    assert_eq!((read.status, read.header("etag")), (200, Some("\"1\"")));
    assert_eq!(read.json(), made.json());
    assert_eq!(read.json()["config"]["request_timeout_ms"], 10_000, "what was left out is told");
    let changed = api.put_if("/sides/erp", "\"1\"", &with_url("https://new.example/")).await;
    assert_eq!((changed.status, changed.header("etag")), (200, Some("\"2\"")));
    assert_eq!(api.get("/sides").await.json()["sides"], json!([changed.json()]));
    assert_eq!(api.delete("/sides/erp").await.status, 204);
    api.delete("/sides/erp").await.is_problem(404, "side_not_found", "");
}

#[tokio::test]
async fn a_side_says_how_its_app_answers() {
    let api = Api::new();
    api.put("/sides/erp", &side_config()).await;
    let erp = "erp".parse().unwrap();
    let at = |ms| Some(Timestamp(1_795_428_000_000).plus_ms(ms));
    let taken =
        Health { taken: [("accounts".to_owned(), at(0).unwrap())].into(), answered_at: at(0), ..Health::default() };
    api.world.lanes.note_health(&erp, &taken).await.unwrap();
    let health = || async { api.get("/sides/erp").await.json()["health"].clone() };
    assert_eq!(health().await, json!({"taken_at": "2026-11-23T10:00:00Z"}));
    let since = at(60_000).unwrap();
    let trouble = Some(Trouble { since, class: ErrorClass::Network, calls: 4 });
    api.world.lanes.note_health(&erp, &Health { trouble, ..taken }).await.unwrap();
    let told = health().await;
    assert_eq!(told["trouble"]["class"], "network", "{told}");
    assert_eq!(told["trouble"]["message"], "erp has not answered since 2026-11-23T10:01:00Z (network)", "{told}");
    assert_eq!(api.get("/sides").await.json()["sides"][0]["health"], told);
}

#[tokio::test]
async fn a_side_that_reports_other_than_it_says_is_told_with_the_setting() {
    let api = Api::with_map().await;
    let crm = "crm".parse().unwrap();
    let note = async |is_own, minute: u64| {
        let mut report = Health::default();
        report.reports.note(is_own, Timestamp(1_795_428_000_000).plus_ms(minute * 60_000));
        api.world.lanes.note_health(&crm, &report).await.unwrap();
    };
    for minute in 0..50 {
        let at = Timestamp(1_795_428_000_000).plus_ms(minute * 60_000);
        let taken = [("accounts".to_owned(), at)].into();
        let health = Health { taken, answered_at: Some(at), ..Health::default() };
        api.world.lanes.note_health(&crm, &health).await.unwrap();
    }
    let warning = async || api.get("/sides/crm").await.json()["health"]["warning"].clone();
    assert_eq!(warning().await, Value::Null, "no change of a user was reported");
    note(false, 50).await;
    let told = "crm is set to report what Tandem writes (`reports_own_writes`), but since 2026-11-23T10:00:00Z it has \
                reported none of the writes of Tandem, though it reported a change at 2026-11-23T10:50:00Z";
    assert_eq!(warning().await, told);
    let found = findings(&api, "crm", json!({})).await;
    let [finding] = &found.iter().filter(|text| text.starts_with("* ")).collect::<Vec<_>>()[..] else {
        panic!("{found:?}")
    };
    assert!(finding.starts_with("* reports warning: since 2026"), "{finding}");
    assert!(finding.ends_with("[reports_own_writes = false]"), "{finding}");
    note(true, 51).await;
    assert_eq!(warning().await, Value::Null);
    let silent = json!({"connector": side_config()["connector"], "reports_own_writes": false});
    assert_eq!(api.put_if("/sides/crm", "*", &silent).await.status, 200);
    let told = "crm is set not to report what Tandem writes (`reports_own_writes`), but at 2026-11-23T10:51:00Z it reported \
                what Tandem had just written";
    assert_eq!(warning().await, told);
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let api = Api::new();
    api.put("/sides/erp", &side_config()).await;
    let new = with_url("https://new.example/");
    api.put("/sides/erp", &new).await.is_problem(
        428,
        "version_missing",
        "If-Match: is missing; the stored version is 1",
    );
    api.put_if("/sides/erp", "\"7\"", &new).await.is_problem(412, "version_changed", "If-Match: does not match");
    api.put_if("/sides/erp", "7", &new).await.is_problem(400, "invalid_request", "If-Match: must be *");
    api.put_if("/sides/other", "\"1\"", &new).await.is_problem(412, "version_changed", "If-Match");
    api.put_if("/sides/other", "*", &new).await.is_problem(412, "version_changed", "If-Match");
    let create_only = [("if-none-match", "*")];
    api.json(Method::PUT, "/sides/erp", &create_only, &new).await.is_problem(412, "exists", "If-None-Match");
    assert_eq!(api.json(Method::PUT, "/sides/third", &create_only, &new).await.status, 201);
    assert_eq!(api.get("/sides/erp").await.header("etag"), Some("\"1\""), "none of these changed it");
    assert_eq!(api.put_if("/sides/erp", "*", &new).await.header("etag"), Some("\"2\""));
    let other = api.send(Method::DELETE, "/sides/erp", &[("if-match", "\"1\"")], None).await;
    other.is_problem(412, "version_changed", "If-Match");
    assert_eq!(api.send(Method::DELETE, "/sides/erp", &[("if-match", "\"2\"")], None).await.status, 204);
}

#[tokio::test]
async fn deploying_the_same_side_again_changes_nothing() {
    let api = Api::new();
    api.put("/sides/erp", &side_config()).await;
    let again = api.put("/sides/erp", &side_config()).await;
    assert_eq!((again.status, again.header("etag")), (200, Some("\"1\"")));
    assert_eq!(api.put_if("/sides/erp", "\"9\"", &side_config()).await.status, 200, "it is as the caller wants it");
}

#[tokio::test]
async fn who_is_overtaken_is_told_and_a_lost_answer_is_no_failure() {
    let api = Api::new();
    api.world.store.after(1, Mishap::Overtaken);
    api.put("/sides/erp", &side_config()).await.is_problem(412, "version_changed", "If-Match");
    api.world.store.after(1, Mishap::AnswerLost);
    assert_eq!(api.put("/sides/erp", &side_config()).await.status, 201);
    api.world.store.after(1, Mishap::AnswerLost);
    assert_eq!(api.put_if("/sides/erp", "\"1\"", &with_url("https://new.example/")).await.status, 200);
    api.world.store.after(2, Mishap::Overtaken);
    api.delete("/sides/erp").await.is_problem(412, "version_changed", "If-Match");
}

#[tokio::test]
async fn a_store_that_fails_is_a_503_or_a_500() {
    let api = Api::new();
    for (calls, error, status, code) in [
        (0, PortError::Transient("secret table".into()), 503, "unavailable"),
        (1, PortError::Transient("secret table".into()), 503, "unavailable"),
        (1, PortError::Permanent("secret arn".into()), 500, "internal"),
    ] {
        api.world.store.after(calls, Mishap::Fails(error));
        let answer = api.put("/sides/erp", &side_config()).await;
        answer.is_problem(status, code, "");
        assert!(!answer.text.contains("secret"));
    }
}

#[tokio::test]
async fn a_side_that_a_map_uses_stays() {
    let api = Api::with_map().await;
    api.delete("/sides/crm").await.is_problem(409, "side_in_use", "side: is used by the map customers");
    assert_eq!(api.delete("/maps/customers").await.status, 204);
    assert_eq!(api.delete("/sides/crm").await.status, 204);
}

#[tokio::test]
async fn a_connection_test_says_what_it_found_and_where_to_look() {
    let admin = Api::with_map().await;
    let api = admin.as_role(Role::Operator).await;
    let fine = api.send(Method::POST, "/sides/crm/test", &[], None).await.json();
    assert_eq!((&fine["ok"], &fine["took_ms"]), (&json!(true), &json!(0)));
    assert_eq!(api.post("/sides/crm/test", &json!({"entity": "accounts"})).await.json()["ok"], true);
    let asked = api.world.apps.asked.lock().unwrap().clone();
    let probed: Vec<_> = asked.iter().filter(|(side, _)| side == "crm").map(|(_, entity)| entity.as_deref()).collect();
    assert_eq!(probed, [None, Some("accounts")]);
    let failure = Failure::new(ErrorClass::Network, CallEffect::NotApplied, Some("E1".into()), "connection refused");
    *api.world.apps.outcome.lock().unwrap() = Some(failure);
    let tested = api.post("/sides/crm/test", &json!({})).await;
    assert_eq!(tested.status, 200, "that the app does not answer is the result");
    let failure = &tested.json()["failure"];
    assert_eq!(
        (&tested.json()["ok"], &failure["class"], &failure["code"]),
        (&json!(false), &json!("network"), &json!("E1"))
    );
    assert!(failure["hint"].as_str().unwrap().contains("erp.example"), "{failure}");
    assert_eq!(tested.json()["findings"], json!([]), "nothing more is asked");
    api.post("/sides/none/test", &json!({})).await.is_problem(404, "side_not_found", "");
    api.post("/sides/crm/test", &json!({"entiy": "x"})).await.is_problem(
        400,
        "invalid_request",
        "entiy: unknown field",
    );
}

/// Each finding as `check level: found [setting = value]`.
pub(super) async fn findings(api: &Api, side: &str, body: Value) -> Vec<String> {
    let tested = api.post(&format!("/sides/{side}/test"), &body).await.json();
    let text = |finding: &Value| {
        let of = |name: &str| finding[name].as_str().unwrap().to_owned();
        let helps = finding
            .get("suggestion")
            .map(|helps| format!(" [{} = {}]", helps["setting"].as_str().unwrap(), helps["value"].as_str().unwrap()));
        let map = finding.get("map").map(|map| format!(" ({})", map.as_str().unwrap())).unwrap_or_default();
        format!("{} {} {}{map}: {}{}", of("entity"), of("check"), of("level"), of("found"), helps.unwrap_or_default())
    };
    tested["findings"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn a_connection_test_asks_about_the_entities_of_the_maps_and_suggests_settings() {
    let api = Api::with_map().await;
    *api.world.apps.records.lock().unwrap() = vec![json!({"accountnumber": "C-1", "Name": "Ada", "limit": 1})];
    assert_eq!(
        findings(&api, "crm", json!({})).await,
        [
            "accounts record ok: a record",
            "accounts key ok: the record",
            "accounts etag ok: none, and none is needed",
            "accounts absence ok: that there is no such record",
            "accounts list ok: a record",
            "accounts key_field ok: the record has it",
            "accounts fields warning (customers): no such fields in the record: name, category, source [fields[0].names.crm = Name]",
        ]
    );
    let fields = [("accountnumber", "Edm.String"), ("name", "Edm.String")];
    let entity = EntityDescription {
        key: vec!["accountid".to_owned()],
        fields: fields.map(|(name, of_type)| (name.to_owned(), of_type.to_owned())).into(),
        ..EntityDescription::default()
    };
    let description =
        Description { names: ["accounts".to_owned()].into(), entities: [("accounts".to_owned(), entity)].into() };
    *api.world.apps.description.lock().unwrap() = Some(description);
    let told = findings(&api, "crm", json!({"entity": "accounts"})).await;
    let key = "accounts key_field error: the entity's key is accountid, and a key without a name means that one \
               [connector.key_style = named]";
    assert!(told.contains(&key.to_owned()), "{told:?}");
    let other = findings(&api, "crm", json!({"entity": "account"})).await;
    assert_eq!(other[1..], ["account entity error: no such entity set, but accounts [entity = accounts]"]);
}

#[tokio::test]
async fn other_key_styles_are_tried_until_one_works_and_a_key_of_the_same_form_is_missed() {
    let api = Api::with_map().await;
    *api.world.apps.records.lock().unwrap() = vec![json!({"accountnumber": "0f8fad5b-d9cb-469f-a165-70867728950e"})];
    *api.world.apps.only_style.lock().unwrap() = Some(KeyStyle::Bare);
    let told = findings(&api, "crm", json!({})).await;
    let key = "accounts key error: bad_request: no such style. In the key style `bare` the app finds it [connector.key_style = bare]";
    assert_eq!(told[1], key);
    let asked = api.world.apps.asked.lock().unwrap().clone();
    let reads: Vec<_> = asked.iter().filter(|(question, _)| question.starts_with("read")).collect();
    let styles: Vec<_> = reads.iter().map(|(question, _)| question.as_str()).collect();
    assert_eq!(styles, ["read Quoted", "read Named", "read Bare", "read Quoted"]);
    assert_eq!(reads[3].1.as_deref(), Some("00000000-0000-0000-0000-000000000000"));
}

/// The finding about the list of accounts.
async fn list_finding(api: &Api) -> String {
    let all = findings(api, "crm", json!({})).await;
    all.iter().find_map(|text| text.strip_prefix("accounts list ")).unwrap().to_owned()
}

pub(super) async fn set_connector(api: &Api, change: impl FnOnce(&mut Value)) {
    let mut config = side_config();
    change(&mut config["connector"]);
    assert_eq!(api.put_if("/sides/crm", "*", &config).await.status, 200);
}

#[tokio::test]
async fn a_connection_test_lists_one_record_and_finds_the_option_that_the_app_does_not_take() {
    let api = Api::with_map().await;
    *api.world.apps.records.lock().unwrap() = vec![json!({"accountnumber": "C-1"}), json!({"accountnumber": "C-2"})];
    assert_eq!(list_finding(&api).await, "ok: a record");
    *api.world.apps.lists_with.lock().unwrap() = Some(|list| list.order_by_key == Some(false));
    let told = list_finding(&api).await;
    let helps = "[connector.list.order_by_key = false]";
    assert_eq!(told, format!("error: bad_request: no such option. Its records cannot be copied {helps}"));
    set_connector(&api, |connector| connector["list"] = json!({"order_by_key": false, "select": true})).await;
    assert_eq!(list_finding(&api).await, "ok: a record");
    *api.world.apps.lists_with.lock().unwrap() = Some(|_| false);
    assert_eq!(list_finding(&api).await, "error: bad_request: no such option. Its records cannot be copied");
    let asked = api.world.apps.asked.lock().unwrap();
    assert!(asked.iter().all(|(question, _)| !question.starts_with("page") || question == "page of 1"), "{asked:?}");
}

#[tokio::test]
async fn for_a_rest_app_a_connection_test_looks_for_the_way_to_the_next_page() {
    let api = Api::with_map().await;
    *api.world.apps.records.lock().unwrap() = vec![json!({"accountnumber": "C-1"}), json!({"accountnumber": "C-2"})];
    set_connector(&api, |connector| *connector = json!({"kind": "rest", "base_url": "https://a.example/"})).await;
    *api.world.apps.lists_with.lock().unwrap() =
        Some(|list| matches!(&list.next, Some(NextPage::Offset { parameter }) if parameter == "skip"));
    let told = list_finding(&api).await;
    assert!(told.starts_with("error: bad_request: connector.list.next is not set."), "{told}");
    assert!(told.ends_with(r#"[connector.list.next = {"by":"offset","parameter":"skip"}]"#), "{told}");
    *api.world.apps.lists_with.lock().unwrap() = Some(|_| false);
    assert!(list_finding(&api).await.ends_with("cannot be copied"));
    api.world.apps.takes_ms.store(4_000, Ordering::SeqCst);
    api.world.apps.asked.lock().unwrap().clear();
    list_finding(&api).await;
    let pages = api.world.apps.asked.lock().unwrap().iter().filter(|(question, _)| question == "page of 1").count();
    assert_eq!(pages, 4, "a person waits");
}

#[tokio::test]
async fn a_row_that_cannot_be_copied_and_a_quota_that_is_shared_are_told() {
    let api = Api::with_map().await;
    *api.world.apps.records.lock().unwrap() = vec![json!({"name": "x"})];
    assert_eq!(list_finding(&api).await, "warning: a row that cannot be copied: the row has no key field");
    api.world.apps.records.lock().unwrap().clear();
    assert_eq!(list_finding(&api).await, "warning: no record");
    *api.world.apps.records.lock().unwrap() = vec![json!({"accountnumber": "C-1"})];
    set_connector(&api, |connector| connector["kind"] = json!("dataverse")).await;
    let told = list_finding(&api).await;
    assert_eq!(
        told,
        "ok: a record. A copy shares the quota of live writes; with connector.copy_auth it would have its own"
    );
    let auth = json!({"kind": "basic", "user": "copy", "secret": "ssm:/copy"});
    set_connector(&api, |connector| (connector["kind"], connector["copy_auth"]) = (json!("dataverse"), auth)).await;
    assert_eq!(list_finding(&api).await, "ok: a record");
}

#[tokio::test]
async fn mistakes_in_the_settings_of_lists_are_named() {
    let api = Api::new();
    let mut config = side_config();
    config["connector"]["list"] = json!({"max_page_size": 0, "rows": "/x"});
    let refused = api.put("/sides/crm", &config).await;
    refused.is_problem(400, "invalid_request", "connector.list.max_page_size: must be 1 to 10000");
    assert!(refused.text.contains("connector.list.rows"), "{}", refused.text);
    config["connector"]["list"] = json!({"max_page": 1});
    api.put("/sides/crm", &config).await.is_problem(400, "invalid_request", "connector.list.max_page: unknown field");
    config["connector"]["list"] = json!({"max_page_size": 100, "select": false, "order_by_key": true, "count": false});
    assert_eq!(api.put("/sides/crm", &config).await.status, 201);
    for next in [
        json!({"by": "whole"}),
        json!({"by": "link_header"}),
        json!({"by": "link", "pointer": "/next"}),
        json!({"by": "token", "pointer": "/next", "parameter": "cursor"}),
        json!({"by": "page", "parameter": "page", "first": 0}),
        json!({"by": "offset", "parameter": "skip"}),
    ] {
        config["connector"] = json!({"kind": "rest", "base_url": "https://a.example/", "list": {
            "next": next, "method": "post", "url": "{entity}/search", "rows": "/rows", "size_parameter": "", "total": "/n"}});
        let saved = api.put_if("/sides/crm", "*", &config).await;
        assert_eq!(saved.json()["config"]["connector"]["list"]["next"]["by"], next["by"], "{}", saved.text);
    }
}

#[tokio::test]
async fn a_slow_app_is_asked_no_more_after_a_while_and_of_many_entities_three_are_looked_at() {
    let api = Api::with_map().await;
    for n in 2..=5 {
        let mut map = map_config();
        map["sides"][1]["entity"] = json!(format!("accounts{n}"));
        assert_eq!(api.put(&format!("/maps/customers-{n}"), &map).await.status, 201);
    }
    *api.world.apps.records.lock().unwrap() = vec![json!({"accountnumber": "C-1"})];
    api.world.apps.takes_ms.store(10_000, Ordering::SeqCst);
    let told = findings(&api, "crm", json!({})).await;
    let of = |entity: &str| {
        let prefix = format!("{entity} ");
        told.iter().filter_map(|text| text.strip_prefix(&prefix)).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(of("accounts").iter().any(|text| text.starts_with("absence ok")), "{told:?}");
    for entity in ["accounts2", "accounts3"] {
        assert_eq!(of(entity), ["record warning: not asked: no time was left"], "{told:?}");
    }
    for entity in ["accounts4", "accounts5"] {
        assert!(of(entity)[0].starts_with("entity warning: not looked at: a test looks at 3 entities"), "{told:?}");
    }
}

#[tokio::test]
async fn a_side_without_maps_is_only_reached() {
    let api = Api::new();
    api.put("/sides/crm", &side_config()).await;
    assert_eq!(api.post("/sides/crm/test", &json!({})).await.json(), json!({"ok": true, "took_ms": 0, "findings": []}));
}
