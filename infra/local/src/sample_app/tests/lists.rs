//! Lists, as a sync run asks for them.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::flavor::FlavorName::{Crm, Finance};
use super::super::store::id_of;
use super::support::{API_KEY, TestApp};

async fn list(app: &TestApp, query: &[(&str, &str)], prefer: &str) -> (u16, Value) {
    let request = app.data("GET", "").query(query).header("prefer", prefer);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn follow(app: &TestApp, link: &Value) -> Value {
    let path = link.as_str().unwrap().strip_prefix(&app.url).expect("an absolute link");
    let request = app.request(Method::GET, path).header("x-api-key", API_KEY);
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_list_of_customers_has_the_properties_asked_for_a_count_and_its_options_on_every_page() {
    let app = TestApp::alone(Finance).await;
    for n in 0..7 {
        let on_hold = if n % 2 == 0 { "No" } else { "Yes" };
        assert_eq!(
            app.edit(&format!("C-{n}"), json!({"OrganizationName": format!("O {n}"), "OnHold": on_hold})).await.0,
            200
        );
    }
    let query = [
        ("$select", "dataAreaId,CustomerAccount,OrganizationName"),
        ("$filter", "(dataAreaId eq 'USMF') and (OnHold eq 'No')"),
        ("$orderby", "CustomerAccount"),
        ("$count", "true"),
    ];
    let (status, page) = list(&app, &query, "odata.maxpagesize=3").await;
    let entity = |n: u8| {
        json!({
            "@odata.etag": "W/\"1\"", "dataAreaId": "usmf", "CustomerAccount": format!("C-{n}"),
            "OrganizationName": format!("O {n}"),
        })
    };
    assert_eq!((status, &page["@odata.count"]), (200, &json!(4)));
    assert_eq!(page["value"], json!([entity(0), entity(2), entity(4)]));
    let next = follow(&app, &page["@odata.nextLink"]).await;
    assert_eq!((&next["value"], next.get("@odata.nextLink")), (&json!([entity(6)]), None));
    let (_, other) = list(&app, &[("$filter", "dataAreaId eq 'dat'"), ("$count", "true")], "").await;
    assert_eq!((&other["value"], &other["@odata.count"]), (&json!([]), &json!(0)));
}

#[tokio::test]
async fn a_list_of_accounts_has_the_id_the_lookup_and_no_skip() {
    let app = TestApp::alone(Crm).await;
    app.patch_name("C-1", "Contoso").await;
    app.patch_name("C-2", "Fabrikam").await;
    let query = [("$select", "accountnumber,_primarycontactid_value"), ("$orderby", "accountnumber asc")];
    let (_, page) = list(&app, &query, "odata.maxpagesize=1").await;
    let first = json!({
        "@odata.etag": "W/\"1\"", "accountid": id_of("C-1"), "accountnumber": "C-1", "_primarycontactid_value": null,
    });
    assert_eq!(page["value"], json!([first]));
    assert_eq!(follow(&app, &page["@odata.nextLink"]).await["value"][0]["accountnumber"], "C-2");
    for query in [
        ("$skip", "1"),
        ("$select", "shoe"),
        ("$filter", "shoe eq 1"),
        ("$orderby", "name"),
        ("$orderby", "accountnumber desc"),
        ("$expand", "primarycontactid"),
    ] {
        let (status, page) = list(&app, &[query], "").await;
        assert_eq!((status, &page["error"]["code"]), (400, &json!("0x80060888")), "{query:?}: {page}");
    }
}

#[tokio::test]
async fn the_apps_own_records_come_page_by_page_with_a_link_to_the_next() {
    let app = TestApp::alone(Crm).await;
    for key in ["a", "b&c d", "ü"] {
        app.patch_name(key, key).await;
    }
    let get = async |path: &str| {
        let answer = app.request(Method::GET, path).send().await.unwrap();
        let link = answer.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let rows: Vec<Value> = answer.json().await.unwrap();
        (rows.iter().map(|row| row["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>(), link)
    };
    let (first, link) = get("/records?limit=2").await;
    let link = link.unwrap();
    let next = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\"")).unwrap();
    assert_eq!((first, get(next).await), (vec!["a".to_owned(), "b&c d".to_owned()], (vec!["ü".to_owned()], None)));
    assert_eq!(get("/records").await.0.len(), 3);
    assert_eq!(get("/records?limit=3").await.1, None);
}

/// A page begins after the last key of the page before, so a record that is created or deleted moves no other one.
#[tokio::test]
async fn records_that_come_and_go_move_no_other_one_between_pages() {
    let app = TestApp::alone(Crm).await;
    for key in ["b", "d", "f", "h"] {
        app.patch_name(key, key).await;
    }
    let (_, first) = list(&app, &[], "odata.maxpagesize=2").await;
    app.patch_name("a", "new").await;
    assert_eq!(app.at("DELETE", "b").send().await.unwrap().status(), 204);
    app.patch_name("g", "new").await;
    let second = follow(&app, &first["@odata.nextLink"]).await;
    let third = follow(&app, &second["@odata.nextLink"]).await;
    let keys = |page: &Value| {
        page["value"].as_array().unwrap().iter().map(|row| row["accountnumber"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (keys(&first), keys(&second), keys(&third)),
        (vec![json!("b"), json!("d")], vec![json!("f"), json!("g")], vec![json!("h")])
    );
}
