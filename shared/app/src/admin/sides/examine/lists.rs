//! Whether the records of an entity can be listed: one is asked for. If that fails, other settings are tried until one helps.

use domain::{
    Timestamp,
    listing::{Listing, PageRow},
    side::{ConnectorKind, ListSettings, NextPage, Side},
};

use super::may_be_for_the_key as may_be_for_an_option;
use crate::ports::{Apps, Page, PageError, PageRequest, Ports};

/// What an app answered when one record of a list was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct ListAnswer {
    /// By the side's own settings.
    pub(in super::super) own: Result<Page, PageError>,
    /// The setting of `connector.list` that helps, and its value.
    pub(in super::super) helps: Option<(&'static str, String)>,
}

pub(super) async fn ask<P: Ports>(ports: &P, side: &Side, listing: &Listing, last: Timestamp) -> ListAnswer {
    let own = read(ports, side, listing, &side.config.connector.list).await;
    let mut answer = ListAnswer { own, helps: None };
    let is_odata = side.config.connector.protocol() == ConnectorKind::Odata;
    answer.helps = match &answer.own {
        Err(PageError::Failed(failure)) if is_odata && may_be_for_an_option(failure) => {
            find_option(ports, side, listing, last).await
        }
        Err(_) if !is_odata && side.config.connector.list.next.is_none() => {
            find_next_page(ports, side, listing, last).await
        }
        _ => None,
    };
    answer
}

async fn read<P: Ports>(ports: &P, side: &Side, listing: &Listing, list: &ListSettings) -> Result<Page, PageError> {
    let mut other = side.clone();
    other.config.connector.list = list.clone();
    ports.apps().read_page(&other, listing, &PageRequest { cursor: None, size: 1 }).await
}

/// The option that the app refuses, if it takes the request without it.
async fn find_option<P: Ports>(
    ports: &P,
    side: &Side,
    listing: &Listing,
    last: Timestamp,
) -> Option<(&'static str, String)> {
    let own = &side.config.connector.list;
    let without = [
        ("select", own.select, ListSettings { select: Some(false), ..own.clone() }),
        ("order_by_key", own.order_by_key, ListSettings { order_by_key: Some(false), ..own.clone() }),
        ("count", own.count, ListSettings { count: Some(false), ..own.clone() }),
    ];
    for (name, set, list) in without {
        if set != Some(false) && ports.now() <= last && read(ports, side, listing, &list).await.is_ok() {
            return Some((name, "false".to_owned()));
        }
    }
    None
}

/// The usual ways to find the next page, those first that the app itself names.
fn usual_ways() -> [NextPage; 9] {
    let link = |pointer: &str| NextPage::Link { pointer: pointer.to_owned() };
    let offset = |parameter: &str| NextPage::Offset { parameter: parameter.to_owned() };
    [
        NextPage::LinkHeader,
        link("/next"),
        link("/links/next"),
        link("/_links/next/href"),
        offset("offset"),
        offset("skip"),
        offset("$skip"),
        offset("_start"),
        NextPage::Page { parameter: "page".to_owned(), first: 1 },
    ]
}

/// A way that leads from the first record to another one.
async fn find_next_page<P: Ports>(
    ports: &P,
    side: &Side,
    listing: &Listing,
    last: Timestamp,
) -> Option<(&'static str, String)> {
    for way in usual_ways() {
        if ports.now() > last {
            return None;
        }
        let mut other = side.clone();
        other.config.connector.list.next = Some(way.clone());
        let read = async |cursor| ports.apps().read_page(&other, listing, &PageRequest { cursor, size: 1 }).await.ok();
        let Some(first) = read(None).await else { continue };
        let Some(next) = first.next.clone() else { continue };
        let Some(second) = read(Some(next)).await else { continue };
        if second.rows.first().is_some_and(|row| !is_same(Some(row), first.rows.first())) {
            return serde_json::to_string(&way).ok().map(|way| ("next", way));
        }
    }
    None
}

fn is_same(one: Option<&PageRow>, other: Option<&PageRow>) -> bool {
    match (one, other) {
        (Some(PageRow::Record(one)), Some(PageRow::Record(other))) => one.key == other.key,
        (one, other) => one == other,
    }
}
