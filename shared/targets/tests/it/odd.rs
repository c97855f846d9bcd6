//! Answers and keys that are odd in ways that real servers are, beyond those that other tests name.

use app::ports::{Apps, Call};
use domain::failure::{CallEffect, ErrorClass};
use serde_json::json;

use crate::{
    server::{Reply, Server, answer},
    setup::{address, delete, local, side, sort, upsert},
};

fn chunked(status: &str, kind: &str, chunks: &str) -> Reply {
    Reply::Raw(
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}").leak(),
    )
}

/// A body that breaks off between two chunks is no shorter record, and no list with fewer words.
#[tokio::test]
async fn a_chunked_record_that_breaks_off_is_no_record() {
    for kind in ["odata", "http"] {
        // What has arrived would be a whole object. Without the last chunk, nobody knows that it is all.
        for chunks in ["d\r\n{\"name\": \"x\"}\r\n", "d\r\n{\"name\": \"x\"}\r\nzz\r\n", "ff\r\n{\"name\": \"x\"}"] {
            let reply = chunked("200 OK", "application/json", chunks);
            let server = Server::start(move |_| reply.clone()).await;
            let read = local().read(&side(kind, &server.url(), json!({})), &address("C-1")).await;
            let failure = read.expect_err("it is not whole");
            assert_eq!(sort(&failure), (ErrorClass::Network, CallEffect::NotApplied), "{kind} {chunks:?}: {failure:?}");
        }
    }
}

#[tokio::test]
async fn a_read_that_gets_no_plain_answer_is_no_record_and_no_absence() {
    let html = |status| Reply::Answer(status, vec![("Content-Type", "text/html".to_owned())], "<p>x</p>".to_owned());
    let record = json!({"accountnumber": "C-1", "name": "x"});
    let replies = [
        answer(200, ""),
        answer(200, "null"),
        answer(200, "\"C-1\""),
        answer(200, "{\"name\": \"\\ud800\"}"),
        answer(201, ""),
        answer(203, &record),
        answer(206, &record),
        answer(207, "<?xml version=\"1.0\"?><multistatus/>"),
        answer(300, "{}"),
        Reply::Answer(302, vec![("Location", "/login".to_owned())], String::new()),
        Reply::Answer(303, vec![("Location", "/login".to_owned())], String::new()),
        answer(304, ""),
        answer(307, ""),
        html(203),
        html(403),
        html(404),
        html(503),
    ];
    for kind in ["odata", "http"] {
        for reply in &replies {
            let told = reply.clone();
            let server = Server::start(move |_| told.clone()).await;
            let read = local().read(&side(kind, &server.url(), json!({})), &address("C-1")).await;
            let failure = read.err().unwrap_or_else(|| panic!("a record, or none: {kind} {reply:?}"));
            assert_eq!(failure.effect, CallEffect::NotApplied, "{kind} {reply:?}: {failure:?}");
        }
    }
}

/// Neither a success of the app nor its refusal.
#[tokio::test]
async fn a_write_that_gets_no_plain_answer_is_in_doubt() {
    let typed = |status, kind: &str, body: &str| {
        Reply::Answer(status, vec![("Content-Type", kind.to_owned())], body.to_owned())
    };
    for kind in ["odata", "http"] {
        for reply in [
            typed(200, "text/html; charset=utf-8", ""),
            typed(200, "application/xhtml+xml", "<html/>"),
            typed(200, "TEXT/HTML", "<p>x</p>"),
            typed(200, "application/json", "  \n<!-- x --><html></html>"),
            typed(200, "application/json; charset=utf-8", "<p>Please sign in</p>"),
            typed(200, "text/plain", "<!-- x --><html></html>"),
            typed(200, "application/json", "\u{feff}<!doctype html>"),
            typed(200, "application/json", r#"{"error": "no"}"#),
            typed(200, "application/json", r#"{"Success": false, "Message": "no"}"#),
            typed(200, "application/json", r#"{"isSuccess": false}"#),
            typed(200, "application/json", r#"{"ok": false}"#),
            typed(207, "application/json", "{}"),
            typed(208, "application/json", "{}"),
            typed(226, "application/json", "{}"),
            typed(299, "application/json", "{}"),
        ] {
            let told = reply.clone();
            let server = Server::start(move |_| told.clone()).await;
            for call in [upsert(json!({"n": 1})), delete()] {
                let written = local().write(&side(kind, &server.url(), json!({})), &call).await;
                let failure = written.err().unwrap_or_else(|| panic!("taken for done: {kind} {reply:?}"));
                assert_eq!(failure.effect, CallEffect::Unknown, "{kind} {reply:?}: {failure:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_record_may_have_a_field_called_success() {
    let stored = json!({"@odata.context": "x", "accountnumber": "C-1", "Success": false});
    let server = Server::start(move |_| answer(200, &stored)).await;
    local().write(&side("odata", &server.url(), json!({})), &upsert(json!({"Success": false}))).await.unwrap();
}

#[tokio::test]
async fn an_app_that_wants_a_tag_is_told_the_setting_that_sends_one() {
    let server = Server::start(|_| answer(428, "")).await;
    let failure = local().write(&side("odata", &server.url(), json!({})), &upsert(json!({"n": 1}))).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::OtherHttp, CallEffect::NotApplied), "nobody is rolled back");
    assert!(failure.message.contains("capability to `versioned`"), "{failure:?}");
}

#[tokio::test]
async fn a_204_with_a_body_is_done_and_the_next_call_is_not_disturbed() {
    let server = Server::start(|_| Reply::Raw("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n{}")).await;
    let (apps, side) = (local(), side("odata", &server.url(), json!({})));
    for _ in 0..3 {
        apps.write(&side, &upsert(json!({"n": 1}))).await.unwrap();
    }
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn keys_that_others_take_for_paths_numbers_or_nothing_arrive_as_they_are() {
    let server = Server::start(|_| answer(204, "")).await;
    for (text, path) in [
        ("...", "..."),
        (".. ", "..%20"),
        ("00012", "00012"),
        ("1E5", "1E5"),
        ("-0", "-0"),
        ("%00", "%2500"),
        ("%2e%2e", "%252e%252e"),
        ("+", "%2B"),
        ("$batch", "%24batch"),
        ("null", "null"),
        ("a\\..\\b", "a%5C..%5Cb"),
        ("\u{202e}abc", "%E2%80%AEabc"), // right to left
        ("\u{feff}x", "%EF%BB%BFx"),
        ("\u{a0}x", "%C2%A0x"),
        ("e\u{301}", "e%CC%81"), // not composed
    ] {
        for (kind, wanted) in
            [("odata", format!("/data/accounts('{path}')")), ("http", format!("/data/accounts/{path}"))]
        {
            let call = Call { record: address(text), ..upsert(json!({"n": 1})) };
            local().write(&side(kind, &server.url(), json!({})), &call).await.unwrap();
            assert_eq!(server.seen().pop().unwrap().path, wanted, "{text:?}");
        }
    }
}
