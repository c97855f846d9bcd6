//! Keys and passwords: sent, renewed, and never shown.

use app::ports::Apps;
use domain::failure::{CallEffect, ErrorClass};
use serde_json::{Value, json};

use crate::{
    server::{Seen, Server, answer},
    setup::{Store, connectors, delete, local, side, sort, upsert},
};

fn api_key() -> Value {
    json!({"auth": {"kind": "api_key", "header": "X-Api-Key", "secret": "ssm:/key"}})
}

fn basic() -> Value {
    json!({"auth": {"kind": "basic", "user": "tandem", "secret": "ssm:/key"}})
}

/// Lets in whoever brings this key.
fn door(wanted: &'static str) -> impl Fn(&Seen) -> crate::server::Reply {
    move |seen| match seen.header("x-api-key") {
        Some(key) if key == wanted => answer(204, ""),
        key => answer(401, json!({"error": {"code": "no", "message": format!("{key:?} is wrong")}})),
    }
}

#[tokio::test]
async fn credentials_are_sent_and_read_once() {
    let server = Server::start(|_| answer(204, "")).await;
    let store = Store::with(&["pass:wörd\n"]);
    let apps = connectors(store.clone());
    for _ in 0..3 {
        apps.write(&side("odata", &server.url(), basic()), &delete()).await.unwrap();
    }
    let authorization = server.seen()[2].header("authorization").unwrap().to_owned();
    assert_eq!(authorization, "Basic dGFuZGVtOnBhc3M6d8O2cmQ=", "the line end of the shell is not part of it");
    assert_eq!(store.reads(), 1);
}

#[tokio::test]
async fn a_rotated_key_is_read_anew_when_the_app_refuses_the_old_one() {
    let server = Server::start(door("new-key")).await;
    let store = Store::with(&["old-key", "new-key"]);
    let apps = connectors(store.clone());
    let side = side("http", &server.url(), api_key());
    apps.write(&side, &upsert(json!({}))).await.unwrap();
    apps.write(&side, &upsert(json!({}))).await.unwrap();
    assert_eq!((server.seen().len(), store.reads()), (3, 2));
}

#[tokio::test]
async fn a_key_that_stays_refused_is_not_read_again_and_again() {
    let server = Server::start(door("another-key")).await;
    let store = Store::with(&["wrong-key"]);
    let apps = connectors(store.clone());
    for _ in 0..4 {
        let failure = apps.write(&side("http", &server.url(), api_key()), &upsert(json!({}))).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::Auth, CallEffect::NotApplied));
    }
    assert_eq!(store.reads(), 2, "once, and once more after the first refusal");
    assert_eq!(server.seen().len(), 5);
}

#[tokio::test]
async fn secrets_appear_neither_in_messages_nor_in_debug() {
    let server = Server::start(door("another-key")).await;
    let apps = connectors(Store::with(&["wrong-key"]));
    let failure = apps.write(&side("http", &server.url(), api_key()), &upsert(json!({}))).await.unwrap_err();
    assert_eq!(failure.message, "no: Some(\"***\") is wrong");
    let told = format!("{apps:?} {failure:?}");
    assert!(told.contains("***") && !told.contains("wrong-key"), "{told}");

    let echo = Server::start(|seen| answer(400, json!({"message": seen.header("authorization")}))).await;
    let failure = apps.write(&side("http", &echo.url(), basic()), &upsert(json!({}))).await.unwrap_err();
    assert_eq!(failure.message, "Basic ***");
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_or_sent_names_itself_and_nothing_is_sent() {
    let server = Server::start(|_| answer(204, "")).await;
    for (store, says) in [
        (Store::default(), "the secret ssm:/key cannot be read: there is no such parameter"),
        (Store::with(&["two\nlines"]), "characters no header takes"),
    ] {
        let side = side("http", &server.url(), api_key());
        let failure = connectors(store).write(&side, &upsert(json!({}))).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::Auth, CallEffect::NotApplied));
        assert!(failure.message.contains(says), "{failure:?}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn without_credentials_a_401_is_not_repeated() {
    let server = Server::start(|_| answer(401, "")).await;
    assert!(local().write(&side("http", &server.url(), json!({})), &delete()).await.is_err());
    assert_eq!(server.seen().len(), 1);
}
