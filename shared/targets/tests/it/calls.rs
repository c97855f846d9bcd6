//! Apps that create, change or delete at URLs of their own.

use app::ports::{Apps, Call};
use domain::failure::CallEffect;
use serde_json::json;

use crate::{
    server::{Server, answer},
    setup::{address, delete, local, side, upsert, was_gone},
};

#[tokio::test]
async fn each_call_has_a_url_of_its_own() {
    let server = Server::start(|seen| match (seen.method.as_str(), seen.path.as_str()) {
        ("POST", "/data/accounts/C-1/update") => answer(404, json!({"message": "no such account"})),
        ("GET", _) => answer(200, json!({"accountnumber": "C-1"})),
        ("POST", "/data/accounts/create" | "/data/accounts/C-1/delete") => answer(200, json!({"ok": true})),
        _ => answer(500, ""),
    })
    .await;
    let side = side(
        "rest",
        &server.url(),
        json!({"create_url": "{entity}/create", "update": "post", "update_url": "{entity}/{key}/update",
            "delete": "post", "delete_url": "{entity}/{key}/delete", "capability": "plain"}),
    );
    assert_eq!(side.config.mistakes(), []);
    assert_eq!(side.config.requests_per_write(), 3);
    local().write(&side, &upsert(json!({"name": "x"}))).await.unwrap();
    local().write(&side, &delete()).await.unwrap();
    let seen: Vec<_> = server.seen().into_iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    assert_eq!(
        seen,
        [
            "POST /data/accounts/C-1/update",
            "POST /data/accounts/create",
            "GET /data/accounts/C-1",
            "POST /data/accounts/C-1/delete"
        ]
    );
    assert!(server.seen()[3].body.is_empty());
}

/// Its 404 would be taken for a record that is gone already, and the deletion would be lost.
#[tokio::test]
async fn a_deletion_that_is_refused_as_absent_of_a_record_that_is_there_is_a_failure() {
    let server = Server::start(|seen| match (seen.method.as_str(), seen.path.contains("C-2")) {
        ("GET", false) => answer(200, json!({"accountnumber": "C-1"})),
        _ => answer(404, json!({"message": "Cannot POST"})),
    })
    .await;
    let side = side("rest", &server.url(), json!({"delete": "post", "delete_url": "{entity}/{key}/remove"}));
    let failure = local().write(&side, &delete()).await.unwrap_err();
    assert!(failure.effect != CallEffect::Unknown && failure.message.contains("Cannot POST"), "{failure:?}");
    assert_eq!(local().write(&side, &Call { record: address("C-2"), ..delete() }).await, Ok(was_gone()));
    assert_eq!(server.methods(), ["GET", "POST", "GET", "GET"]);
}
