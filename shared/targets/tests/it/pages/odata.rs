//! What an `OData` app is asked for.

use app::ports::PageRequest;
use domain::{failure::CallEffect, listing::PageRow};
use serde_json::{Value, json};

use super::{accounts, customers_of_usmf, keys, page};
use crate::{
    server::{Server, answer},
    setup::{local, side},
};

async fn asked(kind: &str, list: Value, listing: &domain::listing::Listing, size: u32) -> (String, String) {
    let server = Server::start(|_| answer(200, json!({"value": []}))).await;
    page(&side(kind, &server.url(), json!({"list": list})), listing, None, size).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.header("accept-encoding"), Some("gzip"));
    (seen.path.clone(), seen.header("prefer").unwrap().to_owned())
}

#[tokio::test]
async fn the_first_page_asks_for_the_mapped_fields_in_order_of_keys_and_for_no_more_rows_than_the_app_gives() {
    let (path, prefer) = asked("dataverse", json!({}), &accounts(), 9_999).await;
    let options = "$select=accountnumber,name,_primarycontactid_value&$orderby=accountnumber&$count=true";
    assert_eq!((path, &*prefer), (format!("/data/accounts?{options}"), "odata.maxpagesize=5000"));

    let listing = customers_of_usmf().with_filter("Name ne 'O''Neil & Sons'").unwrap();
    let (path, prefer) = asked("finance_operations", json!({"max_page_size": 700}), &listing, 9_999).await;
    let options = "$select=dataAreaId,CustomerAccount,name,_primarycontactid_value\
        &$filter=%28dataAreaId%20eq%20%27usmf%27%29%20and%20%28Name%20ne%20%27O%27%27Neil%20%26%20Sons%27%29\
        &$orderby=CustomerAccount&$count=true&cross-company=true";
    assert_eq!((path, &*prefer), (format!("/data/CustomersV3?{options}"), "odata.maxpagesize=700"));

    let (path, prefer) =
        asked("sap_odata", json!({"select": false, "order_by_key": false, "count": false}), &accounts(), 0).await;
    assert_eq!((&*path, &*prefer), ("/data/accounts", "odata.maxpagesize=1"));
}

#[tokio::test]
async fn pages_are_followed_to_the_last_with_the_fixed_query_once() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/data/accounts?$skiptoken=2&cross-company=true" => {
            answer(200, json!({"value": [{"accountnumber": "C-3"}], "@odata.count": 3}))
        }
        _ => answer(
            200,
            json!({"value": [{"accountnumber": "C-1", "@odata.etag": "W/\"1\"", "n@odata.type": "#x"}, {"accountnumber": 2}],
                "@odata.count": 3, "@odata.nextLink": "accounts?$skiptoken=2&cross-company=true"}),
        ),
    })
    .await;
    let side = side("finance_operations", &server.url(), json!({}));
    let first = page(&side, &accounts(), None, 2).await.unwrap();
    assert_eq!((keys(&first), first.total), (vec!["C-1", "2"], Some(3)));
    let PageRow::Record(record) = &first.rows[0] else { panic!("{first:?}") };
    assert_eq!((record.etag.as_deref(), record.record.len()), (Some("W/\"1\""), 0));
    assert_eq!(first.next.as_ref().unwrap().as_str(), "link:accounts?$skiptoken=2&cross-company=true");
    let second = page(&side, &accounts(), first.next.as_ref(), 2).await.unwrap();
    assert_eq!((keys(&second), &second.next, second.total), (vec!["C-3"], &None, None));
    assert_eq!(server.seen()[1].header("prefer"), Some("odata.maxpagesize=2"));
}

#[tokio::test]
async fn rows_of_another_company_are_left_out_and_counted() {
    let rows =
        json!([{"dataAreaId": "USMF", "CustomerAccount": "C-1"}, {"dataAreaId": "dat", "CustomerAccount": "C-1"}]);
    let server = Server::start(move |_| answer(200, json!({"value": rows}))).await;
    let read = page(&side("odata", &server.url(), json!({})), &customers_of_usmf(), None, 9).await.unwrap();
    assert_eq!((keys(&read), read.left_out), (vec!["C-1"], 1));
}

/// Dataverse counts no further, and does not say so.
#[tokio::test]
async fn a_count_at_the_limit_of_dataverse_is_not_believed() {
    for (kind, count, total) in
        [("dataverse", 4_999, Some(4_999)), ("dataverse", 5_000, None), ("odata", 5_000, Some(5_000))]
    {
        let server = Server::start(move |_| answer(200, json!({"value": [], "@odata.count": count}))).await;
        let read = page(&side(kind, &server.url(), json!({})), &accounts(), None, 9).await.unwrap();
        assert_eq!(read.total, total, "{kind} {count}");
    }
}

#[tokio::test]
async fn a_link_that_leads_away_is_not_followed_nor_is_a_forged_cursor() {
    for link in ["https://evil.test/data/accounts", "../admin", "//169.254.169.254/data/"] {
        let server = Server::start(move |_| answer(200, json!({"value": [], "@odata.nextLink": link}))).await;
        let failed = page(&side("odata", &server.url(), json!({})), &accounts(), None, 9).await.unwrap_err();
        assert!(failed.failure().message.contains("away from the side's base_url; it is not followed"), "{failed:?}");
        assert_eq!(failed.failure().effect, CallEffect::NotApplied);
    }
    let server = Server::start(|_| answer(200, json!({"value": []}))).await;
    let side = side("odata", &server.url(), json!({}));
    for forged in ["link:../admin", "link:%2e%2e/admin", "page:2", "accounts", "token:x"] {
        let cursor = forged.to_owned().try_into().unwrap();
        let asked = PageRequest { cursor: Some(cursor), size: 9 };
        assert!(app::ports::Apps::read_page(&local(), &side, &accounts(), &asked).await.is_err(), "{forged}");
    }
    assert_eq!(server.connections(), 0);
}
