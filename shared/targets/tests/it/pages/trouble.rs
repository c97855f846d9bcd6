//! Answers that are no page, and sign-ins that are refused.

use app::ports::{Apps, PageError, PageRequest};
use domain::{
    failure::{CallEffect, ErrorClass},
    listing::Cursor,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::json;
use std::io::Write;

use super::{accounts, keys, page};
use crate::{
    server::{Reply, Server, answer},
    setup::{Store, connectors, side, sort},
};

#[tokio::test]
async fn what_the_app_itself_did_not_say_is_no_page() {
    let html_with = |body: &str| Reply::Answer(200, vec![("Content-Type", "text/html".to_owned())], body.to_owned());
    for (reply, class) in [
        (html_with("<html>"), ErrorClass::OtherHttp),
        (html_with("{\"value\": []}"), ErrorClass::OtherHttp),
        (answer(200, "<!doctype html>"), ErrorClass::OtherHttp),
        (answer(200, ""), ErrorClass::OtherHttp),
        (answer(200, "{\"value\": [{}"), ErrorClass::OtherHttp),
        (answer(200, json!({"value": {}})), ErrorClass::OtherHttp),
        (answer(200, json!({"items": []})), ErrorClass::OtherHttp),
        (answer(200, json!([])), ErrorClass::OtherHttp),
        (answer(200, json!({"value": [], "error": {"code": "x", "message": "half way"}})), ErrorClass::OtherHttp),
        (answer(202, json!({"value": []})), ErrorClass::OtherHttp),
        (answer(204, ""), ErrorClass::OtherHttp),
        (answer(302, ""), ErrorClass::OtherHttp),
        (answer(503, json!({})), ErrorClass::Unavailable),
        (answer(400, json!({"error": {"code": "x", "message": "no such field"}})), ErrorClass::Application),
        (Reply::Close, ErrorClass::Network),
    ] {
        let told = format!("{reply:?}");
        let server = Server::start(move |_| reply.clone()).await;
        let failed = page(&side("odata", &server.url(), json!({})), &accounts(), None, 9).await.unwrap_err();
        assert!(matches!(failed, PageError::Failed(_)), "{told}: {failed:?}");
        assert_eq!(failed.failure().class, class, "{told}");
        assert_ne!(failed.failure().effect, CallEffect::Unknown, "{told}");
    }
}

#[tokio::test]
async fn a_forgotten_cursor_is_told_from_a_router_and_from_a_refusal_of_the_first_page() {
    let cursor: Cursor = serde_json::from_value(json!("link:accounts?$skiptoken=1")).unwrap();
    let error = || json!({"error": {"code": "0x80060888", "message": "Malformed paging cookie"}}).to_string();
    for (status, body, cursor, is_expired) in [
        (410, error(), Some(&cursor), true),
        (410, String::new(), Some(&cursor), true),
        (404, error(), Some(&cursor), true),
        (400, error(), Some(&cursor), true),
        (400, error(), None, false),
        (404, "<html>".to_owned(), Some(&cursor), false),
        (404, String::new(), Some(&cursor), false),
        (403, error(), Some(&cursor), false),
    ] {
        let told = format!("{status} {body} {cursor:?}");
        let server = Server::start(move |_| answer(status, &body)).await;
        let failed = page(&side("odata", &server.url(), json!({})), &accounts(), cursor, 9).await.unwrap_err();
        assert_eq!(matches!(failed, PageError::CursorExpired(_)), is_expired, "{told}: {failed:?}");
    }
    // What Tandem counts itself does not expire: the list would begin anew for ever.
    let server = Server::start(|_| answer(400, json!({"error": "offset too large"}))).await;
    let side = side("rest", &server.url(), json!({"list": {"next": {"by": "offset", "parameter": "offset"}}}));
    let cursor = serde_json::from_value(json!("offset:100000")).unwrap();
    assert!(matches!(page(&side, &accounts(), Some(&cursor), 9).await, Err(PageError::Failed(_))));
    let other = serde_json::from_value(json!("token:x")).unwrap();
    assert!(matches!(page(&side, &accounts(), Some(&other), 9).await, Err(PageError::CursorExpired(_))));
}

#[tokio::test]
async fn a_page_that_is_too_large_is_told_so_that_fewer_rows_are_asked_for() {
    let long = format!(r#"{{"value": ["{}"]}}"#, "x".repeat(17_000_000));
    let many = format!(r#"{{"value": [0{}]}}"#, ", 0".repeat(10_000));
    let server = Server::start(move |seen| match seen.header("prefer") {
        Some("odata.maxpagesize=2") => answer(200, &long),
        _ => answer(200, &many),
    })
    .await;
    let side = side("odata", &server.url(), json!({}));
    for size in [2, 3] {
        let failed = page(&side, &accounts(), None, size).await.unwrap_err();
        assert!(matches!(failed, PageError::TooLarge(_)), "{failed:?}");
        assert_eq!(sort(failed.failure()), (ErrorClass::OtherHttp, CallEffect::NotApplied));
    }
}

#[tokio::test]
async fn a_compressed_page_in_another_character_set_is_read_and_a_bomb_is_not() {
    let zipped = |bytes: &[u8]| {
        let mut zip = GzEncoder::new(Vec::new(), Compression::best());
        zip.write_all(bytes).unwrap();
        zip.finish().unwrap()
    };
    let headers = || {
        vec![("Content-Encoding", "gzip".to_owned()), ("Content-Type", "application/json; charset=latin1".to_owned())]
    };
    let page_body = zipped(b"{\"value\": [{\"accountnumber\": \"Zo\xeb\"}]}");
    let bomb = zipped(&vec![b' '; 17 * 1024 * 1024]);
    for (body, wanted) in [(page_body, Some("Zoë")), (bomb, None)] {
        let server = Server::start(move |_| Reply::Bytes(200, headers(), body.clone())).await;
        let read = page(&side("odata", &server.url(), json!({})), &accounts(), None, 9).await;
        match wanted {
            Some(key) => assert_eq!(keys(&read.unwrap()), [key]),
            None => assert!(matches!(read, Err(PageError::TooLarge(_)))),
        }
    }
}

#[tokio::test]
async fn pages_are_read_with_the_sign_in_for_copies_which_is_renewed_once() {
    let server = Server::start(|seen| match seen.header("x-copy") {
        Some("new") => answer(200, json!({"value": [{"accountnumber": "C-1"}]})),
        _ => answer(401, ""),
    })
    .await;
    let auth = |header: &str| json!({"kind": "api_key", "header": header, "secret": "ssm:/key"});
    let side = side("odata", &server.url(), json!({"auth": auth("x-live"), "copy_auth": auth("x-copy")}));
    let apps = connectors(Store::with(&["old", "new"]));
    let first = PageRequest { cursor: None, size: 9 };
    assert_eq!(keys(&apps.read_page(&side, &accounts(), &first).await.unwrap()), ["C-1"]);
    let seen = server.seen();
    assert_eq!(seen.iter().map(|seen| seen.header("x-copy")).collect::<Vec<_>>(), [Some("old"), Some("new")]);
    assert!(seen.iter().all(|seen| seen.header("x-live").is_none()));
    let wrong = connectors(Store::with(&["old"]));
    let failed = wrong.read_page(&side, &accounts(), &first).await.unwrap_err();
    assert_eq!((failed.failure().class, server.seen().len()), (ErrorClass::Auth, 4));
}
