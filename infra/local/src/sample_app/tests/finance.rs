//! `finance` speaks as Finance & Operations does.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::super::flavor::FlavorName::Finance;
use super::support::{API_KEY, TestApp};

/// Status and inner error of an answer. The outer error is always the same.
async fn error_of(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert_eq!((&body["error"]["code"], &body["error"]["message"]), (&json!(""), &json!("An error has occurred.")));
    (status, body["error"]["innererror"].clone())
}

async fn create(app: &TestApp, body: Value) -> Response {
    app.data("POST", "").json(&body).send().await.unwrap()
}

async fn patch(app: &TestApp, body: Value) -> Response {
    app.at("PATCH", "C-1").json(&body).send().await.unwrap()
}

fn customer(company: &str) -> Value {
    json!({"dataAreaId": company, "CustomerAccount": "C-1", "OrganizationName": "Contoso"})
}

#[tokio::test]
async fn a_customer_is_made_by_post_changed_by_patch_and_deleted() {
    let app = TestApp::alone(Finance).await;
    let created = create(&app, customer("usmf")).await;
    assert_eq!((created.status().as_u16(), &created.headers()["etag"]), (201, &"W/\"1\"".parse().unwrap()));
    let address = format!("{}/data/CustomersV3(dataAreaId='usmf',CustomerAccount='C-1')", app.url);
    assert_eq!(created.headers()["odata-entityid"], address);

    let changed = patch(&app, json!({"CreditLimit": 12.5, "OnHold": "Yes"})).await;
    assert_eq!((changed.status().as_u16(), changed.headers().get("etag")), (204, None));
    let read = app.at("GET", "C-1").send().await.unwrap();
    assert_eq!(read.headers()["etag"], "W/\"2\"");
    let mut entity: Value = read.json().await.unwrap();
    entity.as_object_mut().unwrap().remove("@odata.context").unwrap();
    let expected = json!({
        "@odata.etag": "W/\"2\"", "dataAreaId": "usmf", "CustomerAccount": "C-1", "OrganizationName": "Contoso",
        "CreditLimit": 12.5, "CustomerGroupId": "10", "PrimaryContactPhone": "", "OnHold": "Yes", "ContactPersonId": "",
        "CreditLimitExpirationDate": "1900-01-01T00:00:00Z",
    });
    assert_eq!(entity, expected);
    assert_eq!(app.at("DELETE", "C-1").send().await.unwrap().status(), 204);
    assert_eq!(app.at("GET", "C-1").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn what_is_not_there_and_what_is_there_already_are_told_in_its_own_words() {
    let app = TestApp::alone(Finance).await;
    for method in ["PATCH", "DELETE"] {
        let answer = app.at(method, "C-1").json(&json!({"OrganizationName": "x"})).send().await.unwrap();
        let (status, error) = error_of(answer).await;
        assert_eq!((status, &error["message"]), (400, &json!("No resources were found when selecting for update.")));
    }
    assert_eq!(create(&app, customer("usmf")).await.status(), 201);
    let (status, error) = error_of(create(&app, customer("usmf")).await).await;
    let says = "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Info: Cannot create a record in Customers \
                (CustTable). Customer account: C-1.\nThe record already exists..";
    assert_eq!((status, &error["message"]), (400, &json!(says)));
    assert_eq!(app.get("/records/C-1").await["version"], 1);
}

#[tokio::test]
async fn a_refusal_has_the_infolog_and_the_exception_within() {
    let app = TestApp::alone(Finance).await;
    app.edit("C-1", json!({"OrganizationName": "Contoso"})).await;
    let (status, error) = error_of(patch(&app, json!({"OrganizationName": "n".repeat(101)})).await).await;
    assert_eq!(status, 400);
    let says = error["message"].as_str().unwrap();
    assert!(
        says.starts_with("Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Warning: "),
        "{says}"
    );
    assert!(says.contains("must not be longer than 100 characters"), "{says}");
    assert!(says.ends_with("validateField failed on field 'CustCustomerV3Entity.OrganizationName'."), "{says}");
    assert!(error["type"].as_str().unwrap().ends_with("AxODataWriteException"));
    let within = &error["internalexception"]["message"];
    assert_eq!(within, "Organization name must not be longer than 100 characters");
    for wrong in
        [json!({"CustomerGroupId": "50"}), json!({"OnHold": true}), json!({"CreditLimitExpirationDate": "soon"})]
    {
        assert_eq!(error_of(patch(&app, wrong).await).await.0, 400);
    }
}

#[tokio::test]
async fn a_company_must_be_named_and_be_there_and_others_are_seen_only_across_companies() {
    let app = TestApp::alone(Finance).await;
    assert_eq!(create(&app, customer("demf")).await.status(), 400);
    assert_eq!(create(&app, customer("USMF")).await.status(), 201);
    let get = async |rest: &str| {
        let request = app.request(Method::GET, &format!("/data/CustomersV3{rest}")).header("x-api-key", API_KEY);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let own = "(dataAreaId='usmf',CustomerAccount='C-1')";
    assert_eq!(get(&format!("{own}?cross-company=true")).await.0, 200);
    assert_eq!(get(own).await.0, 404);
    assert_eq!(get("(dataAreaId='demf',CustomerAccount='C-1')?cross-company=true").await.0, 404);
    assert_eq!(get("(CustomerAccount='C-1')?cross-company=true").await.0, 400);
    assert_eq!(get("").await.1["value"], json!([]));
    assert_eq!(get("?cross-company=true").await.1["value"][0]["dataAreaId"], "usmf");
}

#[tokio::test]
async fn text_and_dates_are_never_null() {
    let app = TestApp::alone(Finance).await;
    let full = json!({
        "OrganizationName": "x", "PrimaryContactPhone": "1", "CreditLimitExpirationDate": "2026-12-31T12:00:00Z",
    });
    app.edit("C-1", full).await;
    let nothing = json!({"PrimaryContactPhone": null, "ContactPersonId": null, "CreditLimitExpirationDate": null});
    assert_eq!(patch(&app, nothing).await.status(), 204);
    let entity: Value = app.at("GET", "C-1").send().await.unwrap().json().await.unwrap();
    let told = json!([entity["PrimaryContactPhone"], entity["ContactPersonId"], entity["CreditLimitExpirationDate"]]);
    assert_eq!(told, json!(["", "", "1900-01-01T00:00:00Z"]));
    assert_eq!(patch(&app, json!({"CreditLimit": null})).await.status(), 400);
}
