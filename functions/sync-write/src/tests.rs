//! Golden events, as a function URL sends them: the same files that `cargo lambda invoke --data-file` takes.

use std::{path::PathBuf, sync::Arc};

use domain::{SideIx, record::Image, side::Capability};
use lambda_http::{Request, RequestExt};
use serde_json::{Value, json};
use testkit::{SimWorld, sample};

use crate::{
    answer::Reply,
    handler::{answer, route},
};

fn event(name: &str) -> Request {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../events").join(name);
    lambda_http::request::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

fn world() -> Arc<SimWorld> {
    SimWorld::new(1, sample::running(Capability::Idempotent))
}

async fn serve(world: &SimWorld, name: &str) -> Reply {
    let request = event(name);
    let route = route(request.raw_http_path());
    answer(world, &request, &route).await
}

fn record(world: &SimWorld, side: SideIx, key: &str) -> Value {
    let id = world.map().sides[side.at()].id.clone();
    match world.apps.with(&id, |app| app.image(&key.parse().unwrap())) {
        Image::Present(record) => Value::Object(record),
        Image::Absent => Value::Null,
    }
}

#[tokio::test]
async fn a_write_arrives_in_the_other_app_and_its_repeat_gets_the_same_answer() {
    let world = world();
    let first = serve(&world, "sync-write-upsert.json").await;
    assert_eq!((first.status, &first.body["status"]), (200, &json!("written")));
    assert_eq!(record(&world, SideIx::Second, "C-1001")["name"], json!("Ada Lovelace"));
    let again = serve(&world, "sync-write-upsert.json").await;
    assert_eq!((again.status, &again.body["version"]), (200, &first.body["version"]));
    let looked_up = serve(&world, "sync-write-look-up.json").await;
    assert_eq!((looked_up.status, &looked_up.body["status"]), (200, &json!("written")));
    let effects = world.apps.with(&world.map().sides[1].id, |app| app.effects.len());
    assert_eq!(effects, 1, "the repeat changed nothing");
}

#[tokio::test]
async fn a_deletion_a_body_in_base64_and_a_write_without_origin_are_served() {
    let world = world();
    assert_eq!(serve(&world, "sync-write-upsert.json").await.status, 200);
    assert_eq!(serve(&world, "sync-write-delete.json").await.status, 200);
    assert_eq!(record(&world, SideIx::Second, "C-1001"), Value::Null);
    assert_eq!(serve(&world, "sync-write-upsert-base64.json").await.status, 200);
    assert_eq!(record(&world, SideIx::Second, "Müller & Söhne #1/'x'")["limit"], json!(0.5));
    assert_eq!(serve(&world, "sync-write-no-origin.json").await.status, 200);
    assert_eq!(record(&world, SideIx::First, "C-2")["Name"], json!("Grace"));
    assert_eq!(record(&world, SideIx::Second, "C-2")["name"], json!("Grace"));
}

#[tokio::test]
async fn the_id_may_stand_in_a_header_and_two_ids_must_agree() {
    let world = world();
    let reply = serve(&world, "sync-write-id-in-header.json").await;
    assert_eq!((reply.status, &reply.body["id"]), (200, &json!("01KAQZDE4R8XYZABCDEFGHJKMN")));
    let reply = serve(&world, "sync-write-two-ids.json").await;
    assert_eq!((reply.status, &reply.body["errors"][0]["field"]), (400, &json!("id")));
}

#[tokio::test]
async fn a_batch_answers_each_write_in_the_order_of_the_request() {
    let world = world();
    let reply = serve(&world, "sync-write-batch.json").await;
    let statuses: Vec<_> = reply.body["answers"].as_array().unwrap().iter().map(|a| a["status_code"].clone()).collect();
    assert_eq!((reply.status, statuses), (200, vec![json!(200), json!(400), json!(200), json!(200)]));
    assert_eq!(reply.body["answers"][1]["answer"]["errors"][0]["field"], json!("writes[1].id"));
    assert_eq!(record(&world, SideIx::Second, "B-1")["limit"], json!(6000), "the second write of B-1 came second");
}

#[tokio::test]
async fn mistakes_are_problems_that_name_what_is_wrong() {
    let world = world();
    for (name, status, code) in [
        ("sync-write-malformed.json", 400, "invalid_request"),
        ("sync-write-wrong-content-type.json", 415, "unsupported_media_type"),
        ("sync-write-unknown-map.json", 404, "map_not_found"),
        ("sync-write-wrong-method.json", 405, "method_not_allowed"),
        ("sync-write-look-up.json", 404, "write_not_found"),
    ] {
        let reply = serve(&world, name).await;
        assert_eq!((reply.status, &reply.body["code"]), (status, &json!(code)), "{name}");
    }
    assert!(world.lanes.heads().is_empty(), "nothing was kept");
}
