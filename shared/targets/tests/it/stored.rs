//! What an app answers that it has stored.

use app::ports::{Applied, Apps, Call};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Server, answer, no_such_record, tagged},
    setup::{address, delete, local, side, upsert},
};

/// What a write returns, and the wish that was sent with it.
async fn written(reply: Reply, more: Value, call: &Call) -> (Applied, Option<String>) {
    let server = Server::start(move |_| reply.clone()).await;
    let applied = local().write(&side("odata", &server.url(), more), call).await.unwrap();
    (applied, server.only().header("prefer").map(str::to_owned))
}

fn wants() -> Value {
    json!({"wants_stored_record": true})
}

fn tidied() -> Value {
    json!({"@odata.context": "x", "@odata.etag": "W/\"2\"", "accountnumber": "C-1", "name": "ADA", "own": 1})
}

#[tokio::test]
async fn the_stored_record_comes_back_without_key_and_annotations_if_the_side_wants_it() {
    let (applied, wish) = written(answer(200, tidied()), wants(), &upsert(json!({"name": "ada"}))).await;
    assert_eq!(json!(applied.stored), json!({"name": "ADA", "own": 1}));
    assert_eq!((applied.etag.as_deref(), wish.as_deref()), (Some("W/\"2\""), Some("return=representation")));
    let (applied, wish) = written(answer(200, tidied()), json!({}), &upsert(json!({"name": "ada"}))).await;
    assert_eq!((applied.stored, wish.as_deref()), (None, Some("return=minimal")));
}

#[tokio::test]
async fn a_fixed_part_of_the_key_is_no_field() {
    let mut record = address("C-1");
    record.fixed_key.insert("company".to_owned(), json!("us"));
    let reply = answer(201, json!({"@odata.context": "x", "accountnumber": "C-1", "company": "us", "name": "ADA"}));
    let (applied, _) = written(reply, wants(), &Call { record, ..upsert(json!({})) }).await;
    assert_eq!(json!(applied.stored), json!({"name": "ADA"}));
}

/// The write stands: what came with it is just not the record.
#[tokio::test]
async fn an_answer_that_is_not_the_record_is_no_stored_record_and_no_failure() {
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    for reply in [
        answer(204, ""),
        answer(201, "created"),
        answer(201, "[]"),
        answer(200, json!({"@odata.context": "x", "name": "ADA"})),
        answer(201, format!("{{\"accountnumber\": \"C-1\", \"deep\": {deep}}}")),
        Reply::Bytes(201, Vec::new(), b"{\"accountnumber\": \"C-1\", \"name\": \"Zo\xeb\"}".to_vec()),
    ] {
        assert_eq!(written(reply.clone(), wants(), &upsert(json!({}))).await.0.stored, None, "{reply:?}");
    }
    assert_eq!(written(answer(204, ""), wants(), &delete()).await.0, Applied::default());
}

#[tokio::test]
async fn a_record_that_was_made_or_found_as_wanted_comes_back_too() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "POST" => answer(201, tidied()),
        _ => no_such_record(404),
    })
    .await;
    let posts = side("odata", &server.url(), json!({"wants_stored_record": true, "create": "post"}));
    let applied = local().write(&posts, &upsert(json!({"name": "ada"}))).await.unwrap();
    assert_eq!(json!(applied.stored), json!({"name": "ADA", "own": 1}));

    let server = Server::start(|_| tagged(200, "W/\"2\"", tidied())).await;
    let versioned = side("odata", &server.url(), json!({"wants_stored_record": true, "capability": "versioned"}));
    let applied = local().write(&versioned, &upsert(json!({"name": "ADA"}))).await.unwrap();
    assert_eq!(json!(applied.stored), json!({"name": "ADA", "own": 1}));
    assert_eq!(server.methods(), ["GET"], "it was as wanted");
}
