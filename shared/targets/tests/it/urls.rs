//! Where a REST app has its entities and records, and in which media type it speaks: json-server, Django and datasette differ.

use app::ports::{Apps, Call, PageRequest};
use domain::{failure::CallEffect, listing::Listing};
use serde_json::json;

use crate::{
    server::{Reply, Server, answer},
    setup::{address, delete, local, side, upsert},
};

/// Django answers 301 to a URL without the slash at its end, and 500 to a change of it.
#[tokio::test]
async fn an_app_that_wants_a_slash_at_the_end_gets_it_with_every_call() {
    let server = Server::start(|seen| match (seen.method.as_str(), seen.path.split('?').next().unwrap()) {
        (_, path) if !path.ends_with('/') => Reply::Answer(301, vec![("Location", format!("{path}/"))], String::new()),
        ("PATCH", _) => answer(404, json!({"detail": "No account matches the given query."})),
        ("POST", _) => answer(201, "{}"),
        ("DELETE", _) => answer(204, ""),
        (_, "/data/accounts/") => answer(200, json!({"next": null, "results": [{"accountnumber": "A", "name": "x"}]})),
        _ => answer(200, json!({"accountnumber": "C-1", "name": "x"})),
    })
    .await;
    let more = json!({"entity_url": "{entity}/", "record_url": "{entity}/{key}/", "list": {"next": {"by": "link", "pointer": "/next"}}});
    let side = side("rest", &server.url(), more);
    assert!(side.config.mistakes().is_empty(), "{:?}", side.config.mistakes());
    let apps = local();
    apps.write(&side, &Call { record: address("Ü/1"), ..upsert(json!({"name": "x"})) }).await.unwrap();
    apps.write(&side, &delete()).await.unwrap();
    assert!(apps.read(&side, &address("C-1")).await.unwrap().is_some());
    let listing =
        Listing { entity: "accounts".to_owned(), key_field: "accountnumber".to_owned(), ..Listing::default() };
    let page = apps.read_page(&side, &listing, &PageRequest { cursor: None, size: 7 }).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (1, None));
    assert!(apps.sample(&side, "accounts").await.unwrap().is_some());
    apps.probe(&side, Some("accounts")).await.unwrap();
    let paths: Vec<_> = server.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(
        paths,
        [
            "/data/accounts/%C3%9C%2F1/",
            "/data/accounts/",
            "/data/accounts/C-1/",
            "/data/accounts/C-1/",
            "/data/accounts/?limit=7",
            "/data/accounts/?limit=1",
            "/data/accounts/?limit=1"
        ]
    );
}

#[tokio::test]
async fn a_redirect_to_a_slash_names_the_setting() {
    let redirect = |seen: &crate::server::Seen| {
        Reply::Answer(301, vec![("Location", format!("http://127.0.0.1:1{}/", seen.path))], String::new())
    };
    let server = Server::start(redirect).await;
    let failure = local().write(&side("rest", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
    assert!(failure.message.contains("`connector.record_url` to `{entity}/{key}/`"), "{}", failure.message);
    assert_eq!(failure.effect, CallEffect::NotApplied);
}

/// An app on Express ignores the body of a media type that it does not know, and answers 200: the change would be lost.
#[tokio::test]
async fn a_change_is_sent_as_json_unless_the_side_says_otherwise() {
    let seen = async |more: serde_json::Value| {
        let server = Server::start(|seen| match seen.method.as_str() {
            "PATCH" => answer(404, json!({"detail": "none"})),
            _ => answer(201, "{}"),
        })
        .await;
        let side = side("rest", &server.url(), more);
        local().write(&side, &upsert(json!({"name": "x"}))).await.unwrap();
        let header = |name: &str| server.seen().iter().map(|seen| seen.header(name).unwrap().to_owned()).collect();
        let (sent, wanted): (Vec<_>, Vec<_>) = (header("content-type"), header("accept"));
        (sent.join(" "), wanted.join(" "))
    };
    let (json, api) = ("application/json", "application/vnd.api+json");
    assert_eq!(seen(json!({})).await, (format!("{json} {json}"), format!("{json} {json}")));
    assert_eq!(seen(json!({"media_type": api})).await, (format!("{api} {api}"), format!("{api} {api}")));
    let merge = "application/merge-patch+json";
    assert_eq!(seen(json!({"patch_media_type": merge})).await.0, format!("{merge} {json}"));
    let server = Server::start(|_| answer(415, "")).await;
    let failure = local().write(&side("rest", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
    assert!(failure.message.contains("connector.patch_media_type"), "{}", failure.message);
}

/// simple-odata-server answers 204 to the change of a record that is not there, and an empty list to its reading.
#[tokio::test]
async fn an_app_that_takes_any_change_is_looked_at_first() {
    let server = Server::start(|seen| match (seen.method.as_str(), seen.path.contains("C-2")) {
        ("GET", false) => answer(200, json!({"@odata.context": "x", "value": []})),
        ("GET", true) => answer(200, json!({"@odata.context": "x", "accountnumber": "C-2", "name": "old"})),
        ("POST", _) => answer(201, json!({"@odata.context": "x"})),
        _ => answer(204, ""),
    })
    .await;
    let usual = json!({"looks_first": null, "create": null, "capability": "plain"});
    let side = side("odata", &server.url(), usual); // an app of which nothing is known
    assert_eq!(side.config.requests_per_write(), 3);
    assert_eq!(local().read(&side, &address("C-1")).await, Ok(None));
    local().write(&side, &upsert(json!({"name": "x"}))).await.unwrap();
    local().write(&side, &Call { record: address("C-2"), ..upsert(json!({"name": "x"})) }).await.unwrap();
    assert_eq!(server.methods(), ["GET", "GET", "POST", "GET", "PATCH"]);
    for body in ["null", "[]", r#"{"value": []}"#, r#"{"@odata.context": "x", "value": [{}]}"#] {
        let server = Server::start(move |_| answer(200, body)).await;
        assert!(local().read(&self::side("rest", &server.url(), json!({})), &address("C-1")).await.is_err(), "{body}");
    }
}
