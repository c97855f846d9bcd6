//! Tokens by client credentials.

use std::sync::atomic::{AtomicUsize, Ordering};

use app::ports::Apps;
use domain::{
    failure::{CallEffect, ErrorClass},
    side::Side,
};
use serde_json::json;

use crate::{
    server::{Reply, Seen, Server, answer},
    setup::{Store, connectors, delete, side, sort},
};

fn oauth(server: &Server) -> Side {
    let auth = json!({"kind": "oauth2", "token_url": format!("http://127.0.0.1:{}/token", server.port),
        "client_id": "tandem & co", "secret": "ssm:/key", "scope": "https://org.example/.default"});
    side("odata", &server.url(), json!({"auth": auth}))
}

/// An issuer of tokens `t1`, `t2`, … and an app that takes those that `accepts` names.
async fn issuer(expires_in: u64, accepts: impl Fn(&str) -> bool + Send + Sync + 'static) -> Server {
    let issued = AtomicUsize::new(0);
    Server::start(move |seen: &Seen| match seen.path.as_str() {
        "/token" => {
            let number = issued.fetch_add(1, Ordering::Relaxed) + 1;
            answer(200, json!({"token_type": "Bearer", "access_token": format!("t{number}"), "expires_in": expires_in}))
        }
        _ if seen.header("authorization").is_some_and(&accepts) => answer(204, ""),
        _ => answer(401, ""),
    })
    .await
}

fn asked(server: &Server) -> usize {
    server.seen().iter().filter(|seen| seen.path == "/token").count()
}

#[tokio::test]
async fn a_token_is_asked_for_once_however_many_calls_need_it() {
    let server = issuer(3_600, |sent| sent == "Bearer t1").await;
    let (apps, side) = (connectors(Store::with(&["s3cret"])), oauth(&server));
    let call = delete();
    let (a, b, c) = tokio::join!(apps.write(&side, &call), apps.write(&side, &call), apps.write(&side, &call));
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    apps.write(&side, &call).await.unwrap();
    assert_eq!((asked(&server), server.seen().len()), (1, 5));

    let request = &server.seen()[0];
    assert_eq!(request.header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(request.header("authorization"), None);
    assert_eq!(
        request.text(),
        "grant_type=client_credentials&client_id=tandem+%26+co&client_secret=s3cret\
         &scope=https%3A%2F%2Forg.example%2F.default"
    );
}

#[tokio::test]
async fn a_token_about_to_expire_is_not_used_again() {
    let server = issuer(30, |_| true).await;
    let (apps, side) = (connectors(Store::with(&["s3cret"])), oauth(&server));
    apps.write(&side, &delete()).await.unwrap();
    apps.write(&side, &delete()).await.unwrap();
    assert_eq!(asked(&server), 2);
}

#[tokio::test]
async fn a_token_that_the_app_refuses_is_renewed_once() {
    let server = issuer(3_600, |sent| sent != "Bearer t1").await;
    let (apps, side) = (connectors(Store::with(&["s3cret"])), oauth(&server));
    apps.write(&side, &delete()).await.unwrap();
    assert_eq!((asked(&server), server.seen().len()), (2, 4));

    let server = issuer(3_600, |_| false).await;
    let side = oauth(&server);
    for _ in 0..3 {
        let failure = apps.write(&side, &delete()).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::Auth, CallEffect::NotApplied));
    }
    assert_eq!(asked(&server), 2);
}

#[tokio::test]
async fn a_rotated_client_secret_is_read_anew() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/token" if seen.text().contains("client_secret=new-secret") => answer(200, json!({"access_token": "t"})),
        "/token" => answer(401, json!({"error": "invalid_client"})),
        _ => answer(204, ""),
    })
    .await;
    let store = Store::with(&["old-secret", "new-secret"]);
    connectors(store.clone()).write(&oauth(&server), &delete()).await.unwrap();
    assert_eq!((asked(&server), store.reads()), (2, 2));
}

#[tokio::test]
async fn without_a_token_nothing_is_sent_and_the_issuers_reason_is_told() {
    let told = json!({"error": "invalid_client", "error_description": "AADSTS7000215: `s3cret` is no client secret"});
    let wait = vec![("Retry-After", "3".to_owned())];
    for (reply, class, code, says) in [
        (answer(400, &told), ErrorClass::Auth, Some("invalid_client"), "no token: AADSTS7000215: `***` is no"),
        (answer(401, ""), ErrorClass::Auth, Some("401"), "no token: HTTP 401"),
        (answer(404, ""), ErrorClass::OtherHttp, Some("404"), "no token: HTTP 404"),
        (answer(500, ""), ErrorClass::OtherHttp, Some("500"), "no token: HTTP 500"),
        (Reply::Answer(503, wait, String::new()), ErrorClass::Unavailable, Some("503"), "no token: HTTP 503"),
        (answer(302, ""), ErrorClass::OtherHttp, Some("302"), "redirects are not followed"),
        (answer(200, "{}"), ErrorClass::Auth, None, "no access_token"),
        (answer(200, "<html>"), ErrorClass::OtherHttp, None, "no token: the answer is not JSON"),
        (answer(200, "x".repeat(100_000)), ErrorClass::OtherHttp, None, "longer than 65536 bytes"),
        (Reply::Close, ErrorClass::Network, None, "no token: the connection to 127.0.0.1"),
    ] {
        let given = reply.clone();
        let server = Server::start(move |_| given.clone()).await;
        let apps = connectors(Store::with(&["s3cret"]));
        let failure = apps.write(&oauth(&server), &delete()).await.unwrap_err();
        assert_eq!(sort(&failure), (class, CallEffect::NotApplied), "{reply:?}");
        assert_eq!(failure.code.as_deref(), code, "{reply:?}");
        assert!(failure.message.contains(says) && !failure.message.contains("s3cret"), "{failure:?}");
        assert!(server.seen().iter().all(|seen| seen.path == "/token"));
        assert_eq!(failure.retry_after_ms, (code == Some("503")).then_some(3_000));
    }
}

#[tokio::test]
async fn a_silent_issuer_ends_the_call_with_its_deadline() {
    let server = Server::start(|_| Reply::Silence).await;
    let mut side = oauth(&server);
    side.config.request_timeout_ms = 300;
    let failure = connectors(Store::with(&["s3cret"])).write(&side, &delete()).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::Timeout, CallEffect::NotApplied));
}
