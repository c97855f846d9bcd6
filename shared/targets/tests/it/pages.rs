//! Reading an entity page by page.

mod odata;
mod rest;
mod stub;
mod trouble;

use app::ports::{Apps, Page, PageError, PageRequest};
use domain::{
    listing::{Cursor, Listing, PageRow},
    side::Side,
};
use serde_json::json;
use testkit::contract::pages_contract;

use self::stub::{Stub, Way};
use crate::setup::local;

/// The list of accounts of a map with two fields.
pub(crate) fn accounts() -> Listing {
    let fields = ["name", "_primarycontactid_value"].map(str::to_owned).into();
    Listing { entity: "accounts".to_owned(), key_field: "accountnumber".to_owned(), fields, ..Listing::default() }
}

/// One of a company.
pub(crate) fn customers_of_usmf() -> Listing {
    let fixed_key = [("dataAreaId".to_owned(), json!("usmf"))].into();
    Listing { entity: "CustomersV3".to_owned(), key_field: "CustomerAccount".to_owned(), fixed_key, ..accounts() }
}

pub(crate) async fn page(
    side: &Side,
    listing: &Listing,
    cursor: Option<&Cursor>,
    size: u32,
) -> Result<Page, PageError> {
    local().read_page(side, listing, &PageRequest { cursor: cursor.cloned(), size }).await
}

/// The keys of its records.
pub(crate) fn keys(page: &Page) -> Vec<&str> {
    let records = page.rows.iter().filter_map(|row| match row {
        PageRow::Record(record) => Some(record.key.as_str()),
        PageRow::Unusable(_) => None,
    });
    records.collect()
}

async fn keeps_the_contract(way: Way) {
    pages_contract(async || Stub::start(way).await).await;
}

#[tokio::test]
async fn odata_lists_keep_the_contract_of_pages() {
    keeps_the_contract(Way::Odata).await;
}

#[tokio::test]
async fn rest_lists_by_links_keep_the_contract_of_pages() {
    keeps_the_contract(Way::LinkHeader).await;
    keeps_the_contract(Way::Link).await;
}

#[tokio::test]
async fn rest_lists_by_tokens_keep_the_contract_of_pages() {
    keeps_the_contract(Way::Token).await;
    keeps_the_contract(Way::PostedToken).await;
}

#[tokio::test]
async fn rest_lists_by_counting_keep_the_contract_of_pages() {
    keeps_the_contract(Way::Page).await;
    keeps_the_contract(Way::Offset).await;
}
