//! Every way a call can end, and what is made of it.

use std::time::Duration;

use app::ports::Apps;
use domain::failure::{
    CallEffect::{self, *},
    ErrorClass::{self, *},
};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::{
    server::{Reply, Server, answer},
    setup::{address, delete, local, side, sort, upsert},
};

/// A side whose patience ends soon, for what would never end: asserted is the class, not the time.
fn hasty(what: &str) -> Value {
    json!({what: 300})
}

#[tokio::test]
async fn every_answer_has_its_class_verdict_code_and_message() {
    let odata = json!({"error": {"code": "0x1", "message": "Name is missing."}});
    let problem = json!({"type": "about:blank", "title": "Bad Request"});
    let cases: Vec<(u16, String, ErrorClass, CallEffect, &str, &str)> = vec![
        (400, odata.to_string(), Application, Refused, "0x1", "Name is missing."),
        (400, problem.to_string(), BadRequest, Refused, "400", "Bad Request"),
        (
            400,
            "<html>no</html>".to_owned(),
            BadRequest,
            Refused,
            "400",
            "HTTP 400 Bad Request: a web page, from a router or a proxy and not from the app",
        ),
        (401, String::new(), Auth, NotApplied, "401", "HTTP 401 Unauthorized"),
        (403, odata.to_string(), Auth, NotApplied, "0x1", "Name is missing."),
        (404, String::new(), OtherHttp, NotApplied, "404", "HTTP 404 Not Found"),
        (404, odata.to_string(), OtherHttp, Refused, "0x1", "Name is missing."),
        (404, json!({"message": "no Route"}).to_string(), OtherHttp, NotApplied, "404", "no Route"),
        (410, "gone".to_owned(), OtherHttp, NotApplied, "410", "HTTP 410 Gone"),
        (405, odata.to_string(), OtherHttp, Refused, "0x1", "Name is missing."),
        (407, String::new(), OtherHttp, NotApplied, "407", "HTTP 407 Proxy Authentication Required"),
        (408, String::new(), ErrorClass::Timeout, Unknown, "408", "HTTP 408 Request Timeout"),
        (
            404,
            "<html>no</html>".to_owned(),
            OtherHttp,
            NotApplied,
            "404",
            "HTTP 404 Not Found: a web page, from a router or a proxy and not from the app",
        ),
        (
            405,
            "<!doctype html>".to_owned(),
            OtherHttp,
            NotApplied,
            "405",
            "HTTP 405 Method Not Allowed: a web page, from a router or a proxy and not from the app",
        ),
        (409, String::new(), Conflict, NotApplied, "409", "HTTP 409 Conflict"),
        (409, odata.to_string(), Conflict, NotApplied, "0x1", "Name is missing."),
        (412, String::new(), Conflict, NotApplied, "412", "HTTP 412 Precondition Failed"),
        (413, String::new(), OtherHttp, Refused, "413", "HTTP 413 Payload Too Large"),
        (422, json!({"message": "no"}).to_string(), Application, Refused, "422", "no"),
        (429, String::new(), Throttled, NotApplied, "429", "HTTP 429 Too Many Requests"),
        (500, odata.to_string(), OtherHttp, Unknown, "0x1", "Name is missing."),
        (502, "<h1>nginx</h1>".to_owned(), Unavailable, Unknown, "502", "HTTP 502 Bad Gateway"),
        (503, String::new(), Unavailable, Unknown, "503", "HTTP 503 Service Unavailable"),
        (504, String::new(), Unavailable, Unknown, "504", "HTTP 504 Gateway Timeout"),
        (599, String::new(), OtherHttp, Unknown, "599", "HTTP 599 (no standard status)"),
    ];
    for (status, body, class, effect, code, message) in cases {
        let server = Server::start(move |_| answer(status, &body)).await;
        let failure = local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
        assert_eq!(sort(&failure), (class, effect), "{status}");
        assert_eq!((failure.code.as_deref(), failure.message.as_str()), (Some(code), message), "{status}");
        assert_eq!(server.seen().len(), 1, "{status}: nothing is repeated here");
    }
}

#[tokio::test]
async fn every_end_without_an_answer_has_its_class_and_verdict() {
    let cases = [
        (Reply::Close, Network, Unknown, "broke before the answer"),
        (Reply::Reset, Network, Unknown, "broke before the answer"),
        (Reply::Raw("SSH-2.0-OpenSSH_9\r\n"), Network, Unknown, "broke before the answer"),
        (Reply::Raw("HTTP/1.1 200 OK\r\nContent-Le"), Network, Unknown, "broke before the answer"),
        (Reply::Silence, ErrorClass::Timeout, Unknown, "no answer"),
    ];
    for (reply, class, effect, says) in cases {
        for kind in ["odata", "http"] {
            let told = reply.clone();
            let server = Server::start(move |_| told.clone()).await;
            let patience = if class == ErrorClass::Timeout { hasty("request_timeout_ms") } else { json!({}) };
            let side = side(kind, &server.url(), patience);
            let failure = local().write(&side, &upsert(json!({}))).await.unwrap_err();
            assert_eq!(sort(&failure), (class, effect), "{reply:?}");
            assert!(failure.message.contains(says), "{reply:?}: {failure:?}");
            assert!(failure.message.contains("127.0.0.1") && !failure.message.contains("C-1"), "{failure:?}");

            let failure = local().read(&side, &address("C-1")).await.unwrap_err();
            assert_eq!(sort(&failure), (class, NotApplied), "reading has no effect: {reply:?}");
            assert_eq!(server.seen().len(), 2, "{reply:?}: nothing is sent twice");
        }
    }
}

#[tokio::test]
async fn what_was_never_sent_was_not_applied() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = taken.local_addr().unwrap().port();
    let free = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let no_tls = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let plain = no_tls.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = no_tls.accept().await {
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    });
    let no_such_name = format!("http://{}.invalid/", "x".repeat(64)); // a label too long to be asked for
    for (base_url, patience, class, says) in [
        (format!("http://127.0.0.1:{free}/"), json!({}), Network, "no connection to 127.0.0.1"),
        (format!("https://127.0.0.1:{plain}/"), json!({}), Network, "no connection to 127.0.0.1"),
        (
            format!("https://127.0.0.1:{silent}/"),
            hasty("connect_timeout_ms"),
            ErrorClass::Timeout,
            "no connection to 127.0.0.1",
        ),
        (no_such_name, json!({}), Network, "no connection to xxx"),
    ] {
        let failure = local().write(&side("odata", &base_url, patience), &upsert(json!({}))).await.unwrap_err();
        assert_eq!(sort(&failure), (class, NotApplied), "{base_url}: {failure:?}");
        assert!(failure.message.contains(says), "{failure:?}");
        assert_eq!(failure.code, None);
    }
}

#[tokio::test]
async fn a_slow_answer_within_the_deadline_is_an_answer() {
    let server = Server::start(|_| Reply::Late(Duration::from_millis(200), Box::new(answer(204, "")))).await;
    assert!(local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.is_ok());
}

#[tokio::test]
async fn the_status_of_a_write_stands_when_its_body_breaks_off() {
    let half = |status: &str| -> &'static str {
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"error\"").leak()
    };
    let done = half("200 OK");
    let server = Server::start(move |_| Reply::Raw(done)).await;
    assert!(local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.is_ok());
    assert!(local().write(&side("odata", &server.url(), json!({})), &delete()).await.is_ok());

    let failed = half("503 Service Unavailable");
    let server = Server::start(move |_| Reply::Raw(failed)).await;
    let failure = local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
    assert_eq!((failure.class, failure.message.as_str()), (Unavailable, "HTTP 503 Service Unavailable"));

    let server = Server::start(move |_| Reply::Raw(done)).await;
    let failure = local().read(&side("odata", &server.url(), json!({})), &address("C-1")).await.unwrap_err();
    assert_eq!(sort(&failure), (Network, NotApplied));
}

#[tokio::test]
async fn the_app_says_how_long_to_wait() {
    let server = Server::start(|_| Reply::Answer(429, vec![("Retry-After", "7".to_owned())], String::new())).await;
    let failure = local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
    assert_eq!(failure.retry_after_ms, Some(7_000));
}

/// reqwest and hyper may resend on a connection that was reused. Not when the request had left.
#[tokio::test]
async fn a_write_on_a_reused_connection_that_breaks_is_not_sent_again() {
    for breaks in [Reply::Close, Reply::Reset] {
        let server = Server::start(move |seen| match seen.json()["n"].as_u64() {
            Some(2) => breaks.clone(),
            _ => answer(204, ""),
        })
        .await;
        let (apps, side) = (local(), side("odata", &server.url(), json!({"capability": "plain"})));
        apps.write(&side, &upsert(json!({"n": 1}))).await.unwrap();
        let failure = apps.write(&side, &upsert(json!({"n": 2}))).await.unwrap_err();
        assert_eq!(sort(&failure), (Network, Unknown));
        assert_eq!((server.seen().len(), server.connections()), (2, 1));
        apps.write(&side, &upsert(json!({"n": 3}))).await.unwrap();
        assert_eq!((server.seen().len(), server.connections()), (3, 2));
    }
}

#[tokio::test]
async fn a_connection_that_the_app_closed_while_idle_is_not_used_again() {
    let server = Server::start(|_| Reply::Raw("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let (apps, side) = (local(), side("odata", &server.url(), json!({})));
    for _ in 0..5 {
        apps.write(&side, &upsert(json!({}))).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!((server.seen().len(), server.connections()), (5, 5));
}

#[tokio::test]
async fn redirects_are_refused_and_not_followed() {
    let elsewhere = Server::start(|_| answer(200, "{}")).await;
    let to = elsewhere.url();
    let server = Server::start(move |_| Reply::Answer(307, vec![("Location", to.clone())], String::new())).await;
    let side = side("http", &server.url(), json!({}));
    let failure = local().write(&side, &upsert(json!({}))).await.unwrap_err();
    assert_eq!(sort(&failure), (OtherHttp, NotApplied));
    let says = "HTTP 307 Temporary Redirect: the app redirects to 127.0.0.1; redirects are not followed";
    assert!(failure.message.starts_with(says), "{}", failure.message);
    assert!(local().read(&side, &address("C-1")).await.is_err());
    assert_eq!(elsewhere.connections(), 0);
}
