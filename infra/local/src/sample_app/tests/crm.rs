//! `crm` speaks as Dataverse does.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::super::flavor::FlavorName::Crm;
use super::super::store::id_of;
use super::support::{API_KEY, TestApp};

const CONTACT: &str = "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a01";

/// Status and code of an error.
async fn error_of(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert!(body["error"]["message"].is_string(), "{body}");
    (status, body["error"]["code"].as_str().unwrap().to_owned())
}

fn coded(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

async fn patch(app: &TestApp, body: Value) -> Response {
    app.at("PATCH", "C-1").json(&body).send().await.unwrap()
}

async fn get(app: &TestApp, path: &str) -> Response {
    let request = app.request(Method::GET, &format!("/api/data/v9.2/{path}")).header("x-api-key", API_KEY);
    request.send().await.unwrap()
}

#[tokio::test]
async fn a_patch_creates_changes_and_answers_as_the_caller_prefers() {
    let app = TestApp::alone(Crm).await;
    let created = patch(&app, json!({"name": "Contoso"})).await;
    assert_eq!((created.status().as_u16(), created.headers().get("etag")), (204, None));
    let by_id = format!("{}/api/data/v9.2/accounts({})", app.url, id_of("C-1"));
    assert_eq!(created.headers()["odata-entityid"], by_id);

    let change = app.at("PATCH", "C-1").header("prefer", "return=representation");
    let changed = change.json(&json!({"creditlimit": 12.5, "customertypecode": 9})).send().await.unwrap();
    assert_eq!((changed.status().as_u16(), &changed.headers()["etag"]), (200, &"W/\"2\"".parse().unwrap()));
    let expected = json!({
        "@odata.etag": "W/\"2\"", "@odata.context": format!("{}/api/data/v9.2/$metadata#accounts/$entity", app.url),
        "accountid": id_of("C-1"), "accountnumber": "C-1", "name": "Contoso", "creditlimit": 12.5,
        "customertypecode": 9,
        "telephone1": null, "creditonhold": false, "_primarycontactid_value": null, "new_creditlimitexpires": null,
    });
    assert_eq!(changed.json::<Value>().await.unwrap(), expected);
    let read = get(&app, &format!("accounts({})", id_of("C-1").to_uppercase())).await;
    assert_eq!(read.json::<Value>().await.unwrap(), expected);

    let create = app.at("PATCH", "C-2").header("prefer", "return=representation");
    assert_eq!(create.json(&json!({"name": "Fabrikam"})).send().await.unwrap().status(), 201);
    let post = || app.data("POST", "").json(&json!({"accountnumber": "C-3", "name": "Adatum"})).send();
    assert_eq!(post().await.unwrap().status(), 204);
    assert_eq!(error_of(post().await.unwrap()).await, coded(412, "0x80040237"));
}

#[tokio::test]
async fn conditions_keep_an_upsert_from_making_a_record_or_from_changing_one() {
    let app = TestApp::alone(Crm).await;
    let patch = |name: &'static str, value: &'static str| {
        app.at("PATCH", "C-1").header(name, value).json(&json!({"name": value})).send()
    };
    assert_eq!(error_of(patch("if-match", "*").await.unwrap()).await, coded(404, "0x80060891"));
    assert_eq!(patch("if-none-match", "*").await.unwrap().status(), 204);
    assert_eq!(error_of(patch("if-none-match", "*").await.unwrap()).await, coded(412, "0x80040237"));
    assert_eq!(patch("if-match", "W/\"1\"").await.unwrap().status(), 204);
    assert_eq!(error_of(patch("if-match", "W/\"1\"").await.unwrap()).await, coded(412, "0x80060882"));
    let delete = |tag: &'static str| app.at("DELETE", "C-1").header("if-match", tag).send();
    assert_eq!(delete("W/\"1\"").await.unwrap().status(), 412);
    assert_eq!(delete("W/\"2\"").await.unwrap().status(), 204);
    assert_eq!(app.at("DELETE", "C-1").send().await.unwrap().status(), 404);
    assert_eq!(error_of(get(&app, &format!("accounts({CONTACT})")).await).await, coded(404, "0x80040217"));
}

#[tokio::test]
async fn a_lookup_is_bound_read_as_a_guid_and_removed_by_null() {
    let app = TestApp::alone(Crm).await;
    let contact = async || {
        let entity: Value = app.at("GET", "C-1").send().await.unwrap().json().await.unwrap();
        entity["_primarycontactid_value"].clone()
    };
    let bind = async |path: Value| patch(&app, json!({"name": "x", "primarycontactid@odata.bind": path})).await;
    assert_eq!(bind(json!(format!("/contacts({CONTACT})"))).await.status(), 204);
    assert_eq!(contact().await, CONTACT);
    assert_eq!(bind(json!("/contacts(externaluseridentifier='CP-3')")).await.status(), 204);
    assert_ne!(contact().await, CONTACT);
    let nobody = bind(json!("/contacts(externaluseridentifier='CP-9')")).await;
    assert_eq!(error_of(nobody).await, coded(404, "0x80040217"));
    assert_eq!(bind(Value::Null).await.status(), 204);
    assert_eq!(contact().await, Value::Null);
    assert_eq!(patch(&app, json!({"_primarycontactid_value": CONTACT})).await.status(), 400);

    assert_eq!(get(&app, "contacts").await.json::<Value>().await.unwrap()["value"].as_array().unwrap().len(), 3);
    let by_number = get(&app, "contacts(externaluseridentifier='CP-1')").await.json::<Value>().await.unwrap();
    assert_eq!(by_number["contactid"], CONTACT);
    let nobody = get(&app, "contacts(0f8fad5b-d9cb-469f-a165-70867728950e)").await;
    assert_eq!(error_of(nobody).await, coded(404, "0x80040217"));
}

#[tokio::test]
async fn every_refusal_has_its_code_and_changes_nothing() {
    let app = TestApp::alone(Crm).await;
    app.patch_name("C-1", "Contoso").await;
    for (change, code) in [
        (json!({"name": "Other", "creditlimit": 1_000_001}), "0x80040265"),
        (json!({"name": "n".repeat(161)}), "0x80044331"),
        (json!({"customertypecode": 4}), "0x8004431a"),
        (json!({"name": null}), "0x80040203"),
        (json!({"shoe": 7}), "0x80048d19"),
    ] {
        assert_eq!(error_of(patch(&app, change.clone()).await).await, coded(400, code), "{change}");
    }
    let row = app.get("/records/C-1").await;
    assert_eq!((&row["fields"]["name"], &row["version"]), (&json!("Contoso"), &json!(1)));
}

#[tokio::test]
async fn blank_text_is_stored_as_null() {
    let app = TestApp::alone(Crm).await;
    assert_eq!(patch(&app, json!({"name": "x", "telephone1": ""})).await.status(), 204);
    assert_eq!(app.get("/records/C-1").await["fields"]["telephone1"], Value::Null);
}
