//! What each kind of app is asked for when a record is not there yet.

use app::ports::{Apps, Call};
use serde_json::json;

use crate::{
    server::{Server, answer, no_such_record},
    setup::{address, local, side, upsert},
};

/// The requests of an upsert: method and path.
async fn requests(kind: &str, more: serde_json::Value, key: &str) -> Vec<String> {
    let server =
        Server::start(|seen| if seen.method == "POST" { answer(201, "{}") } else { no_such_record(404) }).await;
    let side = side(kind, &server.url(), more);
    let call = Call { record: address(key), ..upsert(json!({"name": "Ada"})) };
    let _how_it_ended = local().write(&side, &call).await;
    server.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect()
}

#[tokio::test]
async fn each_kind_of_app_is_asked_in_its_own_way_with_no_setting_but_its_kind() {
    let id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    for (kind, key, wanted) in [
        ("odata", "C-1", vec!["PATCH /data/accounts('C-1')"]),
        ("dataverse", "C-1", vec!["PATCH /data/accounts(accountnumber='C-1')"]),
        (
            "finance_operations",
            "C-1",
            vec!["PATCH /data/accounts('C-1')?cross-company=true", "POST /data/accounts?cross-company=true"],
        ),
        (
            "business_central",
            id,
            vec!["PATCH /data/accounts(0f8fad5b-d9cb-469f-a165-70867728950e)", "POST /data/accounts"],
        ),
        ("sap_odata", "C-1", vec!["PATCH /data/accounts('C-1')", "POST /data/accounts"]),
        ("http", "C-1", vec!["PATCH /data/accounts/C-1", "POST /data/accounts"]),
        ("rest", "C-1", vec!["PATCH /data/accounts/C-1", "POST /data/accounts"]),
    ] {
        assert_eq!(requests(kind, json!({}), key).await, wanted, "{kind}");
    }
}

#[tokio::test]
async fn what_a_side_says_itself_wins() {
    let own = json!({"create": "upsert", "query": {"cross-company": "false"}, "key_style": "named"});
    let asked = requests("finance_operations", own, "C-1").await;
    assert_eq!(asked, ["PATCH /data/accounts(accountnumber='C-1')?cross-company=false"]);
}

#[tokio::test]
async fn a_space_in_a_fixed_parameter_is_no_plus() {
    let asked = requests("sap_odata", json!({"create": "upsert", "query": {"$expand": "a, b+c"}}), "C-1").await;
    assert_eq!(asked, ["PATCH /data/accounts('C-1')?%24expand=a%2C%20b%2Bc"]);
}
