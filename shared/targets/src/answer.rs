//! An HTTP answer: its status, its headers, and its body up to a limit.

use app::ports::RecordAddress;
use domain::{
    ErrorClass, Failure, Record,
    failure::{CallEffect, CallEnd, classify},
    record::find_too_deep,
    side::{AppKind, Connector, ConnectorKind, SideConfig},
};
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, ETAG, HeaderMap, LOCATION},
};
use serde_json::Value;
use url::Url;

use crate::{
    decode::{Text, is_compressed},
    explain::{Explanation, explain},
    odata,
    plan::{self, ended},
    refused_key::KeyInPath,
    retry_after::retry_after_ms,
    secrets::Secret,
};

/// What Finance & Operations says to the change or deletion of a record that is not there, with status 400.
const MISSING_IN_FINANCE: &str = "No resources were found when selecting for update";
/// What it says to the creation of one that is there: "Cannot create a record in … . The record already exists.."
const DUPLICATE_IN_FINANCE: &str = "The record already exists";

/// An answer. Its status stands, whatever became of its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The key that stood in the path, if servers may refuse it there.
    pub(crate) key_in_path: Option<KeyInPath>,
    /// Secrets to redact from every message.
    pub(crate) hidden: Vec<Secret>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Text),
    /// Longer than the limit.
    TooLarge {
        limit_bytes: usize,
    },
    /// Cut off early.
    Broken(CallEnd, String),
    /// In a form that Tandem cannot read; a sentence says which.
    Undecodable(String),
}

impl Answer {
    /// Whether the app itself says that there is no such record. A router, a proxy or a page in front of it answers 404 as
    /// well, of records that are there: `OData` says so with an error in its own form, and no app says so in HTML.
    pub(crate) fn is_absent(&self, connector: &Connector) -> bool {
        let says_so = matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let by_status = says_so
            && match connector.protocol() {
                ConnectorKind::Odata => self.json().is_some_and(|body| body["error"].is_object()),
                ConnectorKind::Http => !self.is_page(),
            };
        by_status || self.is_worded(connector, MISSING_IN_FINANCE)
    }

    /// Whether the body of a successful `GET` of an `OData` record is a list without items, as simple-odata-server answers when
    /// there is none. `null` and `[]` are not taken for that: nothing in them shows that the app itself answered.
    pub(crate) fn has_no_record(&self) -> bool {
        let Some(Value::Object(body)) = self.json() else { return false };
        let is_empty = body.get("value").and_then(Value::as_array).is_some_and(Vec::is_empty);
        let is_list = |name: &String| name == "value" || name.starts_with("@odata.");
        is_empty && body.contains_key("@odata.context") && body.keys().all(is_list)
    }

    /// Whether the app refuses to make a record because it is there already.
    pub(crate) fn is_duplicate(&self, connector: &Connector) -> bool {
        matches!(self.status, StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED)
            || self.is_worded(connector, DUPLICATE_IN_FINANCE)
    }

    /// Finance & Operations answers 400 to all that it does not take, or 500 in older versions. Only its words tell what it was.
    fn is_worded(&self, connector: &Connector, words: &str) -> bool {
        let refuses = matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR);
        let says =
            |body: Value| body["error"]["innererror"]["message"].as_str().is_some_and(|says| says.contains(words));
        connector.kind == AppKind::FinanceOperations && refuses && self.json().is_some_and(says)
    }

    /// Why a success status does not prove that the app applied the write. `None`: the answer proves it.
    pub(crate) fn doubt(&self, kind: ConnectorKind) -> Option<String> {
        if self.is_page() {
            return Some("the answer is a web page, not one of the app".to_owned());
        }
        match self.status {
            StatusCode::NO_CONTENT | StatusCode::CREATED => return None,
            StatusCode::ACCEPTED => return Some("the app has accepted the write, but not done it".to_owned()),
            StatusCode::OK => {}
            _ => return Some("this status does not say that the write was done".to_owned()),
        }
        if let Body::Undecodable(why) = &self.body {
            return Some(why.clone());
        }
        let body = self.json();
        match (kind, &body) {
            (_, Some(body)) if denies(body) => Some("its body says that it failed".to_owned()),
            (ConnectorKind::Odata, Some(Value::Object(fields))) if fields.keys().any(|name| name.starts_with('@')) => {
                None
            }
            // The body is too long or cut off, so only the status and the media type count.
            (ConnectorKind::Odata, None) if !self.is_whole() && self.media_type() == "application/json" => None,
            (ConnectorKind::Odata, _) => Some("its body is no OData object".to_owned()),
            (ConnectorKind::Http, _) => None,
        }
    }

    /// The failure of a write whose answer does not tell whether the app applied it.
    pub(crate) fn doubtful(&self, why: &str) -> Failure {
        let message = format!("{}: {why}", self.in_words());
        // A denial in JSON is the app's own and may be about the record: a bare status would speak of the whole side.
        let status = (!self.json().as_ref().is_some_and(denies)).then(|| self.status.as_u16().to_string());
        Failure::new(ErrorClass::OtherHttp, CallEffect::Unknown, status, &message)
    }

    fn is_whole(&self) -> bool {
        matches!(self.body, Body::Whole(_))
    }

    fn json(&self) -> Option<Value> {
        let Body::Whole(body) = &self.body else { return None };
        serde_json::from_str(&body.text).ok()
    }

    /// The media type, in lower case and without parameters.
    fn media_type(&self) -> String {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether it is a page for people: a login, a maintenance notice, an error of a proxy.
    pub(crate) fn is_page(&self) -> bool {
        let begins = |text: &str| {
            let start = text.trim_start().chars().take(20).collect::<String>().to_ascii_lowercase();
            // Whatever says that it is JSON and is markup comes from something in front of the app.
            let is_markup = self.media_type().ends_with("json") && start.starts_with('<');
            is_markup || ["<!doctype html", "<html", "<head", "<body", "<!--"].iter().any(|tag| start.starts_with(tag))
        };
        let html = matches!(self.media_type().as_str(), "text/html" | "application/xhtml+xml");
        html || matches!(&self.body, Body::Whole(body) if begins(&body.text))
    }

    /// The record's `ETag` as the header tells it.
    pub(crate) fn header_etag(&self) -> Option<String> {
        let etag = self.headers.get(ETAG)?.to_str().ok()?;
        // Apache and Jetty mark the ETag of what they compress, and the app behind them does not know the marked one.
        let marked = ["--gzip\"", "-gzip\"", ";gzip\""].iter().find_map(|mark| etag.strip_suffix(mark));
        Some(match marked.filter(|_| is_compressed(&self.headers)) {
            Some(etag) => format!("{etag}\""),
            None => etag.to_owned(),
        })
    }

    /// The `ETag` of a record that was written: by header, or, in `OData`, in the body.
    pub(crate) fn etag(&self) -> Option<String> {
        self.header_etag().or_else(|| match self.json()?.get(odata::ETAG)? {
            Value::String(etag) => Some(etag.clone()),
            _ => None,
        })
    }

    /// The body of a successful `GET`. All its failures are without effect.
    pub(crate) fn into_record(self) -> Result<Record, Failure> {
        match self.into_json()? {
            Value::Object(record) => shallow(record),
            _ => Err(unreadable("the answer is no JSON object")),
        }
    }

    /// The record in the body of a successful `GET`, where this app's bodies have it; `None`: the body has null there.
    pub(crate) fn into_enveloped(self, connector: &Connector) -> Result<Option<Record>, Failure> {
        let Some(pointer) = &connector.envelope else { return self.into_record().map(Some) };
        let body = self.into_json()?;
        if denies(&body) {
            return Err(unreadable("the body of the answer says that it failed"));
        }
        match body.pointer(pointer) {
            Some(Value::Null) => Ok(None),
            Some(Value::Object(record)) => shallow(record.clone()).map(Some),
            _ => Err(unreadable(&format!("the answer has no object at {pointer} (connector.envelope)"))),
        }
    }

    /// The body of a successful `GET` as any JSON value.
    pub(crate) fn into_json(self) -> Result<Value, Failure> {
        serde_json::from_str(&self.into_text()?)
            .map_err(|error| unreadable(&format!("the answer is not JSON: {}", shape(&error))))
    }

    /// The body of a successful `GET` as text.
    pub(crate) fn into_text(self) -> Result<String, Failure> {
        self.text()?;
        match self.body {
            Body::Whole(Text { text, .. }) => Ok(text),
            Body::TooLarge { .. } | Body::Undecodable(_) | Body::Broken(..) => Ok(String::new()),
        }
    }

    /// The same, where it is.
    pub(crate) fn text(&self) -> Result<&str, Failure> {
        match &self.body {
            Body::Whole(Text { text, flaw: None }) => Ok(text),
            Body::Whole(Text { flaw: Some(why), .. }) => Err(unreadable(&format!("the answer cannot be read: {why}"))),
            Body::TooLarge { limit_bytes } => {
                Err(unreadable(&format!("the answer is longer than {limit_bytes} bytes")))
            }
            Body::Undecodable(why) => Err(unreadable(&format!("the answer cannot be read: {why}"))),
            Body::Broken(end, message) => Err(without_effect(ended(*end, message))),
        }
    }

    /// The record as the app has stored it, if this answer to a write is that record. Its absence is no failure: the write stands.
    pub(crate) fn stored(&self, side: &SideConfig, address: &RecordAddress) -> Option<Record> {
        let Body::Whole(Text { text, flaw: None }) = &self.body else { return None };
        let Ok(Value::Object(record)) = serde_json::from_str(text) else { return None };
        let has_key = address.own_fields().iter().all(|field| record.contains_key(*field));
        let is_it = has_key && find_too_deep(&record).is_none();
        is_it.then(|| plan::found(side, record, address, None).record)
    }

    /// The failure that this answer reports, in the app's own words if it has any.
    pub(crate) fn failure(&self) -> Failure {
        if let Some(failure) = self.refused_key() {
            return failure;
        }
        let said = self.said();
        let end = CallEnd::Status { status: self.status.as_u16(), explained: said.explained };
        let (class, mut effect) = classify(end).unwrap_or((ErrorClass::OtherHttp, CallEffect::Unknown));
        // A router or a proxy answers while the app is away: nobody refused the record.
        let nowhere = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::GONE].contains(&self.status);
        if nowhere && self.is_page() && effect == CallEffect::Refused {
            effect = CallEffect::NotApplied;
        }
        let status = self.status.as_u16().to_string();
        let message = said.message.unwrap_or_else(|| self.in_words());
        let (code, message) = match said.code {
            // Whatever the error code, the app refused our credentials, not this record.
            Some(code) if self.status == StatusCode::UNAUTHORIZED => (status, format!("{code}: {message}")),
            code => (code.unwrap_or(status), message),
        };
        let mut failure = Failure::new(class, effect, Some(self.blot(code)), &self.blot(message));
        failure.retry_after_ms = retry_after_ms(&self.headers);
        failure
    }

    /// The same of a write. An `OData` app answers 404 with an error in its own form. Without one, a router has answered, which knows
    /// nothing of the record: `404 page not found`, `{"message": "no Route matched"}`, or nothing at all.
    pub(crate) fn failure_of_write(&self, kind: ConnectorKind) -> Failure {
        let failure = self.failure();
        let nowhere = matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let is_routers = nowhere && kind == ConnectorKind::Odata && self.is_of_another_server(true);
        match failure.effect {
            CallEffect::Refused if is_routers && failure.class == ErrorClass::OtherHttp => {
                Failure { effect: CallEffect::NotApplied, ..failure }
            }
            _ => failure,
        }
    }

    /// The words of an error.
    pub(crate) fn said(&self) -> Explanation {
        match &self.body {
            Body::Whole(body) => explain(&body.text, &self.media_type()),
            _ => Explanation::default(),
        }
    }

    /// Whether somebody in front of the app seems to have written this refusal: no web page and no empty answer is the app's, and
    /// an `OData` app has its own form for errors.
    pub(crate) fn is_of_another_server(&self, is_odata: bool) -> bool {
        let is_error = || self.json().is_some_and(|body| body["error"].is_object()) || self.said().explained;
        let is_empty = || matches!(&self.body, Body::Whole(body) if body.text.trim().is_empty());
        self.is_page() || if is_odata { !is_error() } else { self.status == StatusCode::BAD_REQUEST && is_empty() }
    }

    /// Why nothing was read.
    pub(crate) fn failure_to_read(&self) -> Failure {
        if self.status.is_success() {
            return self.doubtful("a record was asked for");
        }
        self.failure()
    }

    fn in_words(&self) -> String {
        let reason = self.status.canonical_reason().unwrap_or("(no standard status)");
        let mut words = format!("HTTP {} {reason}", self.status.as_u16());
        if self.status == StatusCode::PRECONDITION_REQUIRED {
            words += ": the app wants If-Match with every change: set the side's capability to `versioned`";
        } else if self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE {
            words += ": the app wants another media type: set `connector.media_type` or `connector.patch_media_type`";
        } else if self.status.is_client_error() && self.is_page() {
            words += ": a web page, from a router or a proxy and not from the app";
        }
        if let Body::Undecodable(why) = &self.body
            && !self.status.is_success()
        {
            words = format!("{words}; {why}");
        }
        if !self.status.is_redirection() {
            return words;
        }
        let to = self.headers.get(LOCATION).and_then(|to| Url::parse(to.to_str().ok()?).ok());
        let host = to.as_ref().and_then(Url::host_str).map(|host| format!(" to {host}")).unwrap_or_default();
        let wants_slash = to.is_some_and(|to| to.path().len() > 1 && to.path().ends_with('/'));
        let help = if wants_slash {
            ": if only a slash is missing, set `connector.record_url` to `{entity}/{key}/`"
        } else {
            ""
        };
        format!("{words}: the app redirects{host}; redirects are not followed{help}")
    }

    pub(crate) fn blot(&self, text: String) -> String {
        self.hidden.iter().fold(text, |text, secret| secret.blot(text))
    }
}

/// Members that are false in the body of a call that failed.
const FLAGS: [&str; 3] = ["success", "ok", "succeeded"];
/// The same as .NET apps write them. In a record of `OData` they are fields.
const DOTNET_FLAGS: [&str; 4] = ["Success", "Succeeded", "IsSuccess", "isSuccess"];

/// Every member by which [`denies`] decides.
pub(crate) fn telling_members() -> impl Iterator<Item = &'static str> {
    ["error", "errors", "@odata.context"].into_iter().chain(FLAGS).chain(DOTNET_FLAGS)
}

/// Whether a body that came with a success says that the write failed: `{"success": false}`, `{"error": …}`, `{"errors": […]}`.
pub(crate) fn denies(body: &Value) -> bool {
    let set = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    };
    let refused = |names: &[&str]| names.iter().any(|name| body[*name] == false);
    let is_odata = body.get("@odata.context").is_some();
    refused(&FLAGS) || !is_odata && refused(&DOTNET_FLAGS) || set(&body["error"]) || set(&body["errors"])
}

fn shallow(record: Record) -> Result<Record, Failure> {
    match find_too_deep(&record) {
        None => Ok(record),
        Some(field) => Err(unreadable(&format!("the field {field} is nested too deep"))),
    }
}

/// An answer to a read that is not what was asked for.
pub(crate) fn unreadable(message: &str) -> Failure {
    Failure::new(ErrorClass::OtherHttp, CallEffect::NotApplied, None, message)
}

/// A failure of a call that changes nothing, so its effect is never unknown.
pub(crate) fn without_effect(mut failure: Failure) -> Failure {
    if failure.effect == CallEffect::Unknown {
        failure.effect = CallEffect::NotApplied;
    }
    failure
}

/// Where JSON went wrong, without repeating any of it.
pub(crate) fn shape(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}
