//! Reading any one record of an entity.

use app::ports::FetchedRecord;
use domain::{
    Failure, Record,
    side::{ConnectorKind, SideConfig},
};
use serde_json::Value;

use crate::{
    answer::unreadable, connectors::Connectors, limits::MAX_PAGE_BYTES, list::LISTS, odata, plan, secrets::Secrets,
    wire::Deadline,
};

impl<S: Secrets> Connectors<S> {
    pub(crate) async fn sample_once(&self, side: &SideConfig, entity: &str) -> Result<Option<FetchedRecord>, Failure> {
        let mut request = plan::probe(side, Some(entity))?;
        request.max_answer_bytes = MAX_PAGE_BYTES; // some apps do not know `limit`
        let answer = self.send(side, &request, &Deadline::of(side, 1)).await?;
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        let list = answer.into_json()?;
        let Some(records) = records(side.connector.protocol(), &list, entity) else {
            return Err(unreadable("the answer is no list of records"));
        };
        let mut record = match records.first() {
            None => return Ok(None),
            Some(Value::Object(record)) => record.clone(),
            Some(_) => return Err(unreadable("the answer lists something else than records")),
        };
        let etag = match side.connector.protocol() {
            ConnectorKind::Odata => odata::take_annotations(&mut record),
            ConnectorKind::Http => None,
        };
        Ok(Some(FetchedRecord { record, etag }))
    }
}

fn records<'a>(kind: ConnectorKind, list: &'a Value, entity: &str) -> Option<&'a Vec<Value>> {
    let of_entity = entity.rsplit('/').next().unwrap_or(entity);
    let member = |fields: &'a Record, name: &str| fields.get(name).and_then(Value::as_array);
    match (kind, list) {
        (ConnectorKind::Odata, list) => list["value"].as_array(),
        (ConnectorKind::Http, Value::Array(records)) => Some(records),
        (ConnectorKind::Http, Value::Object(fields)) => {
            LISTS.into_iter().chain([of_entity]).find_map(|name| member(fields, name))
        }
        (ConnectorKind::Http, _) => None,
    }
}
