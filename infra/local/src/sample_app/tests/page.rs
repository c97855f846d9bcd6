//! The page, as far as it can be tested without a browser.

use reqwest::Method;
use serde_json::json;

use super::super::flavor::FlavorName::{Crm, Finance};
use super::support::TestApp;

async fn html(app: &TestApp) -> String {
    app.request(Method::GET, "/").send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn the_page_has_everything_that_a_person_or_a_test_drives() {
    let app = TestApp::alone(Finance).await;
    app.edit("C-1", json!({"OrganizationName": "Contoso"})).await;
    let html = html(&app).await;
    for part in [
        "<body class=\"finance\"",
        "id=\"new\"",
        "id=\"edit-form\"",
        "id=\"save\"",
        "id=\"delete\"",
        "id=\"message\"",
        "id=\"switch\"",
        "name=\"reports_own_writes\" data-testid=\"reports_own_writes\" checked",
        "name=\"tidies\" data-testid=\"tidies\">",
        "name=\"commits_late_ms\"",
        "name=\"CustomerAccount\"",
        "name=\"OrganizationName\"",
        "tr data-key=\"C-1\" data-version=\"1\"",
        "data-field=\"OrganizationName\" data-value=\"&quot;Contoso&quot;\" class=\"name\">Contoso</td>",
        "not connected to Tandem",
    ] {
        assert!(html.contains(part), "{part} is missing");
    }
    for (path, kind) in [("/app.css", "text/css"), ("/app.js", "text/javascript"), ("/live", "application/json")] {
        let answer = app.request(Method::GET, path).send().await.unwrap();
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind));
    }
    assert_eq!(app.request(Method::GET, "/healthz").send().await.unwrap().text().await.unwrap(), "ok");
}

#[tokio::test]
async fn options_and_contacts_are_shown_by_their_names() {
    let app = TestApp::alone(Crm).await;
    let contact = "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a02";
    let fields = json!({"name": "Contoso", "customertypecode": 9, "_primarycontactid_value": contact});
    assert_eq!(app.edit("C-1", fields).await.0, 200);
    let html = html(&app).await;
    for part in [
        "<option value=\"9\">Reseller</option>".to_owned(),
        format!("<option value=\"{contact}\">Karl Chen</option>"),
        ">Reseller</td>".to_owned(),
        ">Karl Chen</td>".to_owned(),
    ] {
        assert!(html.contains(&part), "{part} is missing");
    }
}

#[tokio::test]
async fn nothing_that_people_type_becomes_markup() {
    let app = TestApp::alone(Crm).await;
    let nasty = "<img src=x onerror=\"alert(1)\">'&";
    assert_eq!(app.edit(nasty, json!({"name": nasty, "telephone1": nasty})).await.0, 200);
    let live = app.get("/live").await["parts"].to_string();
    for text in [html(&app).await, live] {
        assert!(!text.contains("<img"));
        assert!(text.contains("&lt;img src=x onerror="));
    }
    let answer = app.request(Method::GET, "/").send().await.unwrap();
    assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("script-src 'self'"));
}
