//! Reads any one record of an entity, for the connection test.

use app::ports::FetchedRecord;
use domain::{
    Failure,
    side::{ConnectorKind, SideConfig},
};
use serde_json::Value;

use crate::{
    answer::unreadable, connectors::Connectors, limits::MAX_PAGE_BYTES, list::rows_in, odata, plan, secrets::Secrets,
    wire::Deadline,
};

impl<S: Secrets> Connectors<S> {
    pub(crate) async fn sample_once(&self, side: &SideConfig, entity: &str) -> Result<Option<FetchedRecord>, Failure> {
        let mut request = plan::probe(side, Some(entity))?;
        request.max_answer_bytes = MAX_PAGE_BYTES; // some apps ignore `limit` and return a whole page
        let answer = self.send(side, &request, &Deadline::of(side, 1)).await?;
        if !answer.status.is_success() {
            return Err(answer.failure());
        }
        let list = answer.into_json()?;
        let Some(records) = rows_in(&side.connector, entity, &list) else {
            let hint = find_list(&list).map(|at| format!("; it has one at {at}: set connector.list.rows to that"));
            return Err(unreadable(&format!("the answer is no list of records{}", hint.unwrap_or_default())));
        };
        let mut record = match records.first() {
            None => return Ok(None),
            Some(Value::Object(record)) => record.clone(),
            Some(_) => return Err(unreadable("the answer is a list, but not of records")),
        };
        let etag = match side.connector.protocol() {
            ConnectorKind::Odata => odata::take_annotations(&mut record),
            ConnectorKind::Http => None,
        };
        Ok(Some(FetchedRecord { record, etag }))
    }
}

/// Where an answer has a list of records, if it has one: at its top, or one level below.
fn find_list(answer: &Value) -> Option<String> {
    let is_list = |value: &Value| value.as_array().is_some_and(|rows| rows.first().is_some_and(Value::is_object));
    let pointer = |name: &String| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    let members = answer.as_object()?;
    let at_top = members.iter().find(|(_, value)| is_list(value)).map(|(name, _)| pointer(name));
    at_top.or_else(|| {
        members.iter().find_map(|(outer, value)| {
            let inner = value.as_object()?.iter().find(|(_, value)| is_list(value))?.0;
            Some(format!("{}{}", pointer(outer), pointer(inner)))
        })
    })
}
