//! Builds requests as data, before anything is sent.

use app::ports::{Call, FetchedRecord, RecordAddress};
use domain::{
    ErrorClass, Failure, Record,
    failure::{CallEffect, CallEnd, classify},
    map::KeyPart,
    side::{Capability, Connector, ConnectorKind, DeleteMethod, SideConfig, UpdateMethod},
};
use reqwest::{
    Method,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH},
};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::{limits::MAX_ANSWER_BYTES, odata, path, refused_key::KeyInPath, rest};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TANDEM_VERSION: HeaderName = HeaderName::from_static("tandem-version");
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request, without credentials.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) max_answer_bytes: usize,
    /// The key of the record that the path names.
    pub(crate) key_in_path: Option<KeyInPath>,
}

/// The precondition of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    /// The record must still have this `ETag`.
    Unchanged(HeaderValue),
    /// There must be no such record.
    Missing,
}

impl Request {
    /// Creates a request that asks for an uncompressed answer. Without the header `Accept-Encoding` a server may choose
    /// any compression (RFC 9110, 12.5.3). When they compress, Apache marks the `ETag` and nginx makes it weak, and
    /// then no `If-Match` matches it. Answers are small. A side can set another value in its `headers`.
    pub(crate) fn new(method: Method, url: Url) -> Self {
        let headers = HeaderMap::from_iter([(ACCEPT, JSON), (ACCEPT_ENCODING, IDENTITY)]);
        Self { method, url, headers, body: None, max_answer_bytes: MAX_ANSWER_BYTES, key_in_path: None }
    }

    fn with_json(mut self, record: &Record) -> Result<Self, Failure> {
        let body = serde_json::to_vec(record).map_err(|error| unwritable(&format!("not writable as JSON: {error}")))?;
        self.headers.insert(CONTENT_TYPE, JSON);
        self.body = Some(body);
        Ok(self)
    }
}

/// The content of a write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sends<'a> {
    /// Some fields of a record. The write creates the record if there is none.
    Change(&'a Record),
    /// A whole record that replaces the existing one.
    Whole(&'a Record),
    /// A new record.
    New(&'a Record),
    /// The deletion of a record.
    Deletion,
}

/// Builds one request of a write.
pub(crate) fn write(
    side: &SideConfig,
    call: &Call,
    at: &RecordAddress,
    sends: Sends<'_>,
    condition: &Condition,
) -> Result<Request, Failure> {
    let connector = &side.connector;
    let odata = connector.protocol() == ConnectorKind::Odata;
    let change = |method| of_record(method, side, at, connector.update_url());
    let with_key = |record: &Record| rest::with_key(record.clone(), &call.record);
    let envelop = |record: Record| envelop(connector, record);
    let mut request = match (sends, connector.update()) {
        (Sends::Deletion, _) => of_record(delete_method(connector), side, at, connector.delete_url())?,
        (Sends::New(record), _) => {
            let url = path::collection(connector, &call.record.entity, connector.create_url())?;
            Request::new(Method::POST, url).with_json(&envelop(with_key(record)?))?
        }
        (Sends::Whole(record), _) => change(Method::PUT)?.with_json(&envelop(with_key(record)?))?,
        (Sends::Change(record), UpdateMethod::Post) => change(Method::POST)?.with_json(&envelop(record.clone()))?,
        (Sends::Change(record), UpdateMethod::Patch | UpdateMethod::Put) => {
            change(Method::PATCH)?.with_json(&envelop(record.clone()))?
        }
    };
    if odata {
        let representation = side.capability == Capability::Versioned || connector.wants_stored_record;
        odata::headers(&mut request, representation);
    }
    let headers = &mut request.headers;
    // An app that remembers idempotency keys must not take a create for a repeat of the update that found no record.
    let new = if matches!(sends, Sends::New(_)) { ".new" } else { "" };
    headers.insert(IDEMPOTENCY_KEY, header(&format!("{}{new}", call.entry))?);
    headers.insert(TANDEM_VERSION, header(&call.version.to_string())?);
    match condition {
        Condition::Always => {}
        Condition::Unchanged(etag) => drop(headers.insert(IF_MATCH, etag.clone())),
        Condition::Missing => drop(headers.insert(IF_NONE_MATCH, HeaderValue::from_static("*"))),
    }
    with_fixed(side, request)
}

fn delete_method(connector: &Connector) -> Method {
    match connector.delete {
        Some(DeleteMethod::Post) => Method::POST,
        Some(DeleteMethod::Delete) | None => Method::DELETE,
    }
}

/// The record where a body of this app has it.
fn envelop(connector: &Connector, record: Record) -> Record {
    let names: Vec<_> = connector.envelope.iter().flat_map(|pointer| pointer.split('/').skip(1)).collect();
    let name = |name: &str| name.replace("~1", "/").replace("~0", "~");
    names.into_iter().rev().fold(record, |inner, outer| Record::from_iter([(name(outer), Value::Object(inner))]))
}

/// Adds the side's own headers and query parameters.
fn with_fixed(side: &SideConfig, mut request: Request) -> Result<Request, Failure> {
    if side.connector.protocol() == ConnectorKind::Http {
        let is_patch = request.method == Method::PATCH;
        let sent = if is_patch { side.connector.patch_media_type() } else { side.connector.media_type() };
        request.headers.insert(ACCEPT, media_type(side.connector.media_type())?);
        if request.body.is_some() {
            request.headers.insert(CONTENT_TYPE, media_type(sent)?);
        }
    }
    for (name, value) in &side.connector.headers {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| not_callable("connector.headers has no header name"))?;
        let value = HeaderValue::from_str(value).map_err(|_| not_callable("connector.headers has no header value"))?;
        request.headers.insert(name, value);
    }
    let mut query = side.connector.query();
    // Parameters of the request itself win: a link of the app to the next page has these already.
    let given: Vec<_> = request.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    query.retain(|name, _| !given.iter().any(|given| given == name));
    if !query.is_empty() {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        // A form encodes a space as a plus. In URLs of OData a plus is a plus, and CAP refuses it. A real plus is `%2B`
        // here.
        let own = form.replace('+', "%20");
        let all = request.url.query().map_or_else(|| own.clone(), |given| format!("{given}&{own}"));
        request.url.set_query(Some(&all));
    }
    Ok(request)
}

fn media_type(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| not_callable("connector.media_type is no header value"))
}

/// Builds the request that reads a record.
pub(crate) fn read(side: &SideConfig, record: &RecordAddress) -> Result<Request, Failure> {
    read_by(side, of_record(Method::GET, side, record, side.connector.record_url())?)
}

/// Builds the smallest request that shows whether the app accepts our credentials.
pub(crate) fn probe(side: &SideConfig, entity: Option<&str>) -> Result<Request, Failure> {
    let connector = &side.connector;
    let Some(entity) = entity else { return get(side, path::base(connector)?) };
    let mut url = path::collection(connector, entity, connector.entity_url())?;
    let query = match connector.protocol() {
        ConnectorKind::Odata => Some("$top=1".to_owned()),
        ConnectorKind::Http => connector.list.size_parameter().map(|name| format!("{}=1", path::encode(name))),
    };
    url.set_query(query.as_deref());
    get(side, url)
}

pub(crate) fn get(side: &SideConfig, url: Url) -> Result<Request, Failure> {
    read_by(side, Request::new(Method::GET, url))
}

/// Builds the request that reads a page. Some apps take their parameters from the body.
pub(crate) fn list(side: &SideConfig, method: Method, url: Url, body: Option<&Record>) -> Result<Request, Failure> {
    let request = Request::new(method, url);
    match body {
        None => read_by(side, request),
        Some(body) => with_fixed(side, request.with_json(body)?),
    }
}

fn read_by(side: &SideConfig, mut request: Request) -> Result<Request, Failure> {
    if side.connector.protocol() == ConnectorKind::Odata {
        odata::headers(&mut request, false);
    }
    with_fixed(side, request)
}

/// The record in an answer, without annotations and without its key, which Tandem does not treat as a field.
pub(crate) fn found(
    side: &SideConfig,
    mut record: Record,
    address: &RecordAddress,
    etag: Option<String>,
) -> FetchedRecord {
    let told = match side.connector.protocol() {
        ConnectorKind::Odata => odata::take_annotations(&mut record),
        ConnectorKind::Http => None,
    };
    let own = address.own_fields();
    record.retain(|name, _| !address.fixed_key.contains_key(name) && !own.contains(&name.as_str()));
    FetchedRecord { record, etag: etag.or(told) }
}

/// A request to a record; `template` says where a REST app has it.
fn of_record(method: Method, side: &SideConfig, record: &RecordAddress, template: &str) -> Result<Request, Failure> {
    let connector = &side.connector;
    let (mut url, query) = match connector.protocol() {
        ConnectorKind::Odata => {
            let odata::KeyInUrl { predicate, query } = odata::key(connector, record)?;
            (path::under(&path::entity(connector, &record.entity)?, &predicate)?, query)
        }
        ConnectorKind::Http => {
            let segment = |part: KeyPart| path::key_segment(connector.key_encoding, &part.text);
            let segments: Vec<_> = rest::key_parts(record)?.into_iter().map(segment).collect::<Result<_, _>>()?;
            (path::record(connector, template, &record.entity, &segments.join("/"))?, String::new())
        }
    };
    url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
    let key_in_path = KeyInPath::of(connector, record);
    Ok(Request { key_in_path, ..Request::new(method, url) })
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| unwritable("an id cannot stand in a header"))
}

/// The failure of a record that no request can carry. A retry cannot help.
pub(crate) fn unwritable(message: &str) -> Failure {
    Failure::new(ErrorClass::BadRequest, CallEffect::Refused, None, message)
}

/// The failure of a side whose settings allow no call to its app. It concerns every record.
pub(crate) fn not_callable(message: &str) -> Failure {
    ended(CallEnd::NotAllowed, message)
}

/// The failure of a call that ended without an answer.
pub(crate) fn ended(end: CallEnd, message: &str) -> Failure {
    let (class, effect) = classify(end).unwrap_or((ErrorClass::OtherHttp, CallEffect::Unknown));
    Failure::new(class, effect, None, message)
}
