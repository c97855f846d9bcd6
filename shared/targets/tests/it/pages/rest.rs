//! What a REST app is asked for.

use app::ports::PageError;
use domain::failure::ErrorClass;
use serde_json::{Value, json};

use super::{accounts, customers_of_usmf, keys, page};
use crate::{
    server::{Server, answer},
    setup::side,
};

#[tokio::test]
async fn parameters_go_with_the_fixed_query_and_the_filter() {
    let server = Server::start(|_| answer(200, json!({"records": []}))).await;
    let list = json!({"url": "v2/{entity}/all?deep=1", "next": {"by": "offset", "parameter": "start"}, "size_parameter": "max"});
    let side = side("rest", &server.url(), json!({"query": {"tenant": "a b"}, "list": list}));
    let mut listing = accounts().with_filter("status=active&type=a b").unwrap();
    listing.entity = "sales/ac counts".to_owned();
    page(&side, &listing, None, 50).await.unwrap();
    let wanted = "/data/v2/sales/ac%20counts/all?deep=1&status=active&type=a%20b&max=50&start=0&tenant=a%20b";
    assert_eq!(server.only().path, wanted);
}

#[tokio::test]
async fn a_posted_search_has_its_parameters_in_the_body() {
    let server = Server::start(|_| answer(200, json!({"hits": {"rows": [{"accountnumber": "C-1"}]}}))).await;
    let list =
        json!({"method": "post", "url": "search", "rows": "/hits/rows", "next": {"by": "whole"}, "size_parameter": ""});
    let side = side("rest", &server.url(), json!({"list": list}));
    let read = page(&side, &accounts().with_filter("kind=customer").unwrap(), None, 50).await.unwrap();
    assert_eq!((keys(&read), read.next.clone()), (vec!["C-1"], None));
    assert_eq!((server.only().path.as_str(), server.only().json()), ("/data/search", json!({"kind": "customer"})));
}

/// The first page would be taken for all records.
#[tokio::test]
async fn nothing_is_listed_unless_the_side_says_how_the_next_page_is_found() {
    let server = Server::start(|_| answer(200, json!([]))).await;
    let failed = page(&side("rest", &server.url(), json!({})), &accounts(), None, 9).await.unwrap_err();
    assert!(failed.failure().message.contains("connector.list.next is not set"), "{failed:?}");
    assert_eq!(server.connections(), 0);
}

async fn read(list: Value, body: Value) -> Result<(usize, Option<String>), PageError> {
    let server = Server::start(move |_| answer(200, &body)).await;
    let read = page(&side("rest", &server.url(), json!({"list": list})), &customers_of_usmf(), None, 9).await?;
    Ok((read.rows.len(), read.next.map(String::from)))
}

#[tokio::test]
async fn a_next_page_that_is_none_ends_the_list_and_one_that_is_nonsense_fails_it() {
    let token = || json!({"next": {"by": "token", "pointer": "/next", "parameter": "after"}});
    for (next, wanted) in [
        (json!("abc"), Some("token:abc")),
        (json!(17), Some("token:17")),
        (json!(""), None),
        (json!(null), None),
        (json!(false), None),
    ] {
        assert_eq!(
            read(token(), json!({"data": [], "next": next})).await.unwrap(),
            (0, wanted.map(str::to_owned)),
            "{next}"
        );
    }
    assert_eq!(read(token(), json!({"data": []})).await.unwrap().1, None);
    assert!(read(token(), json!({"data": [], "next": {"href": "x"}})).await.is_err());
    assert!(read(token(), json!({"data": [], "next": "x".repeat(9_000)})).await.is_err());
    let link = json!({"next": {"by": "link", "pointer": "/next"}});
    assert!(read(link.clone(), json!({"data": [], "next": "https://evil.test/"})).await.is_err());
    assert_eq!(
        read(link, json!({"data": [], "next": "?page=2"})).await.unwrap().1.as_deref(),
        Some("link:CustomersV3?page=2")
    );
}

#[tokio::test]
async fn an_answer_without_a_list_is_no_page() {
    let whole = || json!({"next": {"by": "whole"}});
    for body in
        [json!({"data": {}}), json!(7), json!({"success": false, "data": []}), json!({"error": "x", "data": []})]
    {
        let failed = read(whole(), body.clone()).await.unwrap_err();
        assert!(
            matches!(&failed, PageError::Failed(failure) if failure.class == ErrorClass::OtherHttp),
            "{body}: {failed:?}"
        );
    }
    assert!(read(json!({"next": {"by": "whole"}, "rows": "/items"}), json!({"data": []})).await.is_err());
    assert_eq!(read(whole(), json!({"CustomersV3": [{"CustomerAccount": "C-1"}, 7]})).await.unwrap().0, 2);
}
