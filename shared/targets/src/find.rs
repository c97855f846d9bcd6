//! Finding a record whose URL has an id that the app chose: the app is asked for the key, and its answer has the id.

use std::collections::BTreeMap;

use app::ports::RecordAddress;
use domain::{
    ErrorClass, Failure, Record,
    failure::CallEffect,
    map::{KeyPart, KeyType},
    side::{Connector, ConnectorKind, FindSettings, KeyStyle, SideConfig},
};
use reqwest::StatusCode;
use serde_json::Value;
use url::Url;

use crate::{
    answer::{denies, unreadable, without_effect},
    connectors::Connectors,
    limits::MAX_PAGE_BYTES,
    list::{self, link},
    odata,
    path::{self, encode},
    plan::{self, not_callable},
    rest,
    secrets::Secrets,
    wire::Deadline,
};

impl<S: Secrets> Connectors<S> {
    /// The address of the record in its app: its own, or, where the app chooses the ids, the one by its id. `None`: there is no
    /// such record.
    pub(crate) async fn locate(
        &self,
        side: &SideConfig,
        record: &RecordAddress,
        deadline: &Deadline,
    ) -> Result<Option<RecordAddress>, Failure> {
        let connector = &side.connector;
        let Some(find) = &connector.find else { return Ok(Some(record.clone())) };
        let mut request = plan::get(side, question(connector, find, record)?)?;
        request.max_answer_bytes = MAX_PAGE_BYTES;
        let answer = self.send(side, &request, deadline).await.map_err(without_effect)?;
        if answer.is_absent(connector) {
            return Ok(None);
        }
        if answer.status != StatusCode::OK || answer.is_page() {
            return Err(without_effect(answer.failure_to_read()));
        }
        let body = answer.into_json()?;
        if denies(&body) {
            return Err(unreadable("the body of the answer says that it failed"));
        }
        let rows = rows(connector, find, &record.entity, &body)?;
        choose(&rest::key_parts(record)?, rows)?.map(|row| by_id(connector, find, record, row)).transpose()
    }
}

/// Where the app is asked for the key.
fn question(connector: &Connector, find: &FindSettings, record: &RecordAddress) -> Result<Url, Failure> {
    let base = path::base(connector)?;
    if connector.protocol() == ConnectorKind::Odata {
        let mut url = path::entity(connector, &record.entity)?;
        let equals = |KeyPart { field, kind, text }: KeyPart| match kind {
            KeyType::Text => format!("{field} eq {}", odata::quoted(&text)),
            KeyType::Number | KeyType::Guid => format!("{field} eq {text}"),
        };
        let filter: Vec<_> = rest::key_parts(record)?.into_iter().map(equals).collect();
        url.set_query(Some(&format!("$filter={}", encode(&filter.join(" and ")))));
        return Ok(url);
    }
    let template = find.url.as_deref().ok_or_else(|| not_callable("connector.find.url is not set"))?;
    let url = template.replace("{entity}", &path::segments(&record.entity)?);
    link::stored(&base, &url.replace("{key}", &encode(record.key.as_str())))
}

/// The records in the answer: those of a list, or the answer itself.
fn rows<'a>(
    connector: &Connector,
    find: &FindSettings,
    entity: &str,
    body: &'a Value,
) -> Result<Vec<&'a Record>, Failure> {
    let single = connector.envelope.as_deref().map_or(Some(body), |pointer| body.pointer(pointer));
    let single = single.and_then(Value::as_object).filter(|record| record.contains_key(&find.id_field));
    let of_list =
        || list::rows_in(connector, entity, body).map(|rows| rows.iter().filter_map(Value::as_object).collect());
    single.map(|record| vec![record]).or_else(of_list).ok_or_else(|| {
        unreadable(&format!(
            "the answer to connector.find has neither a list of records (connector.list.rows) nor a record with {}",
            find.id_field
        ))
    })
}

/// The one record that has the key. An app that does not know a parameter answers with all records: that there is none among them
/// does not say that there is none, for they may be the first of many.
fn choose<'a>(key: &[KeyPart], rows: Vec<&'a Record>) -> Result<Option<&'a Record>, Failure> {
    let has = |record: &Record, same: &dyn Fn(&str, &str) -> bool| {
        key.iter().all(|part| record.get(&part.field).and_then(text_of).is_some_and(|text| same(&text, &part.text)))
    };
    let exact: Vec<_> = rows.iter().copied().filter(|row| has(row, &|found, wanted| found == wanted)).collect();
    // An app that finds `c-1` when it is asked for `C-1` holds both for one key.
    let alike = |found: &str, wanted: &str| found.trim().to_lowercase() == wanted.trim().to_lowercase();
    let found = if exact.is_empty() { rows.iter().copied().filter(|row| has(row, &alike)).collect() } else { exact };
    let names = || key.iter().map(|part| format!("{} = {}", part.field, part.text)).collect::<Vec<_>>().join(", ");
    match (&found[..], rows.is_empty()) {
        ([record], _) => Ok(Some(*record)),
        ([], true) => Ok(None),
        ([], false) => Err(unreadable(&format!(
            "the app was asked for {} and answered with other records: does it know the parameter in connector.find.url?",
            names()
        ))),
        (several, _) => {
            let message = format!("the app has {} records with {}: which one is meant?", several.len(), names());
            Err(Failure::new(ErrorClass::Application, CallEffect::Refused, None, &message))
        }
    }
}

/// The record's address by its id.
fn by_id(
    connector: &Connector,
    find: &FindSettings,
    record: &RecordAddress,
    row: &Record,
) -> Result<RecordAddress, Failure> {
    let no_id = || unreadable(&format!("the record that was found has no {} (connector.find.id_field)", find.id_field));
    let id = row.get(&find.id_field).ok_or_else(no_id)?;
    let text = text_of(id).ok_or_else(no_id)?;
    let is_guid = connector.key_style() != KeyStyle::Quoted && KeyType::Guid.canonical(&text).is_ok();
    let kind = match id {
        Value::Number(_) => KeyType::Number,
        _ if is_guid => KeyType::Guid,
        _ => KeyType::Text,
    };
    Ok(RecordAddress {
        entity: record.entity.clone(),
        key_field: find.id_field.clone(),
        key_types: BTreeMap::from([(find.id_field.clone(), kind)]),
        fixed_key: BTreeMap::new(),
        key: text.parse().map_err(|_| no_id())?,
    })
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
