//! Answers that are too long or no JSON.

use app::ports::Apps;
use domain::failure::{CallEffect, ErrorClass};
use serde_json::json;

use crate::{
    server::{Reply, Server, answer},
    setup::{address, local, side, sort, upsert},
};

#[tokio::test]
async fn a_record_that_cannot_be_read_is_a_failure_without_effect() {
    for (body, says) in [
        ("{\"name\": \"cut o".to_owned(), "is not JSON"),
        ("<html>login</html>".to_owned(), "is not JSON"),
        ("[]".to_owned(), "no JSON object"),
        (String::new(), "is not JSON"),
        (json!({"big": "x".repeat(1_100_000)}).to_string(), "longer than 1048576 bytes"),
    ] {
        let server = Server::start(move |_| answer(200, &body)).await;
        let side = side("odata", &server.url(), json!({}));
        let failure = local().read(&side, &address("C-1")).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::OtherHttp, CallEffect::NotApplied));
        assert!(failure.message.contains(says) && !failure.message.contains("cut"), "{failure:?}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let endless: &'static str = format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(3 * 1024 * 1024)).leak(); // no length told
    let server = Server::start(move |_| Reply::Raw(endless)).await;
    let side = side("http", &server.url(), json!({}));
    let failure = local().read(&side, &address("C-1")).await.unwrap_err();
    assert!(failure.message.contains("longer than"), "{failure:?}");
}

#[tokio::test]
async fn a_write_stands_whatever_its_answer_contains() {
    for body in ["x".repeat(3_000_000), "no JSON".to_owned()] {
        let server = Server::start(move |_| answer(200, &body)).await;
        let applied = local().write(&side("http", &server.url(), json!({})), &upsert(json!({}))).await.unwrap();
        assert_eq!(applied.etag, None);
    }
}

#[tokio::test]
async fn of_a_huge_error_body_only_the_status_is_taken_and_a_long_message_is_shortened() {
    for (length, wanted) in [(100_000, "HTTP 400 Bad Request"), (5_000, "xxxxxx")] {
        let body = json!({"error": {"code": "E", "message": "x".repeat(length)}});
        let server = Server::start(move |_| answer(400, &body)).await;
        let side = side("odata", &server.url(), json!({}));
        let failure = local().write(&side, &upsert(json!({}))).await.unwrap_err();
        assert!(failure.message.starts_with(wanted) && failure.message.chars().count() <= 500, "{failure:?}");
    }
}
