//! Settings of a REST app that a connection test suggests.

use serde_json::{Value, json};

use super::{
    harness::Api,
    sides::{findings, set_connector},
};

async fn rest_api(more: Value) -> Api {
    let api = Api::with_map().await;
    *api.world.apps.records.lock().unwrap() =
        vec![json!({"accountnumber": "C-1", "id": 7}), json!({"accountnumber": "C-2", "id": 8})];
    set_connector(&api, |connector| {
        *connector = json!({"kind": "rest", "base_url": "https://a.example/", "list": {"next": {"by": "whole"}}});
        connector.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    })
    .await;
    api
}

#[tokio::test]
async fn an_app_that_takes_the_size_of_a_page_for_a_filter_is_told_and_the_name_that_it_knows_is_found() {
    let api = rest_api(json!({})).await;
    let filter = "accounts record error: no record, but one without the parameter `limit`: the app takes it for a filter, so all \
                  lists would be empty";
    *api.world.apps.shows_with.lock().unwrap() =
        Some(|connector| matches!(connector.list.size_parameter(), None | Some("$limit")));
    let told = findings(&api, "crm", json!({})).await;
    assert_eq!(told[0], format!("{filter} [connector.list.size_parameter = $limit]"));
    assert_eq!(told[1], "accounts key ok: the record", "the other questions are asked with that setting");
    *api.world.apps.shows_with.lock().unwrap() = Some(|connector| connector.list.size_parameter().is_none());
    assert_eq!(findings(&api, "crm", json!({})).await[0], format!("{filter} [connector.list.size_parameter = ]"));
    api.world.apps.records.lock().unwrap().clear();
    let told = findings(&api, "crm", json!({})).await;
    assert_eq!(told[0], "accounts record warning: no record: what needs one was not looked at");
}

#[tokio::test]
async fn the_form_of_a_records_url_or_the_field_with_its_id_is_found() {
    let api = rest_api(json!({})).await;
    let found = "accounts key error: no record, though it is there. With this setting the app finds it";
    *api.world.apps.finds_with.lock().unwrap() = Some(|connector| connector.record_url() == "{entity}/{key}/");
    let told = findings(&api, "crm", json!({})).await;
    assert_eq!(told[1], format!("{found} [connector.record_url = {{entity}}/{{key}}/]"));
    *api.world.apps.finds_with.lock().unwrap() =
        Some(|connector| connector.find.as_ref().is_some_and(|find| find.id_field == "id"));
    let told = findings(&api, "crm", json!({})).await;
    let find = r#"{"id_field":"id","url":"{entity}?accountnumber={key}"}"#;
    assert_eq!(told[1], format!("{found} [connector.find = {find}]"));
    *api.world.apps.finds_with.lock().unwrap() = Some(|_| false);
    let told = findings(&api, "crm", json!({})).await;
    assert!(
        told[1].starts_with("accounts key error: no record, though it is there: accountnumber may not"),
        "{}",
        told[1]
    );
}
