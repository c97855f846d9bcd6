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

/// Message of Finance & Operations for the change or deletion of a missing record, with status 400.
const MISSING_IN_FINANCE: &str = "No resources were found when selecting for update";
/// Its message for the creation of an existing record: "Cannot create a record in … . The record already exists.."
const DUPLICATE_IN_FINANCE: &str = "The record already exists";

/// An answer. Its status is valid even if its body could not be read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// The key in the request's path, if servers are known to refuse keys like it.
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
    /// In a form that Tandem cannot read. The sentence says which.
    Undecodable(String),
}

impl Answer {
    /// Whether the app itself says that there is no such record. A router, a proxy or a web page in front of it may
    /// answer 404 for an existing record. So an `OData` app must answer with an error in the form of `OData`, and no
    /// HTML page counts.
    pub(crate) fn is_absent(&self, connector: &Connector) -> bool {
        let says_so = matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        let by_status = says_so
            && match connector.protocol() {
                ConnectorKind::Odata => self.json().is_some_and(|body| body["error"].is_object()),
                ConnectorKind::Http => !self.is_page(),
            };
        by_status || self.is_worded(connector, MISSING_IN_FINANCE)
    }

    /// Whether the body of a successful `GET` of an `OData` record is an empty list: simple-odata-server answers so for
    /// a missing record. `null` and `[]` do not count, because nothing in them shows that the app itself answered.
    pub(crate) fn has_no_record(&self) -> bool {
        let Some(Value::Object(body)) = self.json() else { return false };
        let is_empty = body.get("value").and_then(Value::as_array).is_some_and(Vec::is_empty);
        let is_list = |name: &String| name == "value" || name.starts_with("@odata.");
        is_empty && body.contains_key("@odata.context") && body.keys().all(is_list)
    }

    /// Whether the app refuses to create a record because it exists already.
    pub(crate) fn is_duplicate(&self, connector: &Connector) -> bool {
        matches!(self.status, StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED)
            || self.is_worded(connector, DUPLICATE_IN_FINANCE)
    }

    /// Whether Finance & Operations gives this reason. It answers every refusal with 400, older versions with 500, so
    /// only the message tells refusals apart.
    fn is_worded(&self, connector: &Connector, words: &str) -> bool {
        let refuses = matches!(self.status, StatusCode::BAD_REQUEST | StatusCode::INTERNAL_SERVER_ERROR);
        let says =
            |body: Value| body["error"]["innererror"]["message"].as_str().is_some_and(|says| says.contains(words));
        connector.kind == AppKind::FinanceOperations && refuses && self.json().is_some_and(says)
    }

    /// The reason why a success status does not prove that the app applied the write. `None`: the answer proves it.
    pub(crate) fn doubt(&self, kind: ConnectorKind) -> Option<String> {
        if self.is_page() {
            return Some("the answer is a web page, not one of the app".to_owned());
        }
        match self.status {
            StatusCode::NO_CONTENT | StatusCode::CREATED => return None,
            StatusCode::ACCEPTED => {
                return Some("the app has accepted the write, but may not have executed it yet".to_owned());
            }
            StatusCode::OK => {}
            _ => return Some("this status does not say that the app applied the write".to_owned()),
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
            // The body is too long or cut off, so only the status and the media type can prove it.
            (ConnectorKind::Odata, None) if !self.is_whole() && self.media_type() == "application/json" => None,
            (ConnectorKind::Odata, _) => Some("its body is not an OData object".to_owned()),
            (ConnectorKind::Http, _) => None,
        }
    }

    /// The failure of a write whose answer does not tell whether the app applied it.
    pub(crate) fn doubtful(&self, why: &str) -> Failure {
        let message = format!("{}: {why}", self.in_words());
        // A denial in JSON comes from the app and may be about this record. As a code, the status would blame the whole
        // side.
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

    /// Whether it is a web page for people: a login, a maintenance notice, an error of a proxy.
    pub(crate) fn is_page(&self) -> bool {
        let begins = |text: &str| {
            let start = text.trim_start().chars().take(20).collect::<String>().to_ascii_lowercase();
            // Markup that is labelled as JSON comes from a server in front of the app.
            let is_markup = self.media_type().ends_with("json") && start.starts_with('<');
            is_markup || ["<!doctype html", "<html", "<head", "<body", "<!--"].iter().any(|tag| start.starts_with(tag))
        };
        let html = matches!(self.media_type().as_str(), "text/html" | "application/xhtml+xml");
        html || matches!(&self.body, Body::Whole(body) if begins(&body.text))
    }

    /// The record's `ETag` from the header.
    pub(crate) fn header_etag(&self) -> Option<String> {
        let etag = self.headers.get(ETAG)?.to_str().ok()?;
        // Apache and Jetty add a mark to the ETag of an answer that they compress. The app behind them does not know
        // that ETag.
        let marked = ["--gzip\"", "-gzip\"", ";gzip\""].iter().find_map(|mark| etag.strip_suffix(mark));
        Some(match marked.filter(|_| is_compressed(&self.headers)) {
            Some(etag) => format!("{etag}\""),
            None => etag.to_owned(),
        })
    }

    /// The `ETag` of the written record, from the header or, in `OData`, from the body.
    pub(crate) fn etag(&self) -> Option<String> {
        self.header_etag().or_else(|| match self.json()?.get(odata::ETAG)? {
            Value::String(etag) => Some(etag.clone()),
            _ => None,
        })
    }

    /// The body of a successful `GET` as a record.
    ///
    /// # Errors
    /// The body is not a JSON object, is nested too deep, or could not be read. A read has no effect, so neither has
    /// the failure.
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

    /// The body of a successful `GET` as any JSON value. Fails as [`Self::text`] does, and if it is not JSON.
    pub(crate) fn into_json(self) -> Result<Value, Failure> {
        serde_json::from_str(&self.into_text()?)
            .map_err(|error| unreadable(&format!("the answer is not JSON: {}", shape(&error))))
    }

    /// The body of a successful `GET` as an owned text. Fails as [`Self::text`] does.
    pub(crate) fn into_text(self) -> Result<String, Failure> {
        self.text()?;
        match self.body {
            Body::Whole(Text { text, .. }) => Ok(text),
            Body::TooLarge { .. } | Body::Undecodable(_) | Body::Broken(..) => Ok(String::new()),
        }
    }

    /// The body of a successful `GET` as text.
    ///
    /// # Errors
    /// The body is longer than its limit, was cut off, or could not be decoded without doubt.
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

    /// The record as the app has stored it, if this answer to a write has that record. `None` is no failure: the app
    /// applied the write anyway.
    pub(crate) fn stored(&self, side: &SideConfig, address: &RecordAddress) -> Option<Record> {
        let Body::Whole(Text { text, flaw: None }) = &self.body else { return None };
        let Ok(Value::Object(record)) = serde_json::from_str(text) else { return None };
        let has_key = address.own_fields().iter().all(|field| record.contains_key(*field));
        let is_it = has_key && find_too_deep(&record).is_none();
        is_it.then(|| plan::found(side, record, address, None).record)
    }

    /// The failure that this answer reports, with the app's own message if it has one.
    pub(crate) fn failure(&self) -> Failure {
        if let Some(failure) = self.refused_key() {
            return failure;
        }
        let said = self.said();
        let end = CallEnd::Status { status: self.status.as_u16(), explained: said.explained };
        let (class, mut effect) = classify(end).unwrap_or((ErrorClass::OtherHttp, CallEffect::Unknown));
        // A router or a proxy has answered while the app is down, so the app has not refused the record.
        let nowhere = [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED, StatusCode::GONE].contains(&self.status);
        if nowhere && self.is_page() && effect == CallEffect::Refused {
            effect = CallEffect::NotApplied;
        }
        let status = self.status.as_u16().to_string();
        let message = said.message.unwrap_or_else(|| self.in_words());
        let (code, message) = match said.code {
            // Whatever its error code, a 401 refuses our credentials and not this record.
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

    /// The error in the body, in the app's own words.
    pub(crate) fn said(&self) -> Explanation {
        match &self.body {
            Body::Whole(body) => explain(&body.text, &self.media_type()),
            _ => Explanation::default(),
        }
    }

    /// Whether a server in front of the app seems to have sent this refusal. A web page and an empty answer are not the
    /// app's, and an `OData` app has its own form for errors.
    pub(crate) fn is_of_another_server(&self, is_odata: bool) -> bool {
        let is_error = || self.json().is_some_and(|body| body["error"].is_object()) || self.said().explained;
        let is_empty = || matches!(&self.body, Body::Whole(body) if body.text.trim().is_empty());
        self.is_page() || if is_odata { !is_error() } else { self.status == StatusCode::BAD_REQUEST && is_empty() }
    }

    /// The failure of a read that this answer ended.
    pub(crate) fn failure_to_read(&self) -> Failure {
        if self.status.is_success() {
            return self.doubtful("the app did not return the record");
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

/// Members that apps set to false when a call failed.
const FLAGS: [&str; 3] = ["success", "ok", "succeeded"];
/// The same in .NET apps. In a record of `OData` they are fields.
const DOTNET_FLAGS: [&str; 4] = ["Success", "Succeeded", "IsSuccess", "isSuccess"];

/// Every member by which [`denies`] decides.
pub(crate) fn telling_members() -> impl Iterator<Item = &'static str> {
    ["error", "errors", "@odata.context"].into_iter().chain(FLAGS).chain(DOTNET_FLAGS)
}

/// Whether the body of a success says that the call failed: `{"success": false}`, `{"error": …}`, `{"errors": […]}`.
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

/// The failure of a read whose answer is not the expected one.
pub(crate) fn unreadable(message: &str) -> Failure {
    Failure::new(ErrorClass::OtherHttp, CallEffect::NotApplied, None, message)
}

/// Sets the effect of a call that changes nothing: it is never unknown.
pub(crate) fn without_effect(mut failure: Failure) -> Failure {
    if failure.effect == CallEffect::Unknown {
        failure.effect = CallEffect::NotApplied;
    }
    failure
}

/// The kind and place of an error in JSON. It repeats nothing of the text, which may be confidential.
pub(crate) fn shape(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}
