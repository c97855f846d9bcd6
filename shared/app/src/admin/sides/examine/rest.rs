//! Settings of a REST app that would help: when it shows no record, or none by its key, others are tried until one works.

use domain::{
    Failure, Record, Timestamp,
    side::{ConnectorKind, FindSettings, Side},
};

use super::may_be_for_the_key as may_be_for_the_url;
use crate::ports::{Apps, FetchedRecord, Ports, RecordAddress};

/// Usual names of the parameter that has the size of a page.
const SIZES: [&str; 8] = ["$limit", "_limit", "per_page", "page_size", "pageSize", "size", "$top", "count"];
/// Usual forms of a record's URL, other than `{entity}/{key}`.
const RECORD_URLS: [&str; 2] = ["{entity}/{key}/", "{entity}/{key}.json"];
/// Usual names of a field with an id that the app chose.
const IDS: [&str; 7] = ["id", "_id", "Id", "ID", "uuid", "guid", "key"];

/// A setting of the connector with which the app answers as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Help {
    pub(in super::super) setting: &'static str,
    pub(in super::super) value: String,
}

/// What an app answers to a question.
type Answer = Result<Option<FetchedRecord>, Failure>;

fn is_rest(side: &Side) -> bool {
    side.config.connector.protocol() == ConnectorKind::Http
}

fn with(side: &Side, change: impl FnOnce(&mut domain::side::Connector)) -> Side {
    let mut other = side.clone();
    change(&mut other.config.connector);
    other
}

/// A setting with which the app shows a record of the entity, if it shows none with its own: an app may take the parameter with
/// the size of a page for a filter, or want a slash at the end of a URL.
pub(super) async fn mend_sample<P: Ports>(
    ports: &P,
    side: &Side,
    entity: &str,
    own: &Answer,
    last: Timestamp,
) -> Option<(Help, Side, Record)> {
    if !is_rest(side) {
        return None;
    }
    let connector = &side.config.connector;
    match own {
        Ok(None) if connector.list.size_parameter().is_some() => {
            let sized = |name: &str| with(side, |connector| connector.list.size_parameter = Some(name.to_owned()));
            let without = show(ports, &sized(""), entity, last).await?;
            let mut best = (String::new(), without);
            for name in SIZES {
                if let Some(record) = show(ports, &sized(name), entity, last).await {
                    best = (name.to_owned(), record);
                    break;
                }
            }
            let (value, record) = best;
            let other = sized(&value);
            Some((Help { setting: "connector.list.size_parameter", value }, other, record))
        }
        Err(failure) if connector.entity_url.is_none() && may_be_for_the_url(failure) => {
            let value = "{entity}/".to_owned();
            let other = with(side, |connector| connector.entity_url = Some(value.clone()));
            let record = show(ports, &other, entity, last).await?;
            Some((Help { setting: "connector.entity_url", value }, other, record))
        }
        _ => None,
    }
}

/// A setting with which the app finds a record by its key, if it does not with its own: its URLs have another form, or an id that
/// the app chose.
pub(super) async fn mend_key<P: Ports>(
    ports: &P,
    side: &Side,
    address: &RecordAddress,
    record: &Record,
    own: &Answer,
    last: Timestamp,
) -> Option<(Help, Side)> {
    let is_well = match own {
        Ok(found) => found.is_some(),
        Err(failure) => !may_be_for_the_url(failure),
    };
    let connector = &side.config.connector;
    if is_well || !is_rest(side) {
        return None;
    }
    let with_url = |url: &str| with(side, |connector| connector.record_url = Some(url.to_owned()));
    let urls = RECORD_URLS.into_iter().filter(|_| connector.record_url.is_none());
    for url in urls.clone() {
        let other = with_url(url);
        if finds(ports, &other, address, last).await {
            return Some((Help { setting: "connector.record_url", value: url.to_owned() }, other));
        }
    }
    let [key_field] = address.own_fields()[..] else { return None };
    let is_id = |id: &&str| connector.find.is_none() && *id != key_field && record.contains_key(*id);
    let ids = IDS.into_iter().filter(is_id);
    for id_field in ids {
        let url = Some(format!("{}?{key_field}={{key}}", connector.entity_url()));
        let find = FindSettings { id_field: id_field.to_owned(), url };
        for other in [side.clone()].into_iter().chain(urls.clone().map(&with_url)) {
            let other = with(&other, |connector| connector.find = Some(find.clone()));
            if finds(ports, &other, address, last).await {
                let value = serde_json::to_string(&find).ok()?;
                return Some((Help { setting: "connector.find", value }, other));
            }
        }
    }
    None
}

/// A record of the entity, if the app shows one and time is left.
async fn show<P: Ports>(ports: &P, side: &Side, entity: &str, last: Timestamp) -> Option<Record> {
    if ports.now() > last {
        return None;
    }
    Some(ports.apps().sample(side, entity).await.ok()??.record)
}

/// Whether the app finds the record. `false` as well when no time is left.
async fn finds<P: Ports>(ports: &P, side: &Side, address: &RecordAddress, last: Timestamp) -> bool {
    ports.now() <= last && matches!(ports.apps().read(side, address).await, Ok(Some(_)))
}
