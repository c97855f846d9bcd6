//! Requests as data: what would be sent, before anything is.

use app::ports::{Call, FetchedRecord};
use domain::{
    ErrorClass, Failure, Record, RecordKey,
    failure::{CallEffect, CallEnd, classify},
    record::Image,
    side::{Capability, ConnectorKind, SideConfig},
};
use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};
use url::Url;

use crate::{limits::MAX_ANSWER_BYTES, odata, path, rest};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TANDEM_VERSION: HeaderName = HeaderName::from_static("tandem-version");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request, without credentials.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) max_answer_bytes: usize,
}

/// What must be so for a write to have an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    /// The record still has this `ETag`.
    Unchanged(HeaderValue),
    /// There is no such record.
    Missing,
}

impl Request {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, JSON)]);
        Self { method, url, headers, body: None, max_answer_bytes: MAX_ANSWER_BYTES }
    }

    fn with_json(mut self, record: &Record) -> Result<Self, Failure> {
        let body = serde_json::to_vec(record).map_err(|error| unwritable(&format!("not writable as JSON: {error}")))?;
        self.headers.insert(CONTENT_TYPE, JSON);
        self.body = Some(body);
        Ok(self)
    }
}

/// The upsert or delete of a record.
pub(crate) fn write(side: &SideConfig, call: &Call, condition: &Condition) -> Result<Request, Failure> {
    let url = record_url(side, &call.entity, &call.key_field, &call.key)?;
    let odata = side.connector.kind == ConnectorKind::Odata;
    let mut request = match &call.image {
        Image::Absent => Request::new(Method::DELETE, url),
        Image::Present(record) if odata => Request::new(Method::PATCH, url).with_json(record)?,
        Image::Present(record) => Request::new(Method::PUT, url).with_json(&rest::full(record, call))?,
    };
    if odata {
        odata::headers(&mut request, side.capability == Capability::Versioned);
    }
    let headers = &mut request.headers;
    headers.insert(IDEMPOTENCY_KEY, header(&call.entry.to_string())?);
    headers.insert(TANDEM_VERSION, header(&call.version.to_string())?);
    match condition {
        Condition::Always => {}
        Condition::Unchanged(etag) => drop(headers.insert(IF_MATCH, etag.clone())),
        Condition::Missing => drop(headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"))),
    }
    Ok(request)
}

/// The reading of a record.
pub(crate) fn read(side: &SideConfig, entity: &str, key_field: &str, key: &RecordKey) -> Result<Request, Failure> {
    Ok(get(side, record_url(side, entity, key_field, key)?))
}

/// The smallest question that shows whether we are let in.
pub(crate) fn probe(side: &SideConfig, entity: Option<&str>) -> Result<Request, Failure> {
    let mut url = match entity {
        Some(entity) => path::entity(&side.connector, entity)?,
        None => path::base(&side.connector)?,
    };
    match (entity, side.connector.kind) {
        (None, _) => {}
        (Some(_), ConnectorKind::Odata) => url.set_query(Some("$top=1")),
        (Some(_), ConnectorKind::Http) => url.set_query(Some("limit=1")),
    }
    Ok(get(side, url))
}

pub(crate) fn get(side: &SideConfig, url: Url) -> Request {
    let mut request = Request::new(Method::GET, url);
    if side.connector.kind == ConnectorKind::Odata {
        odata::headers(&mut request, false);
    }
    request
}

/// A record as the app tells it: without annotations, and without the key, which is no field to us.
pub(crate) fn found(side: &SideConfig, mut record: Record, key_field: &str, etag: Option<String>) -> FetchedRecord {
    let told = match side.connector.kind {
        ConnectorKind::Odata => odata::take_annotations(&mut record),
        ConnectorKind::Http => None,
    };
    record.remove(key_field);
    FetchedRecord { record, etag: etag.or(told) }
}

fn record_url(side: &SideConfig, entity: &str, key_field: &str, key: &RecordKey) -> Result<Url, Failure> {
    let entity = path::entity(&side.connector, entity)?;
    let key = match side.connector.kind {
        ConnectorKind::Odata => odata::key(side.connector.key_style, key_field, key.as_str())?,
        ConnectorKind::Http => format!("/{}", path::segment(key.as_str())?),
    };
    path::under(&entity, &key)
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| unwritable("an id cannot stand in a header"))
}

/// The record itself cannot be put into a request: no repetition changes that.
pub(crate) fn unwritable(message: &str) -> Failure {
    Failure::new(ErrorClass::BadRequest, CallEffect::Refused, None, message)
}

/// The side's settings do not lead to an app that may be called. They concern every record alike.
pub(crate) fn not_callable(message: &str) -> Failure {
    ended(CallEnd::NotAllowed, message)
}

/// A failure without an answer.
pub(crate) fn ended(end: CallEnd, message: &str) -> Failure {
    let (class, effect) = classify(end).unwrap_or((ErrorClass::OtherHttp, CallEffect::Unknown));
    Failure::new(class, effect, None, message)
}
