//! Record keys with characters that have a meaning in a URL.

use serde_json::{Value, json};

use super::super::flavor::FlavorName;
use super::super::odata::entity_path;
use super::support::TestApp;

#[tokio::test]
async fn any_key_can_be_written_read_and_deleted() {
    let app = TestApp::alone(FlavorName::Crm).await;
    let long = "k".repeat(256);
    let keys = ["O'Neil", "''", "a/b//c", "a#b?c=d&e", "100%", "a b+c", "Ä-ö-😀", "(1)", "..", "%27", &long];
    for key in keys {
        let path = entity_path(app.app.flavor, key);
        let patched = app.request(reqwest::Method::PATCH, &path).header("x-api-key", super::support::API_KEY);
        let answer = patched.json(&json!({"name": key.get(..100).unwrap_or(key)})).send().await.unwrap();
        assert_eq!(answer.status(), 204, "{key}");
        // The app names the record by its GUID, which leads to the same record.
        let id = answer.headers()["odata-entityid"].to_str().unwrap().to_owned();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let read = client.get(id).header("x-api-key", super::support::API_KEY).send().await.unwrap();
        assert_eq!(read.json::<Value>().await.unwrap()["accountnumber"], key);
    }
    let mut expected: Vec<&str> = keys.to_vec();
    expected.sort_unstable();
    let records = app.get("/records").await;
    let found: Vec<&str> = records.as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(found, expected);
    for key in keys {
        let path = entity_path(app.app.flavor, key);
        let deleted = app.request(reqwest::Method::DELETE, &path).header("x-api-key", super::support::API_KEY);
        assert_eq!(deleted.send().await.unwrap().status(), 204, "{key}");
    }
    assert_eq!(app.get("/records").await, json!([]));
}

#[tokio::test]
async fn a_key_that_no_record_may_have_is_refused() {
    let app = TestApp::alone(FlavorName::Crm).await;
    for key in ["", &"k".repeat(257), "a%0Ab"] {
        let answer = app.patch_name(key, "Contoso").await;
        assert_eq!(answer.status(), 400, "{key}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], "0x80040203");
    }
    assert_eq!(app.patch_name("O'Neil", "Contoso").await.status(), 400);
    assert_eq!(app.get("/records").await, json!([]));
}

#[tokio::test]
async fn the_pages_interface_takes_any_key_too() {
    let app = TestApp::alone(FlavorName::Finance).await;
    let (status, _) = app.edit("a/b#'c'", json!({"OrganizationName": "Contoso"})).await;
    assert_eq!(status, 200);
    assert_eq!(app.get("/records/a%2Fb%23'c'").await["fields"]["OrganizationName"], "Contoso");
    let (status, body) = app.edit("", json!({"OrganizationName": "Contoso"})).await;
    assert_eq!((status, &body["problem"]["code"]), (422, &json!("InvalidKey")));
}
