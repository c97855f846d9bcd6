//! Answers that are compressed although nobody asked, or in another character set than UTF-8.

use std::io::Write;

use app::ports::{Applied, Apps, Call, PageRequest};
use domain::{
    failure::{CallEffect, ErrorClass},
    listing::PageRow,
};
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::{
    pages::accounts,
    server::{Reply, Seen, Server, answer},
    setup::{Store, address, connectors, delete, local, side, sort, upsert},
};

/// The ways in which a server may send a text of Latin letters.
const FORMS: [&str; 8] =
    ["plain", "bom", "gzip", "gzip, not told", "latin-1", "utf-16", "utf-16 with bom", "gzip of latin-1"];

fn sent(form: &str, status: u16, text: &str) -> Reply {
    let latin = || text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect::<Vec<_>>();
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let (kind, coding, body) = match form {
        "plain" => ("application/json", None, text.as_bytes().to_vec()),
        "bom" => ("application/json", None, format!("\u{feff}{text}").into_bytes()),
        "gzip" => ("application/json", Some("gzip"), gzip(text.as_bytes())),
        "gzip, not told" => ("application/json", None, gzip(text.as_bytes())),
        "latin-1" => ("application/json; charset=iso-8859-1", None, latin()),
        "utf-16" => ("application/json; charset=utf-16", None, utf16(text)),
        "utf-16 with bom" => ("application/json", None, utf16(&format!("\u{feff}{text}"))),
        "gzip of latin-1" => ("application/json;charset=windows-1252", Some("gzip"), gzip(&latin())),
        other => panic!("{other}"),
    };
    let coding = coding.map(|coding| ("content-encoding", coding.to_owned()));
    Reply::Bytes(status, [("content-type", kind.to_owned())].into_iter().chain(coding).collect(), body)
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn record() -> Value {
    json!({"@odata.etag": "W/\"8\"", "accountnumber": "C-1", "name": "Zoë Müller"})
}

#[tokio::test]
async fn the_words_of_an_error_are_found_in_every_form() {
    let error = json!({"error": {"code": "E1", "message": "Zoë ist gesperrt"}}).to_string();
    for form in FORMS {
        let reply = sent(form, 400, &error);
        let server = Server::start(move |_| reply.clone()).await;
        let failure = local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::Application, CallEffect::Refused), "{form}");
        assert_eq!((failure.code.as_deref(), &*failure.message), (Some("E1"), "Zoë ist gesperrt"), "{form}");
    }
}

#[tokio::test]
async fn a_record_is_read_in_every_form_and_a_versioned_write_finds_its_etag() {
    for form in FORMS {
        let (there, missing) = (sent(form, 200, &record().to_string()), sent(form, 404, r#"{"error": {"code": "ü"}}"#));
        let server =
            Server::start(move |seen| if seen.path.contains("C-1") { there.clone() } else { missing.clone() }).await;
        let side = side("odata", &server.url(), json!({"capability": "versioned"}));
        let found = local().read(&side, &address("C-1")).await.unwrap().unwrap();
        assert_eq!(
            (json!(found.record), found.etag.as_deref()),
            (json!({"name": "Zoë Müller"}), Some("W/\"8\"")),
            "{form}"
        );
        assert_eq!(local().read(&side, &address("C-2")).await, Ok(None), "{form}");
        let applied = local().write(&side, &upsert(json!({"name": "Ada"}))).await;
        assert_eq!(applied, Ok(Applied { etag: Some("W/\"8\"".to_owned()), stored: None, unchanged: false }), "{form}");
        assert_eq!(server.seen().pop().unwrap().header("if-match"), Some("W/\"8\""), "{form}");
    }
}

#[tokio::test]
async fn tokens_and_pages_are_read_in_every_form() {
    for form in FORMS {
        let token = sent(form, 200, r#"{"access_token": "t1", "note": "für Tandem"}"#);
        let page = sent(form, 200, &json!({"value": [record()]}).to_string());
        let server = Server::start(move |seen: &Seen| match (seen.path.as_str(), seen.header("authorization")) {
            ("/token", _) => token.clone(),
            (_, Some("Bearer t1")) => page.clone(),
            _ => answer(401, ""),
        })
        .await;
        let auth = json!({"kind": "oauth2", "token_url": format!("http://127.0.0.1:{}/token", server.port),
            "client_id": "tandem", "secret": "ssm:/key"});
        let side = side("odata", &server.url(), json!({"auth": auth}));
        let asked = PageRequest { cursor: None, size: 9 };
        let page = connectors(Store::with(&["s3cret"])).read_page(&side, &accounts(), &asked).await.unwrap();
        let PageRow::Record(row) = &page.rows[0] else { panic!("{page:?}") };
        assert_eq!(row.record["name"], "Zoë Müller", "{form}");
    }
}

/// A write that may have been done is not taken for done when nobody can read the answer.
#[tokio::test]
async fn what_cannot_be_read_is_named() {
    let coded = |status| {
        let headers = vec![("content-encoding", "br".to_owned()), ("content-type", "application/json".to_owned())];
        Reply::Bytes(status, headers, b"\x0b\x02\x80".to_vec())
    };
    for (kind, status, class, effect) in [
        ("odata", 400, ErrorClass::BadRequest, CallEffect::Refused),
        ("odata", 200, ErrorClass::OtherHttp, CallEffect::Unknown),
        ("http", 200, ErrorClass::OtherHttp, CallEffect::Unknown),
    ] {
        let server = Server::start(move |_| coded(status)).await;
        let side = side(kind, &server.url(), json!({}));
        let failure = local().write(&side, &upsert(json!({}))).await.unwrap_err();
        assert_eq!(sort(&failure), (class, effect), "{kind} {status}");
        assert!(failure.message.contains("compressed with br"), "{failure:?}");
        let failure = local().read(&side, &address("C-1")).await.unwrap_err();
        assert_eq!(failure.effect, if status == 200 { CallEffect::NotApplied } else { effect });
        assert!(failure.message.contains("compressed with br"), "{failure:?}");
    }
    let server = Server::start(move |_| coded(204)).await;
    assert!(local().write(&side("odata", &server.url(), json!({})), &delete()).await.is_ok(), "the status says it all");
}

/// Words may be guessed; a record may not, for it would be copied.
#[tokio::test]
async fn latin_1_without_a_word_about_it_is_good_for_an_error_and_not_for_a_record() {
    let body = |status| {
        Reply::Bytes(
            status,
            Vec::new(),
            b"{\"accountnumber\": \"C-1\", \"code\": \"E1\", \"message\": \"Zo\xeb\"}".to_vec(),
        )
    };
    for (status, says) in [(400, "Zoë"), (200, "not UTF-8, and it names no other character set")] {
        let server = Server::start(move |_| body(status)).await;
        let failure = local().read(&side("http", &server.url(), json!({})), &address("C-1")).await.unwrap_err();
        assert!(failure.message.contains(says), "{failure:?}");
    }
}

#[tokio::test]
async fn a_small_answer_that_grows_beyond_the_limit_is_not_read() {
    let bomb = gzip(json!({"accountnumber": "C-1", "big": "x".repeat(20_000_000)}).to_string().as_bytes());
    let server =
        Server::start(move |_| Reply::Bytes(200, vec![("content-encoding", "gzip".to_owned())], bomb.clone())).await;
    let failure = local().read(&side("odata", &server.url(), json!({})), &address("C-1")).await.unwrap_err();
    assert_eq!(failure.message, "the answer is longer than 1048576 bytes");
}

/// A marked `ETag` would be refused with every write; a side may ask for another form.
#[tokio::test]
async fn no_compression_is_asked_for_and_its_mark_is_taken_off_the_etag() {
    let marked = |coding: &str| {
        let headers = vec![("content-encoding", coding.to_owned()), ("etag", "\"8-gzip\"".to_owned())];
        Reply::Bytes(200, headers, record().to_string().into_bytes())
    };
    for (coding, etag) in [("gzip", "\"8\""), ("identity", "\"8-gzip\"")] {
        let reply = marked(coding);
        let server = Server::start(move |_| reply.clone()).await;
        let call = Call { etag: Some("\"7\"".to_owned()), ..upsert(json!({})) };
        let versioned = side("odata", &server.url(), json!({"capability": "versioned"}));
        assert_eq!(
            local().write(&versioned, &call).await,
            Ok(Applied { etag: Some(etag.to_owned()), stored: None, unchanged: false })
        );
        assert_eq!(server.only().header("accept-encoding"), Some("identity"));
    }
    let server = Server::start(|_| answer(204, "")).await;
    let asks = side("odata", &server.url(), json!({"headers": {"accept-encoding": "gzip"}}));
    local().write(&asks, &delete()).await.unwrap();
    assert_eq!(server.only().header("accept-encoding"), Some("gzip"));
}
