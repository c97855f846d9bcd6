//! Tokens: made, used, taken back.

use app::{
    admin::tokens::MAX_TOKENS,
    ports::{Role, Token, Tokens},
};
use domain::Timestamp;
use serde_json::json;

use super::harness::{Api, side_config};

#[tokio::test]
async fn a_token_is_told_once_works_at_once_and_not_any_more_when_it_is_taken_back() {
    let api = Api::new();
    let made = api.post("/tokens", &json!({"name": " pipeline ", "role": "viewer"})).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("tnd_") && secret.len() == 47, "{secret}");
    assert_eq!((&made["name"], &made["role"]), (&json!("pipeline"), &json!("viewer")));
    let listed = api.get("/tokens").await;
    assert_eq!(listed.json()["tokens"][0]["id"], made["id"]);
    assert_eq!(listed.json()["tokens"][0]["created_at"], super::harness::NOON);
    assert!(!listed.text.contains(secret), "the secret is told once");
    let pipeline = api.with_token(Some(secret));
    assert_eq!(pipeline.get("/sides").await.status, 200);
    pipeline.put("/sides/erp", &side_config()).await.is_problem(403, "forbidden", "");
    let path = format!("/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(api.delete(&path).await.status, 204);
    pipeline.get("/sides").await.is_problem(401, "unauthenticated", "");
    api.delete(&path).await.is_problem(404, "token_not_found", "");
    api.delete("/tokens/%20%23").await.is_problem(404, "token_not_found", "");
}

#[tokio::test]
async fn a_name_stands_for_one_token() {
    let api = Api::new();
    assert_eq!(api.post("/tokens", &json!({"name": "ann", "role": "admin"})).await.status, 201);
    api.post("/tokens", &json!({"name": "ann", "role": "viewer"})).await.is_problem(409, "token_name_taken", "");
    api.post("/tokens", &json!({"name": "first-admin", "role": "viewer"})).await.is_problem(
        409,
        "token_name_taken",
        "",
    );
}

#[tokio::test]
async fn there_are_only_so_many_tokens() {
    let api = Api::new();
    for i in 0..MAX_TOKENS {
        let (id, name) = (format!("id-{i}"), format!("token {i}"));
        let token = Token { id, name, role: Role::Viewer, created_at: Timestamp(0) };
        api.world.tokens.save_token(&i.to_string(), &token).await.unwrap();
    }
    api.post("/tokens", &json!({"name": "one more", "role": "viewer"})).await.is_problem(409, "too_many_tokens", "");
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_named() {
    let api = Api::new();
    for (body, says) in [
        (json!({"role": "viewer"}), "body: missing field `name`"),
        (json!({"name": "x"}), "body: missing field `role`"),
        (json!({"name": "x", "role": "root"}), "role: unknown variant `root`"),
        (json!({"name": " ", "role": "viewer"}), "name: must be 1 to 100"),
        (json!({"name": "x".repeat(101), "role": "viewer"}), "name: must be 1 to 100"),
        (json!({"name": "a\nb", "role": "viewer"}), "name: must be 1 to 100"),
        (json!({"name": "x", "role": "viewer", "id": "y"}), "id: unknown field"),
        (json!({"name": 5, "role": "viewer"}), "name: invalid type"),
    ] {
        api.post("/tokens", &body).await.is_problem(400, "invalid_request", says);
    }
    assert_eq!(api.get("/tokens").await.json(), json!({"tokens": []}));
}

#[tokio::test]
async fn what_is_done_with_a_token_is_recorded_under_its_name() {
    let api = Api::with_map().await;
    let made = api.post("/tokens", &json!({"name": "ann", "role": "operator"})).await.json();
    let ann = api.with_token(made["token"].as_str());
    assert_eq!(ann.post("/maps/customers/run", &json!({"reason": "go-live"})).await.json()["actor"], "ann");
    assert_eq!(api.post("/maps/customers/stop", &json!({"reason": "again"})).await.json()["actor"], "first-admin");
}
