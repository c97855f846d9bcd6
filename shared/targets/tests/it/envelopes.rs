//! Bodies that have the record in a member: `{"data": {…}}`.

use app::ports::{Apps, Call};
use serde_json::{Value, json};

use crate::{
    server::{Server, answer},
    setup::{address, local, side, upsert},
};

fn side_of(server: &Server, pointer: &str, more: Value) -> domain::side::Side {
    let mut all = json!({"envelope": pointer});
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let side = side("rest", &server.url(), all);
    assert_eq!(side.config.mistakes(), []);
    side
}

#[tokio::test]
async fn the_record_goes_out_and_comes_back_in_the_envelope() {
    for pointer in ["/data", "/data/a~1b"] {
        let wrap = move |record: Value| match pointer {
            "/data" => json!({"data": record, "meta": {"name": "not this one"}}),
            _ => json!({"data": {"a/b": record}}),
        };
        let server = Server::start(move |seen| match (seen.method.as_str(), seen.path.contains("C-2")) {
            ("PATCH", false) => answer(404, json!({"message": "none"})),
            ("GET", _) => answer(200, wrap(json!({"accountnumber": "C-1", "name": "old", "own": 1}))),
            ("POST", _) => answer(201, "{}"),
            _ => answer(200, "{}"),
        })
        .await;
        local().write(&side_of(&server, pointer, json!({})), &upsert(json!({"name": "x"}))).await.unwrap();
        let whole = side_of(&server, pointer, json!({"update": "put"}));
        let found = local().read(&whole, &address("C-1")).await.unwrap().unwrap();
        assert_eq!(json!(found.record), json!({"name": "old", "own": 1}));
        local().write(&whole, &upsert(json!({"name": "x"}))).await.unwrap();
        let sent = server.seen().into_iter().filter(|seen| !seen.body.is_empty());
        let bodies: Vec<_> = sent.map(|seen| (seen.method.clone(), seen.json())).collect();
        let inner =
            |record: Value| if pointer == "/data" { json!({"data": record}) } else { json!({"data": {"a/b": record}}) };
        assert_eq!(
            bodies,
            [
                ("PATCH".to_owned(), inner(json!({"name": "x"}))),
                ("POST".to_owned(), inner(json!({"accountnumber": "C-1", "name": "x"}))),
                ("PUT".to_owned(), inner(json!({"accountnumber": "C-1", "name": "x", "own": 1}))),
            ]
        );
    }
}

#[tokio::test]
async fn null_in_the_envelope_is_the_absence_of_a_record_and_a_missing_envelope_is_none() {
    let server = Server::start(|seen| match seen.path.rsplit('/').next().unwrap() {
        "null" => answer(200, json!({"data": null})),
        "denied" => answer(200, json!({"data": null, "success": false})),
        "bare" => answer(200, json!({"accountnumber": "bare"})),
        _ => answer(200, json!({"data": [{"accountnumber": "list"}]})),
    })
    .await;
    let side = side_of(&server, "/data", json!({}));
    assert_eq!(local().read(&side, &address("null")).await, Ok(None));
    for (key, says) in
        [("denied", "says that it failed"), ("bare", "no object at /data (connector.envelope)"), ("list", "no object")]
    {
        let failure = local().read(&side, &address(key)).await.unwrap_err();
        assert!(failure.message.contains(says), "{key}: {}", failure.message);
    }
    let gone = Call { record: address("null"), ..crate::setup::delete() };
    assert!(local().write(&side, &gone).await.is_ok());
}
