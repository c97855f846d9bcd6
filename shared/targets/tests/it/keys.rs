//! Whatever a key contains, the app gets that key.

use app::ports::{Apps, Call};
use domain::failure::{CallEffect, ErrorClass};
use proptest::prelude::*;
use serde_json::json;

use crate::{
    server::{Server, answer},
    setup::{address, local, side, sort, upsert},
};

/// The key as a server finds it: the path is split first, then decoded, then parsed.
fn received(kind: &str, path: &str) -> String {
    let path = path.strip_prefix("/data/").unwrap();
    let decode = |text: &str| {
        let bytes = text.split('%').enumerate().flat_map(|(i, part)| match i {
            0 => part.as_bytes().to_vec(),
            _ => [&[u8::from_str_radix(&part[..2], 16).unwrap()], &part.as_bytes()[2..]].concat(),
        });
        String::from_utf8(bytes.collect()).unwrap()
    };
    match (kind, path.split('/').collect::<Vec<_>>().as_slice()) {
        ("http", ["accounts", key]) => decode(key),
        ("odata", [segment]) => {
            let decoded = decode(segment);
            let inner = decoded.strip_prefix("accounts('").and_then(|rest| rest.strip_suffix("')")).unwrap();
            inner.replace("''", "'")
        }
        other => panic!("{other:?}"),
    }
}

fn keys() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{1,40}", "[#/'\"% ?&+;=@:,.()\\\\|<>{}^`~!$*-]{1,20}", "(%2[0-9f]|''|\\.\\./|ü|北|😀|\\.){1,8}",]
        .prop_filter("a record key", |key| key.len() <= 256 && key.parse::<domain::RecordKey>().is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn the_server_gets_the_very_key(keys in proptest::collection::vec(keys(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let outcome: Result<(), TestCaseError> = runtime.block_on(async {
            let server = Server::start(|_| answer(204, "")).await;
            let apps = local();
            for kind in ["odata", "http"] {
                let side = side(kind, &server.url(), json!({}));
                for text in keys.iter().filter(|text| kind == "odata" || !["." , ".."].contains(&text.as_str())) {
                    apps.write(&side, &Call { record: address(text), ..upsert(json!({})) }).await.unwrap();
                    let path = server.seen().pop().unwrap().path;
                    prop_assert_eq!(&received(kind, &path), text);
                }
            }
            Ok(())
        });
        outcome?;
    }
}

#[tokio::test]
async fn a_key_that_no_url_can_carry_is_refused_and_not_sent() {
    let server = Server::start(|_| answer(204, "")).await;
    for (kind, style, text) in [("http", "quoted", "."), ("http", "quoted", ".."), ("odata", "bare", "1)/$batch")] {
        let side = side(kind, &server.url(), json!({"key_style": style}));
        let failure = local().write(&side, &Call { record: address(text), ..upsert(json!({})) }).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::BadRequest, CallEffect::Refused), "{text}");
    }
    assert_eq!(server.connections(), 0);
}
