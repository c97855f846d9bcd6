//! What is sent, and what a success is.

use app::ports::{Applied, Apps};
use domain::failure::{CallEffect, ErrorClass};
use serde_json::json;

use crate::{
    server::{Reply, Server, answer, tagged},
    setup::{delete, key, local, side, sort, upsert},
};

#[tokio::test]
async fn an_odata_upsert_is_a_patch_of_the_image_with_its_nulls() {
    let server = Server::start(|_| tagged(204, "W/\"8\"", "")).await;
    let call = upsert(json!({"name": "Müller", "phone": null}));
    let applied = local().write(&side("odata", &server.url(), json!({})), &call).await.unwrap();
    assert_eq!(applied, Applied { etag: Some("W/\"8\"".to_owned()) });

    let seen = server.only();
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PATCH", "/data/accounts('C-1')"));
    assert_eq!(seen.json(), json!({"name": "Müller", "phone": null}));
    for (name, wanted) in [
        ("idempotency-key", "00000000000000000000000001"),
        ("tandem-version", "1795428000000.7"),
        ("odata-version", "4.0"),
        ("odata-maxversion", "4.0"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("prefer", "return=minimal"),
        ("user-agent", concat!("tandem/", env!("CARGO_PKG_VERSION"))),
    ] {
        assert_eq!(seen.header(name), Some(wanted), "{name}");
    }
    for absent in ["if-match", "if-none-match", "authorization"] {
        assert_eq!(seen.header(absent), None, "{absent}");
    }
}

#[tokio::test]
async fn a_rest_upsert_is_a_put_of_the_whole_resource_with_its_key() {
    let server = Server::start(|_| answer(200, "{}")).await;
    let call = upsert(json!({"name": "x", "phone": null}));
    let applied = local().write(&side("http", &server.url(), json!({})), &call).await.unwrap();
    assert_eq!(applied.etag, None);

    let seen = server.only();
    assert_eq!((seen.method.as_str(), seen.path.as_str()), ("PUT", "/data/accounts/C-1"));
    assert_eq!(seen.json(), json!({"accountnumber": "C-1", "name": "x", "phone": null}));
    assert_eq!(seen.header("idempotency-key"), Some("00000000000000000000000001"));
    assert_eq!(seen.header("tandem-version"), Some("1795428000000.7"));
    assert_eq!(seen.header("odata-version"), None);
}

#[tokio::test]
async fn an_etag_is_sent_to_versioned_sides_only() {
    let server = Server::start(|_| answer(204, "")).await;
    for capability in ["idempotent", "plain"] {
        let call = app::ports::Call { etag: Some("\"1\"".to_owned()), ..upsert(json!({})) };
        local().write(&side("odata", &server.url(), json!({"capability": capability})), &call).await.unwrap();
    }
    assert!(server.seen().iter().all(|seen| seen.header("if-match").is_none()));
}

#[tokio::test]
async fn deleting_what_is_not_there_is_a_success() {
    for kind in ["odata", "http"] {
        for status in [200, 204, 404, 410] {
            let server = Server::start(move |_| answer(status, "")).await;
            let applied = local().write(&side(kind, &server.url(), json!({})), &delete()).await;
            assert_eq!(applied, Ok(Applied::default()), "{kind} {status}");
            assert_eq!(server.only().method, "DELETE");
            assert_eq!(server.only().body, b"");
        }
    }
}

#[tokio::test]
async fn a_record_is_read_without_annotations_and_key() {
    let body = json!({"@odata.context": "x", "@odata.etag": "W/\"3\"", "accountnumber": "C-1", "name": "x",
        "revenue@odata.type": "#Decimal", "revenue": 1.5});
    let server = Server::start(move |_| answer(200, &body)).await;
    let side = side("odata", &server.url(), json!({"key_style": "named"}));
    let found = local().read(&side, "accounts", "accountnumber", &key("C-1")).await.unwrap().unwrap();
    assert_eq!(found.etag.as_deref(), Some("W/\"3\""));
    assert_eq!(json!(found.record), json!({"name": "x", "revenue": 1.5}));
    assert_eq!(server.only().path, "/data/accounts(accountnumber='C-1')");
    assert_eq!(server.only().header("odata-version"), Some("4.0"));
}

#[tokio::test]
async fn a_rest_record_is_read_as_it_is_with_the_etag_of_the_header() {
    let server = Server::start(|_| tagged(200, "\"9\"", json!({"accountnumber": "C-1", "e@mail": "x"}))).await;
    let side = side("http", &server.url(), json!({}));
    let found = local().read(&side, "accounts", "accountnumber", &key("C-1")).await.unwrap().unwrap();
    assert_eq!((found.etag.as_deref(), json!(found.record)), (Some("\"9\""), json!({"e@mail": "x"})));
}

#[tokio::test]
async fn a_record_that_is_not_there_is_none() {
    for status in [204, 404, 410] {
        let server = Server::start(move |_| answer(status, "")).await;
        let side = side("odata", &server.url(), json!({}));
        assert_eq!(local().read(&side, "accounts", "n", &key("C-1")).await, Ok(None), "{status}");
    }
}

#[tokio::test]
async fn a_probe_reads_at_most_one_record_and_takes_no_body() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/data/accounts?$top=1" | "/data/accounts?limit=1" | "/data/" => answer(200, "x".repeat(4_000_000)),
        _ => answer(404, ""),
    })
    .await;
    for kind in ["odata", "http"] {
        let side = side(kind, &server.url(), json!({}));
        assert_eq!(local().probe(&side, Some("accounts")).await, Ok(()));
        assert_eq!(local().probe(&side, None).await, Ok(()));
        assert!(local().probe(&side, Some("orders")).await.is_err());
    }
}

#[tokio::test]
async fn a_probe_tells_refusals_and_lets_rest_apps_have_no_list() {
    for (kind, status, entity, wanted) in [
        ("http", 405, Some("accounts"), None),
        ("http", 404, None, None),
        ("odata", 405, Some("accounts"), Some((ErrorClass::OtherHttp, CallEffect::Refused))),
        ("odata", 404, None, Some((ErrorClass::OtherHttp, CallEffect::Refused))),
        ("http", 401, None, Some((ErrorClass::Auth, CallEffect::NotApplied))),
        ("http", 503, None, Some((ErrorClass::Unavailable, CallEffect::NotApplied))),
    ] {
        let server = Server::start(move |_| Reply::Answer(status, Vec::new(), String::new())).await;
        let probed = local().probe(&side(kind, &server.url(), json!({})), entity).await;
        assert_eq!(probed.err().as_ref().map(sort), wanted, "{kind} {status} {entity:?}");
    }
}
