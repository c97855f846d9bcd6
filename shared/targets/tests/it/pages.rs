//! Reading an entity page by page.

use domain::failure::{CallEffect, ErrorClass};
use serde_json::json;

use crate::{
    server::{Server, answer},
    setup::{local, side, sort},
};

#[tokio::test]
async fn pages_are_followed_to_the_last() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/data/accounts" => answer(
            200,
            json!({"value": [{"accountnumber": "C-1", "@odata.etag": "W/\"1\""}, {"accountnumber": "C-2"}],
                "@odata.nextLink": "accounts?$skiptoken=2"}),
        ),
        "/data/accounts?$skiptoken=2" => answer(200, json!({"value": [{"accountnumber": "C-3"}]})),
        _ => answer(404, ""),
    })
    .await;
    let (apps, side) = (local(), side("odata", &server.url(), json!({})));
    let first = apps.page(&side, "accounts", None).await.unwrap();
    assert_eq!(first.records[0].etag.as_deref(), Some("W/\"1\""));
    assert_eq!(json!(first.records[0].record), json!({"accountnumber": "C-1"}));
    let second = apps.page(&side, "accounts", first.next.as_deref()).await.unwrap();
    assert_eq!((first.records.len(), second.records.len(), second.next), (2, 1, None));
    assert_eq!(server.seen()[1].header("prefer"), Some("odata.maxpagesize=200"));
}

#[tokio::test]
async fn a_page_that_is_none_or_leads_away_is_refused_without_effect() {
    for (status, body, class) in [
        (200, json!({"value": [], "@odata.nextLink": "https://evil.test/data/accounts"}), ErrorClass::OtherHttp),
        (200, json!({"value": [], "@odata.nextLink": "../admin"}), ErrorClass::OtherHttp),
        (200, json!({"value": {}}), ErrorClass::OtherHttp),
        (200, json!({"value": [1]}), ErrorClass::OtherHttp),
        (200, json!([]), ErrorClass::OtherHttp),
        (503, json!({}), ErrorClass::Unavailable),
    ] {
        let server = Server::start(move |_| answer(status, &body)).await;
        let failure = local().page(&side("odata", &server.url(), json!({})), "accounts", None).await.unwrap_err();
        assert_eq!(sort(&failure), (class, CallEffect::NotApplied));
    }
}

#[tokio::test]
async fn a_forged_continuation_is_not_followed() {
    let server = Server::start(|_| answer(200, json!({"value": []}))).await;
    let side_ = side("odata", &server.url(), json!({}));
    for link in ["http://169.254.169.254/", "/admin", "http://127.0.0.1:1/data/accounts"] {
        assert!(local().page(&side_, "accounts", Some(link)).await.is_err(), "{link}");
    }
    assert!(local().page(&side("http", &server.url(), json!({})), "accounts", None).await.is_err());
    assert_eq!(server.connections(), 0);
}
