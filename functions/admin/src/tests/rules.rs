//! Alert settings, groups, incidents and test mails.

use app::ports::{AlertPorts, Alerts, Flagged, Log, MailError, Refusal, Role};
use domain::{
    ErrorClass, IncidentId, Timestamp,
    log::LoggedError,
    rule::{Breach, Incident},
};
use serde_json::{Value, json};
use testkit::sample;

use super::harness::{Api, NOON};

fn rule() -> Value {
    json!({
        "title": "crm refuses", "classes": ["application"], "threshold": 10, "window_minutes": 15, "action": "pause",
        "recipients": ["kim@example.com"],
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut rule = rule();
    rule[field] = value;
    rule
}

#[tokio::test]
async fn a_rule_is_made_changed_and_deleted() {
    let api = Api::with_map().await;
    let made = api.put("/rules/crm-refuses", &rule()).await;
    assert_eq!((made.status, made.header("etag")), (201, Some("\"1\"")));
    assert_eq!(api.put("/rules/crm-refuses", &rule()).await.status, 200, "unchanged");
    api.put("/rules/crm-refuses", &with("threshold", json!(5))).await.is_problem(428, "version_missing", "");
    let changed = api.put_if("/rules/crm-refuses", "\"1\"", &with("threshold", json!(5))).await.json();
    assert_eq!((&changed["config"]["threshold"], &changed["version"]), (&json!(5), &json!(2)));
    assert_eq!(api.get("/rules").await.json()["rules"].as_array().unwrap().len(), 1);
    assert_eq!(api.delete("/rules/crm-refuses").await.status, 204);
    api.get("/rules/crm-refuses").await.is_problem(404, "rule_not_found", "");
    let lines = api.world.alerts.take_log();
    assert_eq!(lines.len(), 3, "made, changed, deleted: {lines:?}");
}

#[tokio::test]
async fn every_mistake_of_a_rule_is_named() {
    let api = Api::with_map().await;
    let many: Vec<_> = (0..51).map(|n| format!("p{n}@example.com")).collect();
    for (field, value, says) in [
        ("threshold", json!(0), "threshold: is 0; it must be 1 to 1000"),
        ("threshold", json!(-1), "threshold: "),
        ("window_minutes", json!(1_441), "window_minutes: is 1441; it must be 1 to 1440"),
        ("classes", json!(["applicaton"]), "classes[0]: unknown variant `applicaton`"),
        ("recipients", json!(["kim"]), "recipients[0]: must be an e-mail address"),
        ("recipients", json!(["kim@example.com\r\nBcc: eve@example.com"]), "recipients[0]: must be an e-mail address"),
        ("recipients", json!(many), "recipients: has 51 addresses; at most 50"),
        ("title", json!("hello\r\nBcc: eve@example.com"), "title: must be 1 to 100 characters on one line"),
        ("maps", json!(["orders"]), "maps: there is no map orders"),
        ("to_sides", json!(["erp"]), "to_sides: no map has a side erp"),
        ("groups", json!(["on-call"]), "groups: there is no group on-call"),
        ("action", json!("explode"), "action: unknown variant"),
        ("auto_resume", json!({"after_minutes": 0, "at_most": 1}), "auto_resume.after_minutes: is 0"),
        ("colour", json!("red"), "colour: unknown field"),
    ] {
        api.put("/rules/r", &with(field, value.clone())).await.is_problem(400, "invalid_request", says);
    }
    assert!(api.get("/rules").await.json()["rules"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_rule_on_a_map_that_was_deleted_stays_and_cannot_be_saved_so_again() {
    let api = Api::with_map().await;
    let on_map = with("maps", json!(["customers"]));
    assert_eq!(api.put("/rules/r", &on_map).await.status, 201);
    assert_eq!(api.delete("/maps/customers").await.status, 204);
    assert_eq!(api.get("/rules/r").await.json()["config"]["maps"], json!(["customers"]));
    api.get("/rules/r/explain?map=customers").await.is_problem(404, "map_not_found", "");
    let again = with("maps", json!(["customers"]));
    let mut changed = again.clone();
    changed["threshold"] = json!(3);
    api.put_if("/rules/r", "*", &changed).await.is_problem(400, "invalid_request", "maps: there is no map customers");
    assert_eq!(api.delete("/rules/r").await.status, 204);
}

#[tokio::test]
async fn an_address_that_is_named_twice_is_told_once() {
    let api = Api::with_map().await;
    let twice = json!(["kim@example.com", "kim@EXAMPLE.com"]);
    let made = api.put("/rules/r", &with("recipients", twice)).await.json();
    assert_eq!(made["config"]["recipients"], json!(["kim@example.com"]));
}

#[tokio::test]
async fn groups_are_told_and_not_deleted_while_they_are_named() {
    let api = Api::with_map().await;
    let members = json!({"members": ["kim@example.com", "alex@example.com"]});
    assert_eq!(api.put("/groups/on-call", &members).await.status, 201);
    api.put("/groups/nobody", &json!({"members": []})).await.is_problem(400, "invalid_request", "members: must name");
    assert_eq!(api.put("/rules/r", &with("groups", json!(["on-call"]))).await.status, 201);
    api.delete("/groups/on-call").await.is_problem(409, "group_in_use", "group: is named by the rule r");
    let tested = api.send(axum::http::Method::POST, "/rules/r/test", &[], None).await.json();
    assert_eq!(tested["mails"].as_array().unwrap().len(), 2, "each person once: {tested}");
    let many: Vec<_> = (0..50).map(|n| format!("p{n}@example.com")).collect();
    let put = async || api.put_if("/groups/on-call", "*", &json!({"members": many})).await;
    put().await.is_problem(400, "invalid_request", "members: make 51 recipients with those of rule r; at most 50");
    api.delete("/rules/r").await;
    assert_eq!(put().await.status, 200, "no rule names it any more");
    assert_eq!(api.delete("/groups/on-call").await.status, 204);
}

#[tokio::test]
async fn a_test_mail_goes_the_real_way_and_tells_what_the_mail_service_said() {
    let api = Api::with_map().await;
    api.put("/rules/r", &rule()).await;
    let told = api.send(axum::http::Method::POST, "/rules/r/test", &[], None).await.json();
    assert_eq!((&told["mails"][0]["taken"], &told["mails"][0]["to"]), (&json!(true), &json!("kim@example.com")));
    let mail = &api.world.mailer.taken()[0];
    assert_eq!(mail.subject, "[Tandem] test: crm refuses");
    assert!(mail.text.contains("first-admin sent it"), "{}", mail.text);
    let refusal =
        MailError::Never(Refusal::new("MessageRejected", "SES: MessageRejected: Email address is not verified"));
    api.world.mailer.set_refuses(Some(refusal));
    let told = api.send(axum::http::Method::POST, "/rules/r/test", &[], None).await.json();
    assert_eq!(told["mails"][0]["taken"], false);
    assert!(told["mails"][0]["says"].as_str().unwrap().contains("not verified"));
    api.world.mailer.set_refuses(None);
    let flagged = Flagged { address: "kim@example.com".parse().unwrap(), at: Timestamp(0), says: "bounced".into() };
    api.world.alerts().flag(&flagged).await.unwrap();
    let told = api.send(axum::http::Method::POST, "/rules/r/test", &[], None).await.json();
    assert_eq!((&told["mails"][0]["taken"], api.world.mailer.taken().len()), (&json!(false), 1), "as with other mails");
    assert!(told["mails"][0]["says"].as_str().unwrap().contains("mail came back"), "{told}");
}

async fn log(api: &Api, minute: u64, unit: u128, class: ErrorClass) {
    let at = Timestamp::parse(NOON).unwrap().plus_ms(minute * 60_000);
    let uid = app::ports::ConfigStore::map(&api.world.store, &"customers".parse().unwrap()).await.unwrap().unwrap().uid;
    let error = domain::log::ErrorEvent { uid, ..sample::error(at, unit, "C-1", class) };
    api.world.log().add_error(&LoggedError::new(error)).await.unwrap();
}

#[tokio::test]
async fn a_rule_explains_why_it_did_not_fire() {
    let api = Api::with_map().await;
    api.put("/rules/r", &with("threshold", json!(2))).await;
    log(&api, 0, 1, ErrorClass::Application).await;
    log(&api, 0, 2, ErrorClass::Timeout).await;
    let told = api.get("/rules/r/explain?map=customers").await.json();
    assert_eq!((&told["verdict"], &told["counted"], &told["threshold"]), (&json!("below"), &json!(1), &json!(2)));
    let why: Vec<_> = told["errors"].as_array().unwrap().iter().map(|one| one["why"].as_str().unwrap()).collect();
    assert!(why.contains(&"counts") && why.contains(&"other_class"), "{why:?}");
    log(&api, 0, 3, ErrorClass::Application).await;
    let told = api.get("/rules/r/explain?map=customers").await.json();
    assert_eq!((&told["verdict"], &told["counted"]), (&json!("breached"), &json!(2)));
    assert_eq!((&told["complete"], &told["at"]), (&json!(true), &json!(NOON)));
    for unit in 10..300 {
        log(&api, 0, unit, ErrorClass::Timeout).await;
    }
    let told = api.get("/rules/r/explain?map=customers").await.json();
    assert_eq!(told["counted"], 2, "however many others there are");
    api.get("/rules/r/explain").await.is_problem(400, "invalid_request", "map");
    api.get("/rules/r/explain?map=orders").await.is_problem(404, "map_not_found", "");
}

#[tokio::test]
async fn a_dry_run_tells_the_breaches_of_the_past_and_opens_none() {
    let api = Api::with_map().await;
    for (minute, unit) in [(0, 1), (1, 2), (2, 3), (60, 4), (61, 5), (120, 6)] {
        log(&api, minute, unit, ErrorClass::Application).await;
    }
    let run =
        json!({"config": with("threshold", json!(2)), "from": "2026-11-23T11:00:00Z", "until": "2026-11-23T15:00:00Z"});
    let told = api.post("/dry-run", &run).await.json();
    let at: Vec<_> = told["breaches"].as_array().unwrap().iter().map(|breach| breach["at"].as_str().unwrap()).collect();
    assert_eq!(at, ["2026-11-23T12:01:00Z", "2026-11-23T13:01:00Z"]);
    assert_eq!(told["complete"], true);
    assert!(api.world.alerts.all_incidents().is_empty());
    let long = json!({"config": rule(), "from": "2026-11-01T11:00:00Z", "until": "2026-11-23T15:00:00Z"});
    api.post("/dry-run", &long).await.is_problem(400, "invalid_request", "from");
}

#[tokio::test]
async fn an_incident_is_acknowledged_once() {
    let api = Api::with_map().await;
    let map = app::ports::ConfigStore::map(&api.world.store, &"customers".parse().unwrap()).await.unwrap().unwrap();
    let at = Timestamp::parse(NOON).unwrap();
    let breach = Breach { first_at: at, last_at: at, errors: vec![domain::LogId(1)] };
    let error = LoggedError::new(sample::error(at, 1, "C-1", ErrorClass::Application));
    let incident = Incident::open(IncidentId(9), &sample::rule(1), &map, &breach, &[&error], at);
    let change = app::ports::IncidentChange { incident, expected: 0, watch: None, line: None };
    api.world.alerts().save_incident(&change).await.unwrap();
    let operator = api.as_role(Role::Operator).await;
    let path = format!("/incidents/{}", IncidentId(9));
    let told = operator.post(&format!("{path}/acknowledge"), &json!({"reason": "on it"})).await.json();
    assert_eq!(told["acknowledged_by"], "the operator");
    let again = api.post(&format!("{path}/acknowledge"), &json!({"reason": "me too"})).await.json();
    assert_eq!(again["acknowledged_by"], "the operator");
    let logged = api.world.alerts.take_log();
    let [domain::log::LogEvent::Activity(line)] = &logged[..] else { panic!("one line: {logged:?}") };
    assert_eq!((line.actor.as_str(), line.cause.as_str()), ("the operator", "operator"));
    assert_eq!(api.get("/incidents").await.json()["incidents"][0]["top"][0]["keys"], json!(["C-1"]));
    api.get("/incidents/x").await.is_problem(400, "invalid_request", "incident");
    api.get(&format!("/incidents/{}", IncidentId(10))).await.is_problem(404, "incident_not_found", "");
}

#[tokio::test]
async fn an_address_from_which_mail_came_back_is_shown_and_can_be_tried_again() {
    let api = Api::with_map().await;
    let flagged = Flagged { address: "kim@example.com".parse().unwrap(), at: Timestamp(0), says: "bounced".into() };
    api.world.alerts().flag(&flagged).await.unwrap();
    assert_eq!(api.get("/mail/flagged").await.json()["addresses"][0]["address"], "kim@example.com");
    assert_eq!(api.delete("/mail/flagged/kim@example.com").await.status, 204);
    api.delete("/mail/flagged/kim@example.com").await.is_problem(404, "address_not_flagged", "");
}
