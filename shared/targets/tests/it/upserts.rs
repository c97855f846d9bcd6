//! How records are made and changed, as the side's settings say.

use app::ports::{Applied, Apps, Call};
use domain::{
    failure::{CallEffect, ErrorClass},
    record::Image,
};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Seen, Server, answer, no_such_record, tagged},
    setup::{address, delete, local, side, sort, upsert, was_gone},
};

/// As Finance & Operations has it: the company is part of the key, and a record that is not there must be made by POST.
fn finance(server: &Server) -> domain::side::Side {
    let more = json!({"create": "post", "query": {"cross-company": "true"}, "headers": {"Prefer-Company": "usmf"}});
    side("odata", &server.url(), more)
}

fn in_company(mut call: Call) -> Call {
    call.record.fixed_key.insert("dataAreaId".to_owned(), json!("usmf"));
    call
}

#[tokio::test]
async fn a_key_of_several_parts_names_each_of_them() {
    let server = Server::start(|_| answer(204, "")).await;
    let mut call = in_company(upsert(json!({"Name": "x"})));
    call.record.fixed_key.insert("n".to_owned(), json!(7));
    local().write(&finance(&server), &call).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.path, "/data/accounts(dataAreaId='usmf',n=7,accountnumber='C-1')?cross-company=true");
    assert_eq!(seen.header("prefer-company"), Some("usmf"));
    let server = Server::start(|_| answer(204, "")).await;
    local().write(&side("http", &server.url(), json!({})), &in_company(upsert(json!({})))).await.unwrap();
    assert_eq!(server.only().path, "/data/accounts/usmf/C-1");
}

#[tokio::test]
async fn a_key_of_a_template_is_in_the_url_and_in_the_body_by_its_fields() {
    let mut call = upsert(json!({"Name": "x"}));
    call.record.key_field = "{dataAreaId}|{line}|{account}".to_owned();
    call.record.key_types = serde_json::from_value(json!({"line": "number"})).unwrap();
    call.record.key = "usmf|7|a|b".parse().unwrap();
    let server = Server::start(|seen| match seen.method.as_str() {
        "PATCH" => no_such_record(404),
        _ => tagged(201, "W/\"1\"", json!({"@odata.context": "x"})),
    })
    .await;
    local().write(&finance(&server), &call).await.unwrap();
    let [patch, post] = &server.seen()[..] else { panic!("{:?}", server.methods()) };
    assert_eq!(patch.path, "/data/accounts(dataAreaId='usmf',line=7,account='a%7Cb')?cross-company=true");
    assert_eq!(post.json(), json!({"Name": "x", "dataAreaId": "usmf", "line": 7, "account": "a|b"}));
    let server = Server::start(|_| answer(204, "")).await;
    local().write(&side("http", &server.url(), json!({})), &call).await.unwrap();
    assert_eq!(server.only().path, "/data/accounts/usmf/7/a%7Cb");
    let read = |record: Value| async {
        let server = Server::start(move |_| answer(200, record.clone())).await;
        local().read(&side("odata", &server.url(), json!({})), &call.record).await
    };
    let whole = json!({"@odata.context": "x", "dataAreaId": "usmf", "line": 7, "account": "a|b", "Name": "x"});
    assert_eq!(read(whole.clone()).await.unwrap().unwrap().record, *json!({"Name": "x"}).as_object().unwrap());
    let mut part = whole;
    part.as_object_mut().unwrap().remove("line");
    assert!(read(part).await.unwrap_err().message.contains("it has no line"));
    call.record.key = "usmf|7".parse().unwrap();
    let server = Server::start(|_| answer(204, "")).await;
    let failure = local().write(&finance(&server), &call).await.unwrap_err();
    assert!(failure.message.contains("after the value of line"), "{}", failure.message);
    assert_eq!((sort(&failure).1, server.methods().len()), (CallEffect::Refused, 0));
}

#[tokio::test]
async fn a_record_that_is_not_there_is_made_by_post_with_its_whole_key() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "PATCH" => no_such_record(404),
        _ => tagged(201, "W/\"1\"", json!({"@odata.context": "x"})),
    })
    .await;
    let applied = local().write(&finance(&server), &in_company(upsert(json!({"Name": "x", "Gone": null})))).await;
    assert_eq!(applied, Ok(Applied { etag: Some("W/\"1\"".to_owned()), stored: None, unchanged: false }));
    let [patch, post] = &server.seen()[..] else { panic!("{:?}", server.methods()) };
    assert_eq!((patch.method.as_str(), post.method.as_str()), ("PATCH", "POST"));
    assert_eq!(post.path, "/data/accounts?cross-company=true");
    let whole = json!({"dataAreaId": "usmf", "accountnumber": "C-1", "Name": "x", "Gone": null});
    assert_eq!(post.json(), whole);
    assert_eq!(patch.header("idempotency-key"), Some("00000000000000000000000001"));
    assert_eq!(post.header("idempotency-key"), Some("00000000000000000000000001.new"), "it is no repeat");
    assert_eq!(post.header("tandem-version"), patch.header("tandem-version"));
}

#[tokio::test]
async fn a_record_is_not_made_because_a_router_does_not_know_it_nor_by_a_deletion() {
    let server = Server::start(|_| answer(404, "<html>no such page</html>")).await;
    let failure = local().write(&finance(&server), &upsert(json!({}))).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::OtherHttp, CallEffect::NotApplied));
    assert_eq!(server.methods(), ["PATCH"]);
    let server = Server::start(|_| no_such_record(404)).await;
    assert_eq!(local().write(&finance(&server), &delete()).await, Ok(was_gone()));
    assert_eq!(server.methods(), ["DELETE"]);
    // Without the setting, an app that does not upsert refuses.
    let server = Server::start(|_| no_such_record(404)).await;
    let failure = local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
    assert_eq!((sort(&failure).1, server.methods()), (CallEffect::Refused, vec!["PATCH".to_owned()]));
}

#[tokio::test]
async fn a_record_that_somebody_else_makes_meanwhile_is_changed_by_the_next_attempt() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "PATCH" => no_such_record(404),
        _ => answer(409, json!({"error": {"code": "Duplicate", "message": "It exists."}})),
    })
    .await;
    let failure = local().write(&finance(&server), &upsert(json!({}))).await.unwrap_err();
    assert_eq!((sort(&failure), &*failure.message), ((ErrorClass::Conflict, CallEffect::NotApplied), "It exists."));
    let server = Server::start(|seen| match seen.method.as_str() {
        "PATCH" => no_such_record(404),
        _ => Reply::Close,
    })
    .await;
    let failure = local().write(&finance(&server), &upsert(json!({}))).await.unwrap_err();
    assert_eq!(sort(&failure).1, CallEffect::Unknown, "it may have been made");
}

#[tokio::test]
async fn a_rest_record_is_changed_by_a_merge_patch_of_the_mapped_fields_and_made_by_post() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "PATCH" if seen.path.ends_with("C-2") => answer(404, json!({"message": "not found"})),
        _ => answer(200, "{}"),
    })
    .await;
    let side = side("http", &server.url(), json!({}));
    local().write(&side, &upsert(json!({"name": "x", "phone": null}))).await.unwrap();
    let call = Call { record: address("C-2"), ..upsert(json!({"name": "y"})) };
    local().write(&side, &call).await.unwrap();
    let seen = server.seen();
    assert_eq!(seen[0].header("content-type"), Some("application/json"), "Express ignores what it does not know");
    assert_eq!(seen[0].json(), json!({"name": "x", "phone": null}), "what is not mapped stays as it is");
    let requests: Vec<_> = seen.iter().map(|seen| (seen.method.as_str(), seen.path.as_str())).collect();
    assert_eq!(
        requests,
        [("PATCH", "/data/accounts/C-1"), ("PATCH", "/data/accounts/C-2"), ("POST", "/data/accounts")]
    );
    assert_eq!(seen[2].json(), json!({"accountnumber": "C-2", "name": "y"}));
}

#[tokio::test]
async fn an_app_that_takes_changes_by_post_gets_them_there() {
    let server = Server::start(|_| answer(200, "{}")).await;
    let side = side("http", &server.url(), json!({"update": "post"}));
    local().write(&side, &upsert(json!({"name": "x"}))).await.unwrap();
    assert_eq!((server.only().method.as_str(), server.only().path.as_str()), ("POST", "/data/accounts/C-1"));
    assert_eq!(server.only().json(), json!({"name": "x"}));
}

/// Answers with this record, and takes whole ones.
fn whole(record: Option<Value>, etag: Option<&'static str>) -> impl Fn(&Seen) -> Reply {
    move |seen: &Seen| match (seen.method.as_str(), &record, etag) {
        ("GET", Some(record), Some(etag)) => tagged(200, etag, record),
        ("GET", Some(record), None) => answer(200, record),
        ("GET", None, _) => answer(404, "{}"),
        _ => answer(200, "{}"),
    }
}

#[tokio::test]
async fn an_app_that_takes_whole_records_keeps_the_fields_that_are_not_mapped() {
    let record = json!({"accountnumber": "C-1", "name": "old", "own": {"x": 1}, "tags": ["a"]});
    let wanted = json!({"accountnumber": "C-1", "name": "new", "own": {"x": 1}, "tags": ["a"]});
    for etag in [Some("\"4\""), None] {
        let server = Server::start(whole(Some(record.clone()), etag)).await;
        let side = side("http", &server.url(), json!({"update": "put"}));
        local().write(&side, &upsert(json!({"name": "new"}))).await.unwrap();
        assert_eq!(server.methods(), ["GET", "PUT"]);
        assert_eq!((server.seen()[1].json(), server.seen()[1].header("if-match")), (wanted.clone(), etag));
    }
    let server = Server::start(whole(None, None)).await;
    local()
        .write(&side("http", &server.url(), json!({"update": "put"})), &upsert(json!({"name": "new"})))
        .await
        .unwrap();
    assert_eq!(server.methods(), ["GET", "POST"]);
    let server = Server::start(whole(None, None)).await;
    let side = side("http", &server.url(), json!({"update": "put", "create": "upsert"}));
    local().write(&side, &upsert(json!({"name": "new"}))).await.unwrap();
    assert_eq!(server.methods(), ["GET", "PUT"]);
    assert_eq!(server.seen()[1].header("if-none-match"), Some("*"));
    assert_eq!(server.seen()[1].json(), json!({"accountnumber": "C-1", "name": "new"}));
}

#[tokio::test]
async fn a_whole_record_is_read_again_when_it_was_changed_meanwhile() {
    let reads = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |seen| match seen.method.as_str() {
        "GET" => {
            let n = reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            tagged(200, format!("\"{n}\""), json!({"accountnumber": "C-1", "name": "old", "own": n}))
        }
        _ if seen.header("if-match") == Some("\"0\"") => answer(412, ""),
        _ => answer(204, ""),
    })
    .await;
    let side = side("http", &server.url(), json!({"update": "put"}));
    local().write(&side, &upsert(json!({"name": "new"}))).await.unwrap();
    assert_eq!(server.methods(), ["GET", "PUT", "GET", "PUT"]);
    assert_eq!(server.seen()[3].json(), json!({"accountnumber": "C-1", "name": "new", "own": 1}));
}

#[tokio::test]
async fn a_versioned_side_makes_records_by_post_too() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => no_such_record(404),
        _ => tagged(201, "\"1\"", ""),
    })
    .await;
    let side = side("odata", &server.url(), json!({"capability": "versioned", "create": "post"}));
    let applied = local().write(&side, &upsert(json!({"name": "x"}))).await;
    assert_eq!(applied, Ok(Applied { etag: Some("\"1\"".to_owned()), stored: None, unchanged: false }));
    assert_eq!(server.methods(), ["GET", "POST"]);
    assert_eq!(server.seen()[1].header("if-none-match"), None);
}

#[tokio::test]
async fn the_fields_of_the_key_are_no_fields_of_the_record() {
    let record = json!({"@odata.context": "x", "dataAreaId": "usmf", "accountnumber": "C-1", "name": "x"});
    let server = Server::start(move |_| answer(200, &record)).await;
    let call = in_company(upsert(json!({})));
    let found = local().read(&finance(&server), &call.record).await.unwrap().unwrap();
    assert_eq!(json!(found.record), json!({"name": "x"}));
    assert!(matches!(call.image, Image::Present(_)));
}

/// An answer of Finance & Operations to what it does not take.
fn refused_by_finance(status: u16, says: &str) -> Reply {
    let inner = json!({"message": says, "type": "Microsoft.Dynamics.Platform.Integration.Services.OData.AxODataWriteException"});
    answer(status, json!({"error": {"code": "", "message": "An error has occurred.", "innererror": inner}}))
}

const MISSING: &str = "No resources were found when selecting for update.";
const DUPLICATE: &str = "Write failed for table row of type 'CustCustomerV3Entity'. Infolog: Info: Cannot create a record in \
                         Customers (CustTable). Customer account: C-1.\nThe record already exists..";

#[tokio::test]
async fn finance_and_operations_says_with_400_that_a_record_is_not_there() {
    for capability in ["idempotent", "plain", "versioned"] {
        let server = Server::start(|seen| match seen.method.as_str() {
            "GET" => no_such_record(404),
            "POST" => tagged(201, "W/\"1\"", json!({"@odata.context": "x"})),
            _ => refused_by_finance(400, MISSING),
        })
        .await;
        let side = side("finance_operations", &server.url(), json!({"capability": capability}));
        assert!(local().write(&side, &in_company(upsert(json!({"Name": "x"})))).await.is_ok(), "{capability}");
        assert_eq!(server.methods().last().map(String::as_str), Some("POST"), "{capability}");
        let known = Call { etag: Some("W/\"1\"".to_owned()), ..in_company(delete()) };
        assert_eq!(local().write(&side, &known).await, Ok(was_gone()), "{capability}: it is gone");
    }
    // Another app that says so refuses.
    let server = Server::start(|_| refused_by_finance(400, MISSING)).await;
    let failure = local().write(&side("odata", &server.url(), json!({})), &upsert(json!({}))).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::Application, CallEffect::Refused));
    assert_eq!(server.methods(), ["PATCH"]);
}

#[tokio::test]
async fn a_record_that_somebody_else_makes_in_finance_and_operations_is_changed_by_the_next_attempt() {
    for status in [400, 500] {
        let server = Server::start(move |seen| match seen.method.as_str() {
            "GET" => no_such_record(404),
            "POST" => refused_by_finance(status, DUPLICATE),
            _ => refused_by_finance(400, MISSING),
        })
        .await;
        let plain = side("finance_operations", &server.url(), json!({"capability": "plain"}));
        let failure = local().write(&plain, &in_company(upsert(json!({"Name": "x"})))).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::Conflict, CallEffect::NotApplied), "{status}");
        let refused = Server::start(move |_| refused_by_finance(400, "Customer group 7 is not found.")).await;
        let plain = side("finance_operations", &refused.url(), json!({"capability": "plain"}));
        let failure = local().write(&plain, &in_company(upsert(json!({"Name": "x"})))).await.unwrap_err();
        assert_eq!(sort(&failure), (ErrorClass::Application, CallEffect::Refused));
        assert_eq!(refused.methods(), ["PATCH"], "a refused change makes no record");
    }
}
