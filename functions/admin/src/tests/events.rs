//! Golden events, as a function URL sends them: the same files that `cargo lambda invoke --data-file` takes.

use std::{path::PathBuf, sync::Arc};

use axum::body::to_bytes;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::harness::Api;
use crate::router::router;

async fn invoke(api: &Api, event: &str) -> (u16, Value) {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(event);
    let request = lambda_http::request::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let response = router(Arc::clone(&api.world)).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_function_url_event_is_served() {
    let api = Api::with_map().await;
    let (status, side) = invoke(&api, "admin-put-side.json").await;
    assert_eq!((status, &side["id"]), (201, &json!("erp")));
    let (status, map) = invoke(&api, "admin-run-map.json").await;
    assert_eq!((status, &map["state"]), (200, &json!("Running")));
    let (status, plan) = invoke(&api, "admin-apply-yaml-base64.json").await;
    assert_eq!((status, &plan["items"][0]["action"]), (200, &json!("create")), "a body in base64, a query");
    let (status, problem) = invoke(&api, "admin-without-token.json").await;
    assert_eq!((status, &problem["code"]), (401, &json!("unauthenticated")));
    let (status, problem) = invoke(&api, "admin-malformed-json.json").await;
    assert_eq!((status, &problem["errors"][0]["field"]), (400, &json!("body")));
}
