//! Random and mutilated answers: nothing panics, and all results are bounded. `PROPTEST_CASES` sets how many are tried.

use std::io::Write;

use domain::{limits::MAX_MESSAGE_CHARS, side::Connector};
use percent_encoding::percent_decode_str;
use proptest::{collection::vec, prelude::*, sample::select};
use reqwest::{
    StatusCode,
    header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
};
use serde_json::json;

use crate::{
    answer::{Answer, Body},
    decode::decode,
    explain::explain,
    list::{Place, link},
    metadata, path,
    retry_after::retry_after_ms,
    token,
};

const LIMIT_BYTES: usize = 4_096;

/// Answers of apps, which the tests mutilate.
const BODIES: [&str; 9] = [
    r#"{"error": {"code": "0x1", "message": {"lang": "en", "value": "Zoë"}, "target": "name", "details": [{"message": "no", "target": "a"}], "innererror": {"internalexception": {"message": "deep"}}}}"#,
    r#"{"type": "about:blank", "title": "Bad.", "errors": {"Name": ["empty", 7, null]}, "detail": [{"loc": ["a", 0], "msg": "x"}]}"#,
    r#"[{"message": "Missing: [LastName]", "errorCode": "REQUIRED", "fields": ["LastName"]}, 1, "x"]"#,
    r#"{"error": "invalid_client", "error_description": "AADSTS7"}"#,
    r#"<?xml version="1.0" encoding="ISO-8859-1"?><m:error xmlns:m="x"><m:code>1</m:code><m:message xml:lang="en">a &lt; b</m:message></m:error>"#,
    "<!DOCTYPE html><html><title>502</title></html>",
    r##"{"@odata.etag": "W/\"1\"", "accountnumber": "C-1", "n": 1.10e-400, "a@odata.type": "#x", "deep": [[[[{"x": []}]]]]}"##,
    r#"{"value": [{"id": 1}], "@odata.nextLink": "accounts?$skiptoken=2"}"#,
    r#"<Edmx><Schema Namespace="N" Alias="S"><EntityType Name="a" BaseType="S.a"><Key><PropertyRef Name="i"/></Key><Property Name="i" Type="Edm.Guid"/></EntityType><EntityContainer><EntitySet Name="as" EntityType="S.a"/></EntityContainer></Schema></Edmx>"#,
];

/// A text with some parts cut out, doubled, or replaced.
fn mutilated(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![Just(String::new()), "[<>{}\\[\\]\",:/&;=a'\\\\ \u{0}ü😀-]{1,6}", "\\PC{0,12}"];
    let edits = vec((any::<prop::sample::Index>(), 0..40_usize, piece), 0..6);
    (select(texts), edits).prop_map(|(text, edits)| {
        edits.into_iter().fold(text.to_owned(), |text, (at, length, piece)| {
            let chars: Vec<_> = text.chars().collect();
            let at = at.index(chars.len().max(1)).min(chars.len());
            let (before, after) = (&chars[..at], chars.get(at + length..).unwrap_or_default());
            before.iter().chain(piece.chars().collect::<Vec<_>>().iter()).chain(after).collect()
        })
    })
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let gzip = |plain: String| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(plain.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let utf16 = |text: String| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    let cut = |(mut bytes, at): (Vec<u8>, prop::sample::Index)| {
        bytes.truncate(at.index(bytes.len().max(1)));
        bytes
    };
    prop_oneof![
        vec(any::<u8>(), 0..300),
        mutilated(&BODIES).prop_map(String::into_bytes),
        mutilated(&BODIES).prop_map(gzip),
        mutilated(&BODIES).prop_map(utf16),
        (mutilated(&BODIES).prop_map(gzip), any::<prop::sample::Index>()).prop_map(cut),
        Just(vec![b'a'; LIMIT_BYTES + 1]),
    ]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let kinds = [
        "application/json",
        "text/html",
        "text/plain; charset=iso-8859-1",
        "application/xml;charset=utf-16",
        "x; charset=\"",
        "; ;charset",
        "",
    ];
    let codings =
        ["gzip", "br", "deflate", "gzip, gzip", "identity", ",", "x-gzip,deflate", "utf-8", "gzip,gzip,gzip,gzip"];
    let known = prop_oneof![
        select(kinds.to_vec()).prop_map(|kind| (CONTENT_TYPE, kind.to_owned())),
        select(codings.to_vec()).prop_map(|coding| (CONTENT_ENCODING, coding.to_owned())),
        "[ -~]{0,40}".prop_map(|text| (CONTENT_TYPE, text)),
        "(W/)?\"?[a-z0-9-]{0,8}(-gzip|--gzip)?\"?".prop_map(|text| (ETAG, text)),
        "\\PC{0,40}".prop_map(|text| (LOCATION, text)),
        prop_oneof![
            "[0-9]{0,22}",
            "[A-Z][a-z]{2}, [0-9]{1,2} [A-Z][a-z]{2} [0-9]{1,5} [0-9:]{1,9} (GMT|[+-][0-9]{1,6})",
            "\\PC{0,30}"
        ]
        .prop_flat_map(|text| (select(vec![RETRY_AFTER, DATE]), Just(text))),
    ];
    vec(known, 0..5).prop_map(|all| {
        let parsed = |(name, text): (HeaderName, String)| Some((name, HeaderValue::from_bytes(text.as_bytes()).ok()?));
        let mut headers = HeaderMap::new();
        for (name, value) in all.into_iter().filter_map(parsed) {
            headers.append(name, value);
        }
        headers
    })
}

fn answer(status: u16, headers: &HeaderMap, bytes: Vec<u8>) -> Answer {
    let body = decode(bytes, headers, LIMIT_BYTES).map_or(Body::TooLarge { limit_bytes: LIMIT_BYTES }, Body::Whole);
    let status = StatusCode::from_u16(status).unwrap();
    Answer { status, headers: headers.clone(), body, key_in_path: None, hidden: Vec::new() }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_decoded_body_is_bounded(bytes in bytes(), headers in headers()) {
        if let Ok(text) = decode(bytes, &headers, LIMIT_BYTES) {
            prop_assert!(text.text.len() <= LIMIT_BYTES);
        }
    }

    #[test]
    fn plain_text_comes_through_unchanged(text in "[^\u{0}\u{feff}]{0,100}") {
        prop_assume!(!text.starts_with("<?xml"));
        let decoded = decode(text.clone().into_bytes(), &HeaderMap::new(), LIMIT_BYTES).unwrap();
        prop_assert_eq!((decoded.text, decoded.flaw), (text, None));
    }

    #[test]
    fn an_answer_of_any_kind_is_judged_and_its_failure_is_bounded(
        status in 100..1_000_u16, headers in headers(), bytes in bytes(), kind in select(vec!["odata", "http", "finance_operations"]),
    ) {
        let connector: Connector = serde_json::from_value(json!({"kind": kind, "base_url": "https://erp.example/data/"})).unwrap();
        let kind = connector.protocol();
        let answer = answer(status, &headers, bytes);
        let failures = [Some(answer.failure()), Some(answer.failure_to_read()), answer.doubt(kind).map(|why| answer.doubtful(&why))];
        for failure in failures.into_iter().flatten() {
            prop_assert!(failure.message.chars().count() <= MAX_MESSAGE_CHARS);
            prop_assert!(!failure.message.contains(char::is_control), "{}", failure.message);
            prop_assert!(failure.code.is_none_or(|code| code.chars().count() <= 100));
        }
        let _ = (answer.is_absent(&connector), answer.is_duplicate(&connector), answer.is_page(), answer.etag());
        if let Ok(record) = answer.into_record() {
            prop_assert!(serde_json::to_vec(&record).unwrap().len() <= 6 * LIMIT_BYTES);
        }
    }

    #[test]
    fn the_words_of_an_error_are_never_more_than_the_body_says(body in mutilated(&BODIES), kind in "(application/json|text/plain|text/html|)") {
        let said = explain(&body, &kind);
        prop_assert!(said.message.unwrap_or_default().len() <= 4 * body.len());
        prop_assert!(said.code.unwrap_or_default().len() <= body.len());
    }

    #[test]
    fn a_wait_is_read_or_ignored(headers in headers(), seconds in any::<u64>()) {
        let _ = retry_after_ms(&headers);
        let told = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from(seconds))]);
        prop_assert_eq!(retry_after_ms(&told), Some(seconds.saturating_mul(1_000)));
    }

    #[test]
    fn a_token_has_a_bounded_life(seconds in any::<u64>(), text in "[0-9+eE.-]{0,24}") {
        for told in [json!(seconds), json!(seconds.to_string()), json!(text), json!(seconds as f64)] {
            prop_assert!(token::life(&told) <= crate::limits::MAX_TOKEN_LIFE, "{}", told);
        }
    }

    #[test]
    fn a_description_names_only_what_was_asked_for(document in mutilated(&BODIES[8..])) {
        if let Ok(told) = metadata::describe(&document, &["as".to_owned()]) {
            prop_assert!(told.entities.len() <= 1 && !told.names.is_empty());
        }
    }

    #[test]
    fn a_link_to_a_next_page_never_leads_away(link in prop_oneof![mutilated(&["/data/a?$skip=2", "https://erp.example/data/a", "../data/%2e%2e/x", "//erp.example:443/data/"]), "\\PC{0,60}"]) {
        let base = url::Url::parse("https://erp.example/data/").unwrap();
        if let Ok(Place::Link(kept)) = link::inside(&base, &base, &link) {
            let url = link::stored(&base, &kept).unwrap();
            prop_assert_eq!(url.origin(), base.origin());
            prop_assert!(url.path().starts_with("/data/") && url.username().is_empty());
            prop_assert_eq!(link::inside(&base, &base, url.as_str()).unwrap(), Place::Link(kept));
        }
        if let Ok(url) = link::stored(&base, &link) {
            prop_assert!(url.origin() == base.origin() && url.path().starts_with("/data/"));
        }
    }

    #[test]
    fn an_entity_stays_below_the_base_and_a_segment_is_one(name in prop_oneof!["\\PC{0,30}", "[./%2eE\\\\?#;@:]{0,12}"], twice in any::<bool>()) {
        let connector: Connector = serde_json::from_value(json!({"kind": "http", "base_url": "https://erp.example/data/"})).unwrap();
        if let Ok(url) = path::entity(&connector, &name) {
            prop_assert!(url.path().starts_with("/data/") && url.query().is_none() && url.fragment().is_none(), "{}", url);
            let decoded = percent_decode_str(url.path().strip_prefix("/data/").unwrap()).decode_utf8().unwrap().into_owned();
            prop_assert_eq!(decoded, name.clone());
        }
        let encoding = if twice { domain::side::KeyEncoding::Twice } else { domain::side::KeyEncoding::Once };
        if let Ok(segment) = path::key_segment(encoding, &name) {
            prop_assert!(!segment.contains(['/', '?', '#', '\\']));
            let url = path::under(&path::base(&connector).unwrap(), &segment).unwrap();
            prop_assert_eq!(url.path(), format!("/data/{segment}"));
        }
    }
}
