//! Servers that refuse some characters of a key in a path, and the settings for them.

use std::collections::BTreeMap;

use app::ports::{Apps, Call, RecordAddress};
use domain::failure::{CallEffect, ErrorClass};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Seen, Server, answer, no_such_record},
    setup::{address, local, side, sort, upsert},
};

const IIS: &str = "<!DOCTYPE html><html><title>A potentially dangerous Request.Path value was detected from the client (&amp;).</title></html>";
const ROUTER: &str = r#"{"Message": "No HTTP resource was found that matches the request URI."}"#;

fn page(status: u16, body: &str) -> Reply {
    Reply::Answer(status, vec![("Content-Type", "text/html".to_owned())], body.to_owned())
}

fn write(key: &str) -> Call {
    Call { record: address(key), ..upsert(json!({"name": "Ada"})) }
}

/// The path and query of a write to a record of a company.
async fn sent(more: Value, fixed_key: Value, key: &str) -> String {
    let server = Server::start(|_| answer(204, "")).await;
    let fixed_key: BTreeMap<_, _> = serde_json::from_value(fixed_key).unwrap();
    let call = Call { record: RecordAddress { fixed_key, ..address(key) }, ..upsert(json!({})) };
    local().write(&side("odata", &server.url(), more), &call).await.unwrap();
    server.only().path
}

#[tokio::test]
async fn an_alias_takes_the_key_out_of_the_path_and_keeps_the_sides_own_query() {
    let alias = || json!({"key_style": "alias", "query": {"cross-company": "true"}});
    let one = sent(alias(), json!({}), "A/1+2#%&'").await;
    assert_eq!(one, "/data/accounts(accountnumber=@k0)?@k0=%27A%2F1%2B2%23%25%26%27%27%27&cross-company=true");
    let two = sent(alias(), json!({"company": "u/s", "year": 7}), "A/1").await;
    let wanted =
        "/data/accounts(company=@k0,year=7,accountnumber=@k2)?@k0=%27u%2Fs%27&@k2=%27A%2F1%27&cross-company=true";
    assert_eq!(two, wanted);
}

#[tokio::test]
async fn a_key_can_be_encoded_twice() {
    let twice = |style: &str| json!({"key_encoding": "twice", "key_style": style});
    assert_eq!(sent(twice("quoted"), json!({}), "A/1").await, "/data/accounts('A%252F1')");
    let named = sent(twice("named"), json!({"company": "us"}), "A/1").await;
    assert_eq!(named, "/data/accounts(company='us',accountnumber='A%252F1')");
    let server = Server::start(|_| answer(204, "")).await;
    local().write(&side("http", &server.url(), json!({"key_encoding": "twice"})), &write("A/1")).await.unwrap();
    assert_eq!(server.only().path, "/data/accounts/A%252F1");
}

#[tokio::test]
async fn a_refusal_of_a_key_names_it_and_the_setting_and_is_no_business_error() {
    for (kind, reply, effect) in [
        ("odata", page(400, IIS), CallEffect::Refused),
        ("odata", answer(400, ""), CallEffect::Refused),
        ("odata", answer(404, ROUTER), CallEffect::Refused),
        ("odata", page(404, "<html>404.11</html>"), CallEffect::NotApplied),
        ("http", page(400, IIS), CallEffect::Refused),
        ("http", answer(400, ""), CallEffect::Refused),
    ] {
        let reply_ = reply.clone();
        let server = Server::start(move |_| reply_.clone()).await;
        let side = side(kind, &server.url(), json!({"create": "upsert"}));
        for failure in [
            local().write(&side, &write("A/1")).await.unwrap_err(),
            local().read(&side, &address("A/1")).await.unwrap_err(),
        ] {
            assert_eq!(sort(&failure), (ErrorClass::Mapping, effect), "{kind} {reply:?}");
            assert_eq!(failure.code.as_deref(), Some("accountnumber"));
            assert!(failure.message.contains("`A/1`") && failure.message.contains("key_encoding"), "{failure:?}");
            assert!(!failure.is_side_wide(), "other keys are not refused");
        }
    }
}

#[tokio::test]
async fn other_refusals_stay_what_they_were() {
    let said = json!({"error": {"code": "E1", "message": "The limit is negative."}}).to_string();
    for (kind, key, reply, wanted) in [
        ("odata", "A/1", answer(400, &said), (ErrorClass::Application, CallEffect::Refused)),
        ("odata", "C-1", page(400, IIS), (ErrorClass::BadRequest, CallEffect::Refused)),
        ("odata", "C-1", page(404, "<html></html>"), (ErrorClass::OtherHttp, CallEffect::NotApplied)),
        ("odata", "A/1", page(503, "<html></html>"), (ErrorClass::Unavailable, CallEffect::Unknown)),
        ("http", "A/1", answer(400, r#"{"limit": "is negative"}"#), (ErrorClass::BadRequest, CallEffect::Refused)),
        ("http", "A/1", answer(404, ""), (ErrorClass::OtherHttp, CallEffect::Refused)),
        ("http", "A/1", answer(400, "The limit is negative."), (ErrorClass::BadRequest, CallEffect::Refused)),
    ] {
        let (reply_, upserts) = (reply.clone(), json!({"create": "upsert"}));
        let server = Server::start(move |_| reply_.clone()).await;
        let failure = local().write(&side(kind, &server.url(), upserts), &write(key)).await.unwrap_err();
        assert_eq!(sort(&failure), wanted, "{kind} {key} {reply:?}");
    }
    let server = Server::start(|_| page(400, IIS)).await;
    let failure =
        local().write(&side("odata", &server.url(), json!({"key_style": "alias"})), &write("A/1")).await.unwrap_err();
    assert_eq!(failure.class, ErrorClass::BadRequest, "the key is not in the path");
}

/// The request that creates a record has no key in its path.
#[tokio::test]
async fn a_create_that_is_refused_is_not_put_down_to_the_key() {
    let server = Server::start(|seen: &Seen| match seen.method.as_str() {
        "POST" => answer(400, ""),
        _ => no_such_record(404),
    })
    .await;
    let side = side("odata", &server.url(), json!({"create": "post"}));
    let failure = local().write(&side, &write("A/1")).await.unwrap_err();
    assert_eq!(failure.class, ErrorClass::BadRequest);
}
