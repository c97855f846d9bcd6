//! The data API, as programs call it.

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
async fn a_version_never_comes_twice_not_even_after_a_delete() {
    let app = TestApp::alone(Crm).await;
    let etag = async || app.at("GET", "C-1").send().await.unwrap().headers()["etag"].clone();
    app.patch_name("C-1", "a").await;
    assert_eq!(etag().await, "W/\"1\"");
    assert_eq!(app.at("DELETE", "C-1").send().await.unwrap().status(), 204);
    assert_eq!(app.at("GET", "C-1").send().await.unwrap().status(), 404);
    app.patch_name("C-1", "b").await;
    assert_eq!(etag().await, "W/\"3\"");
}

#[tokio::test]
async fn the_same_idempotency_key_applies_once_if_the_app_honours_it() {
    for honours in [false, true] {
        let app = TestApp::alone(Crm).await;
        app.post("/switches", json!({"idempotency_keys": honours})).await;
        let patch =
            |name: &str| app.at("PATCH", "C-1").header("idempotency-key", "k-1").json(&json!({"name": name})).send();
        let answer = patch("first").await.unwrap();
        app.patch_name("C-1", "newer").await;
        let again = patch("first").await.unwrap();
        assert_eq!((answer.status(), again.status()), (reqwest::StatusCode::NO_CONTENT, answer.status()));
        assert_eq!(answer.headers()["odata-entityid"], again.headers()["odata-entityid"]);
        let stands = if honours { "newer" } else { "first" };
        assert_eq!(app.get("/records/C-1").await["fields"]["name"], stands);
        assert_eq!(patch("other").await.unwrap().status(), if honours { 422 } else { 204 });

        let calls = app.get("/calls?key=C-1").await;
        let applied: Vec<_> = calls.as_array().unwrap().iter().map(|call| call["applied"].clone()).collect();
        assert_eq!(applied, [true, true, !honours, !honours]);
    }
}

#[tokio::test]
async fn a_refusal_is_not_remembered_and_a_repeated_delete_is_answered_as_before() {
    let app = TestApp::alone(Crm).await;
    app.post("/switches", json!({"idempotency_keys": true})).await;
    let send = |method: &str, body: Value| {
        app.at(method, "C-1").header("idempotency-key", format!("{method}-1")).json(&body).send()
    };
    assert_eq!(send("PATCH", json!({"name": ""})).await.unwrap().status(), 400);
    assert_eq!(send("PATCH", json!({"name": "x"})).await.unwrap().status(), 204);
    assert_eq!(send("DELETE", json!({})).await.unwrap().status(), 204);
    assert_eq!(send("DELETE", json!({})).await.unwrap().status(), 204);
    assert_eq!(app.get("/records/C-1").await["ok"], false);
}

#[tokio::test]
async fn a_malformed_call_is_told_what_is_wrong() {
    let app = TestApp::alone(Crm).await;
    let body = |text: &'static str, kind: &str| app.at("PATCH", "C-1").header("content-type", kind).body(text).send();
    for (answer, status, code) in [
        (body("{", "application/json").await, 400, "0x80048d19"),
        (body("[]", "application/json").await, 400, "0x80048d19"),
        (body("{}", "text/plain").await, 415, "0x80040203"),
        (body("{\"Shoe\":1}", "application/json; charset=utf-8").await, 400, "0x80048d19"),
        (app.data("GET", "?$filter=x").send().await, 400, "0x80060888"),
        (app.data("GET", "?$top=-1").send().await, 400, "0x80060888"),
        (app.at("PUT", "C-1").send().await, 405, "0x80040203"),
        (app.data("GET", "Old").send().await, 404, "0x80060888"),
        (app.request(Method::GET, "/api/data/v9.2/accounts").send().await, 401, "0x80040203"),
        (app.data("GET", "").header("x-api-key", "and another").send().await, 200, ""),
    ] {
        let (found, error) = error_of(answer.unwrap()).await;
        assert_eq!((found, error["code"].as_str().unwrap_or_default()), (status, code));
    }
    let wrong = app.request(Method::GET, "/api/data/v9.2/accounts").header("x-api-key", "wrong").send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert_eq!(app.get("/records").await, json!([]));
}

/// Follows the links from `rest` on. Returns the keys of each page.
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
    let app = TestApp::alone(Crm).await;
    app.patch_name("C-1", "Contoso").await;
    let reopened = TestApp::open(app.config.clone()).await;
    assert_eq!(reopened.get("/records/C-1").await["fields"]["name"], "Contoso");
}
