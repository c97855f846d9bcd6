//! What a connection test looks at: any one record, and the app's description of its entities.

use app::ports::Apps;
use domain::failure::{CallEffect, ErrorClass};
use serde_json::{Value, json};

use crate::{
    server::{Reply, Server, answer},
    setup::{local, side, sort},
};

const METADATA: &str = r#"<?xml version="1.0"?><Edmx><DataServices><Schema Namespace="N">
    <EntityType Name="account"><Key><PropertyRef Name="id"/></Key><Property Name="id" Type="Edm.Guid"/></EntityType>
    <EntityContainer><EntitySet Name="accounts" EntityType="N.account"/><EntitySet Name="orders" EntityType="N.order"/></EntityContainer>
</Schema></DataServices></Edmx>"#;

#[tokio::test]
async fn one_record_is_read_with_its_key_and_its_etag() {
    let page = json!({"value": [{"@odata.etag": "W/\"1\"", "accountnumber": "C-1"}, {"accountnumber": "C-2"}]});
    let server = Server::start(move |_| answer(200, &page)).await;
    let found = local().sample(&side("odata", &server.url(), json!({})), "accounts").await.unwrap().unwrap();
    assert_eq!((json!(found.record), found.etag.as_deref()), (json!({"accountnumber": "C-1"}), Some("W/\"1\"")));
    assert_eq!(server.only().path, "/data/accounts?$top=1");
}

#[tokio::test]
async fn the_lists_of_rest_apps_have_many_forms() {
    let record = || json!({"id": 1, "a@b": 2});
    for (list, wanted) in [
        (json!([record()]), Some(record())),
        (json!({"total": 1, "items": [record()]}), Some(record())),
        (json!({"accounts": [record()]}), Some(record())),
        (json!({"data": []}), None),
        (json!([]), None),
    ] {
        let server = Server::start(move |_| answer(200, &list)).await;
        let found = local().sample(&side("http", &server.url(), json!({})), "crm/accounts").await.unwrap();
        assert_eq!(found.map(|found| Value::Object(found.record)), wanted);
    }
}

#[tokio::test]
async fn what_is_no_list_is_a_failure_without_effect() {
    for (kind, reply, class) in [
        ("odata", answer(200, "[]"), ErrorClass::OtherHttp),
        ("odata", answer(200, "<html>login</html>"), ErrorClass::OtherHttp),
        ("odata", answer(200, json!({"value": [1]})), ErrorClass::OtherHttp),
        ("http", answer(200, "7"), ErrorClass::OtherHttp),
        ("http", answer(200, json!({"id": 1})), ErrorClass::OtherHttp),
        ("http", answer(405, ""), ErrorClass::OtherHttp),
        ("odata", answer(503, ""), ErrorClass::Unavailable),
        ("odata", Reply::Close, ErrorClass::Network),
    ] {
        let reply_ = reply.clone();
        let server = Server::start(move |_| reply_.clone()).await;
        let failure = local().sample(&side(kind, &server.url(), json!({})), "accounts").await.unwrap_err();
        assert_eq!(failure.class, class, "{kind} {reply:?}");
        assert_ne!(failure.effect, CallEffect::Unknown, "{kind} {reply:?}");
    }
}

#[tokio::test]
async fn the_description_is_read_from_the_root_with_the_sides_own_query() {
    let server = Server::start(|_| {
        Reply::Answer(200, vec![("Content-Type", "application/xml".to_owned())], METADATA.to_owned())
    })
    .await;
    let sap = side("sap_odata", &server.url(), json!({"query": {"sap-client": "100"}}));
    let told = local().describe(&sap, &["accounts".to_owned(), "nothing".to_owned()]).await.unwrap().unwrap();
    assert_eq!(told.names.into_iter().collect::<Vec<_>>(), ["accounts", "orders"]);
    assert_eq!(told.entities.keys().collect::<Vec<_>>(), ["accounts"]);
    assert_eq!(told.entities["accounts"].key, ["id"]);
    let asked = server.only();
    assert_eq!(asked.path, "/data/$metadata?sap-client=100");
    assert_eq!((asked.header("accept"), asked.header("accept-encoding")), (Some("application/xml"), Some("gzip")));
    assert_eq!(local().describe(&side("http", &server.url(), json!({})), &[]).await, Ok(None), "REST apps have none");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_description_that_is_none_or_too_long_is_a_failure_without_effect() {
    for (reply, says) in [
        (answer(200, json!({"value": []})), "$metadata is not as in OData: it is not XML"),
        (answer(200, METADATA.repeat(2_000_000 / METADATA.len() * 16)), "longer than 16777216 bytes"),
        (answer(404, ""), "HTTP 404"),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let failure = local().describe(&side("odata", &server.url(), json!({})), &[]).await.unwrap_err();
        assert!(failure.message.contains(says), "{failure:?}");
        assert_eq!(failure.class, ErrorClass::OtherHttp);
    }
    let server = Server::start(|_| Reply::Silence).await;
    let impatient = side("odata", &server.url(), json!({"request_timeout_ms": 200}));
    let failure = local().describe(&impatient, &[]).await.unwrap_err();
    assert_eq!(sort(&failure), (ErrorClass::Timeout, CallEffect::NotApplied));
}
