//! What is sent, and what a success is.

use app::ports::{Applied, Apps};
use domain::failure::{CallEffect, ErrorClass};
use serde_json::json;

use crate::{
    server::{Reply, Server, answer, no_such_record, tagged},
    setup::{address, delete, local, side, sort, upsert, was_gone},
};

#[tokio::test]
async fn an_odata_upsert_is_a_patch_of_the_image_with_its_nulls() {
    let server = Server::start(|_| tagged(204, "W/\"8\"", "")).await;
    let call = upsert(json!({"name": "Müller", "phone": null}));
    let applied = local().write(&side("odata", &server.url(), json!({})), &call).await.unwrap();
    assert_eq!(applied, Applied { etag: Some("W/\"8\"".to_owned()), stored: None, unchanged: false });

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
        for (reply, applied) in [
            (answer(204, ""), Applied::default()),
            (no_such_record(404), was_gone()),
            (no_such_record(410), was_gone()),
        ] {
            let server = Server::start(move |_| reply.clone()).await;
            assert_eq!(local().write(&side(kind, &server.url(), json!({})), &delete()).await, Ok(applied), "{kind}");
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
    let found = local().read(&side, &address("C-1")).await.unwrap().unwrap();
    assert_eq!(found.etag.as_deref(), Some("W/\"3\""));
    assert_eq!(json!(found.record), json!({"name": "x", "revenue": 1.5}));
    assert_eq!(server.only().path, "/data/accounts(accountnumber='C-1')");
    assert_eq!(server.only().header("odata-version"), Some("4.0"));
}

#[tokio::test]
async fn a_rest_record_is_read_as_it_is_with_the_etag_of_the_header() {
    let server = Server::start(|_| tagged(200, "\"9\"", json!({"accountnumber": "C-1", "e@mail": "x"}))).await;
    let side = side("http", &server.url(), json!({}));
    let found = local().read(&side, &address("C-1")).await.unwrap().unwrap();
    assert_eq!((found.etag.as_deref(), json!(found.record)), (Some("\"9\""), json!({"e@mail": "x"})));
}

#[tokio::test]
async fn a_record_that_is_not_there_is_none() {
    for status in [404, 410] {
        let server = Server::start(move |_| no_such_record(status)).await;
        let side = side("odata", &server.url(), json!({}));
        assert_eq!(local().read(&side, &address("C-1")).await, Ok(None), "{status}");
    }
}

/// A login, a maintenance notice, a router, an answer that says no: nothing shows that the app has done it.
#[tokio::test]
async fn a_success_that_is_not_the_apps_leaves_the_outcome_unknown() {
    let page =
        |status| Reply::Answer(status, vec![("Content-Type", "text/html".to_owned())], "<p>sign in</p>".to_owned());
    let both = [
        page(200),
        page(201),
        page(204),
        answer(200, "<!DOCTYPE html><title>Maintenance</title>"),
        answer(200, json!({"success": false, "message": "no"})),
        answer(200, json!({"error": {"message": "no"}})),
        answer(200, json!({"errors": ["no"]})),
        answer(202, ""),
        answer(203, "{}"),
        answer(206, "{}"),
        answer(207, "{}"),
    ];
    let odata = [answer(200, ""), answer(200, "{}"), answer(200, "[]"), answer(200, json!({"success": true}))];
    let of_kind =
        |kind: &'static str, replies: &[Reply]| replies.iter().map(|reply| (kind, reply.clone())).collect::<Vec<_>>();
    for (kind, reply) in [of_kind("odata", &both), of_kind("http", &both), of_kind("odata", &odata)].concat() {
        let told = reply.clone();
        let server = Server::start(move |_| told.clone()).await;
        for call in [upsert(json!({"n": 1})), delete()] {
            let failure =
                local().write(&side(kind, &server.url(), json!({})), &call).await.expect_err("it is in doubt");
            assert_eq!(sort(&failure), (ErrorClass::OtherHttp, CallEffect::Unknown), "{kind} {reply:?}");
            assert!(failure.message.starts_with("HTTP 20"), "{failure:?}");
        }
    }
}

#[tokio::test]
async fn a_success_of_the_app_is_one_in_every_usual_form() {
    let odata = [
        answer(204, ""),
        answer(201, ""),
        answer(200, json!({"@odata.context": "x", "n": 1})),
        answer(200, json!({"@context": "x"})),
    ];
    let http = [
        answer(204, ""),
        answer(201, "{}"),
        answer(200, ""),
        answer(200, json!({"success": true, "error": null, "errors": []})),
        answer(200, "OK"),
    ];
    for (kind, replies) in [("odata", &odata[..]), ("http", &http)] {
        for reply in replies {
            let told = reply.clone();
            let server = Server::start(move |_| told.clone()).await;
            let applied = local().write(&side(kind, &server.url(), json!({})), &upsert(json!({"n": 1}))).await;
            assert!(applied.is_ok(), "{kind} {reply:?}: {applied:?}");
        }
    }
}

/// A copy from an app must not delete or blank the record in the other one because a router answered.
#[tokio::test]
async fn what_is_no_record_is_neither_absent_nor_blank() {
    let page = |status| {
        Reply::Answer(status, vec![("Content-Type", "text/html; charset=utf-8".to_owned())], "<p>x</p>".to_owned())
    };
    let both = [
        page(404),
        page(410),
        page(200),
        answer(204, ""),
        answer(200, "{}"),
        answer(200, json!({"success": false})),
        answer(200, json!({"value": []})),
        answer(202, "{}"),
    ];
    let odata = [answer(404, ""), answer(410, ""), answer(404, json!({"message": "no route"}))];
    let of_kind =
        |kind: &'static str, replies: &[Reply]| replies.iter().map(|reply| (kind, reply.clone())).collect::<Vec<_>>();
    for (kind, reply) in [of_kind("odata", &both), of_kind("http", &both), of_kind("odata", &odata)].concat() {
        let told = reply.clone();
        let server = Server::start(move |_| told.clone()).await;
        let read = local().read(&side(kind, &server.url(), json!({})), &address("C-1")).await;
        let failure = read.expect_err("it is no record");
        assert_ne!(failure.effect, CallEffect::Unknown, "reading has no effect: {kind} {reply:?}");
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
