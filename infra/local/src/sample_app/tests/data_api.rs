//! The data API as a program meets it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::flavor::FlavorName::{Crm, Finance};
use super::support::TestApp;

async fn error_of(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    (status, body["error"].clone())
}

#[tokio::test]
async fn a_patch_creates_changes_and_answers_as_the_caller_prefers() {
    let app = TestApp::alone(Finance).await;
    let created = app.patch_name("C-1", "Contoso").await;
    assert_eq!(created.status(), 204);
    assert_eq!(created.headers()["etag"], "W/\"1\"");
    assert_eq!(created.headers()["odata-entityid"], format!("{}/data/CustomersV3('C-1')", app.url));

    let change = app.data("PATCH", "('C-1')").header("prefer", "return=representation");
    let changed = change.json(&json!({"CreditLimit": 12.5, "OnHold": "Yes"})).send().await.unwrap();
    assert_eq!((changed.status().as_u16(), &changed.headers()["etag"]), (200, &"W/\"2\"".parse().unwrap()));
    let read = app.data("GET", "('C-1')").send().await.unwrap();
    assert_eq!(read.headers()["etag"], "W/\"2\"");
    let mut entity: Value = read.json().await.unwrap();
    entity.as_object_mut().unwrap().remove("@odata.context").unwrap();
    let expected = json!({
        "@odata.etag": "W/\"2\"", "CustomerAccount": "C-1", "OrganizationName": "Contoso", "CreditLimit": 12.5,
        "CustomerGroupId": "10", "PrimaryContactPhone": null, "OnHold": "Yes",
    });
    assert_eq!(entity, expected);
    assert_eq!(changed.json::<Value>().await.unwrap(), expected);

    let create = app.data("PATCH", "('C-2')").header("prefer", "return=representation");
    let created = create.json(&json!({"OrganizationName": "Fabrikam"})).send().await.unwrap();
    assert_eq!(created.status(), 201);
}

#[tokio::test]
async fn conditions_are_honoured() {
    let app = TestApp::alone(Crm).await;
    let patch = |name: &'static str, value: &'static str| {
        app.data("PATCH", "('C-1')").header(name, value).json(&json!({"name": value})).send()
    };
    assert_eq!(patch("if-match", "*").await.unwrap().status(), 404);
    assert_eq!(patch("if-none-match", "*").await.unwrap().status(), 204);
    assert_eq!(patch("if-none-match", "*").await.unwrap().status(), 412);
    assert_eq!(patch("if-match", "W/\"1\"").await.unwrap().status(), 204);
    assert_eq!(error_of(patch("if-match", "W/\"1\"").await.unwrap()).await.1["code"], "PreconditionFailed");
    let delete = |tag: &'static str| app.data("DELETE", "('C-1')").header("if-match", tag).send();
    assert_eq!(delete("W/\"1\"").await.unwrap().status(), 412);
    assert_eq!(delete("W/\"2\"").await.unwrap().status(), 204);
    assert_eq!(app.data("DELETE", "('C-1')").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_version_never_comes_twice_not_even_after_a_delete() {
    let app = TestApp::alone(Crm).await;
    assert_eq!(app.patch_name("C-1", "a").await.headers()["etag"], "W/\"1\"");
    assert_eq!(app.data("DELETE", "('C-1')").send().await.unwrap().status(), 204);
    assert_eq!(app.data("GET", "('C-1')").send().await.unwrap().status(), 404);
    assert_eq!(app.patch_name("C-1", "b").await.headers()["etag"], "W/\"3\"");
}

#[tokio::test]
async fn the_same_idempotency_key_gets_the_same_answer_and_applies_once() {
    let app = TestApp::alone(Finance).await;
    let first = json!({"OrganizationName": "first"});
    let patch = |body: Value| app.data("PATCH", "('C-1')").header("idempotency-key", "k-1").json(&body).send();
    let answer = patch(first.clone()).await.unwrap();
    app.patch_name("C-1", "newer").await;
    let again = patch(first).await.unwrap();
    for name in ["etag", "odata-entityid"] {
        assert_eq!(answer.headers()[name], again.headers()[name]);
    }
    assert_eq!((answer.status(), again.status()), (answer.status(), answer.status()));
    assert_eq!(app.get("/records/C-1").await["fields"]["OrganizationName"], "newer");
    let (status, error) = error_of(patch(json!({"OrganizationName": "other"})).await.unwrap()).await;
    assert_eq!((status, &error["code"]), (422, &json!("IdempotencyKeyReused")));

    let calls = app.get("/calls?key=C-1").await;
    let calls: Vec<_> = calls.as_array().unwrap().iter().map(|call| (&call["status"], &call["applied"])).collect();
    let expected = [(204, true), (204, true), (204, false), (422, false)].map(|(a, b)| (json!(a), json!(b)));
    assert_eq!(calls, expected.iter().map(|(a, b)| (a, b)).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_refusal_is_not_remembered_and_a_repeated_delete_is_answered_as_before() {
    let app = TestApp::alone(Finance).await;
    let send = |method: &str, body: Value| {
        app.data(method, "('C-1')").header("idempotency-key", format!("{method}-1")).json(&body).send()
    };
    assert_eq!(send("PATCH", json!({"OrganizationName": ""})).await.unwrap().status(), 400);
    assert_eq!(send("PATCH", json!({"OrganizationName": "x"})).await.unwrap().status(), 204);
    assert_eq!(send("DELETE", json!({})).await.unwrap().status(), 204);
    assert_eq!(send("DELETE", json!({})).await.unwrap().status(), 204);
    assert_eq!(app.get("/records/C-1").await["ok"], false);
}

#[tokio::test]
async fn a_refusal_names_the_property_and_changes_nothing() {
    let app = TestApp::alone(Crm).await;
    app.patch_name("C-1", "Contoso").await;
    let patch = app.data("PATCH", "('C-1')").json(&json!({"name": "Other", "creditlimit": 1_000_001}));
    let (status, error) = error_of(patch.send().await.unwrap()).await;
    assert_eq!(status, 400);
    assert_eq!(error["code"], "CreditLimitExceeded");
    assert_eq!(error["message"], "Credit limit above 1,000,000");
    assert_eq!(error["details"][0]["target"], "creditlimit");
    let row = app.get("/records/C-1").await;
    assert_eq!((&row["fields"]["name"], &row["version"]), (&json!("Contoso"), &json!(1)));
}

#[tokio::test]
async fn a_malformed_call_is_told_what_is_wrong() {
    let app = TestApp::alone(Finance).await;
    let body =
        |text: &'static str, kind: &str| app.data("PATCH", "('C-1')").header("content-type", kind).body(text).send();
    for (answer, status, code) in [
        (body("{", "application/json").await, 400, "MalformedBody"),
        (body("[]", "application/json").await, 400, "MalformedBody"),
        (body("{}", "text/plain").await, 415, "UnsupportedMediaType"),
        (body("{\"Shoe\":1}", "application/json; charset=utf-8").await, 400, "UnknownProperty"),
        (app.data("GET", "?$filter=x").send().await, 400, "BadQuery"),
        (app.data("GET", "?$top=-1").send().await, 400, "BadQuery"),
        (app.data("PUT", "('C-1')").send().await, 405, "MethodNotAllowed"),
        (app.data("GET", "Old").send().await, 404, "ResourceNotFound"),
        (app.request(Method::GET, "/data/CustomersV3").send().await, 401, "Unauthorized"),
        (app.data("GET", "").header("x-api-key", "and another").send().await, 200, ""),
    ] {
        let (found, error) = error_of(answer.unwrap()).await;
        assert_eq!((found, error["code"].as_str().unwrap_or_default()), (status, code));
    }
    let wrong = app.request(Method::GET, "/data/CustomersV3").header("x-api-key", "wrong").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert_eq!(app.get("/records").await, json!([]));
}

/// Follows the links from `rest` on; gives the keys page by page.
async fn pages(app: &TestApp, rest: &str, prefer: Option<&str>) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut request = Some(app.data("GET", rest));
    while let Some(mut next) = request.take() {
        if let Some(prefer) = prefer.filter(|_| pages.is_empty()) {
            next = next.header("prefer", prefer);
        }
        let page: Value = next.send().await.unwrap().json().await.unwrap();
        let values = page["value"].as_array().unwrap();
        pages.push(values.iter().map(|row| row["CustomerAccount"].as_str().unwrap().to_owned()).collect());
        if let Some(link) = page["@odata.nextLink"].as_str() {
            let path = link.strip_prefix(&app.url).expect("an absolute link");
            request = Some(app.request(Method::GET, path).header("x-api-key", super::support::API_KEY));
        }
    }
    pages
}

#[tokio::test]
async fn pages_cover_every_record_once_in_order_of_keys() {
    let app = TestApp::alone(Finance).await;
    let keys: BTreeSet<String> =
        ["'", "a b", "a+b", "a/b", "c&d=1", "ä", "z"].iter().map(ToString::to_string).collect();
    for key in &keys {
        assert_eq!(app.edit(key, json!({"OrganizationName": "x"})).await.0, 200);
    }
    let keys: Vec<String> = keys.into_iter().collect();
    assert_eq!(pages(&app, "", None).await, std::slice::from_ref(&keys));
    let by_three = pages(&app, "", Some("odata.maxpagesize=3")).await;
    assert_eq!(by_three.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    assert_eq!(by_three.concat(), keys);
    let first_five = pages(&app, "?$top=5", Some("odata.maxpagesize=2")).await;
    assert_eq!(first_five.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
    assert_eq!(first_five.concat(), keys[..5]);
    assert_eq!(pages(&app, "?$top=2&$skip=4", None).await, [keys[4..6].to_vec()]);
    assert_eq!(pages(&app, "?$skip=5", Some("odata.maxpagesize=1")).await.concat(), keys[5..]);
    assert_eq!(pages(&app, "?$top=0", None).await, [Vec::<String>::new()]);
}

#[tokio::test]
async fn the_data_survives_a_restart() {
    let app = TestApp::alone(Finance).await;
    app.patch_name("C-1", "Contoso").await;
    let reopened = TestApp::open(app.config.clone()).await;
    assert_eq!(reopened.get("/records/C-1").await["fields"]["OrganizationName"], "Contoso");
}
