//! What came back: status, headers, and as much of the body as is allowed.

use domain::{
    ErrorClass, Failure, Record,
    failure::{CallEffect, CallEnd, classify},
};
use reqwest::{
    StatusCode,
    header::{ETAG, HeaderMap, LOCATION},
};
use serde_json::Value;
use url::Url;

use crate::{explain::explain, odata, plan::ended, retry_after::retry_after_ms, secrets::Secret};

/// An answer. Its status stands, whatever became of its body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// What must not appear in a message about it.
    pub(crate) hidden: Vec<Secret>,
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Body {
    Whole(Vec<u8>),
    /// It is longer than we read.
    TooLarge {
        limit_bytes: usize,
    },
    /// It ended early.
    Broken(CallEnd, String),
}

impl Answer {
    /// Whether the app says that there is no such record.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE)
    }

    /// The record's `ETag` as the header tells it.
    pub(crate) fn header_etag(&self) -> Option<String> {
        self.headers.get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned)
    }

    /// The `ETag` of a record that was written: by header, or, in `OData`, in the body.
    pub(crate) fn etag(&self) -> Option<String> {
        self.header_etag().or_else(|| match &self.body {
            Body::Whole(body) => match serde_json::from_slice::<Value>(body).ok()?.get(odata::ETAG)? {
                Value::String(etag) => Some(etag.clone()),
                _ => None,
            },
            _ => None,
        })
    }

    /// The body of a successful `GET`. All its failures are without effect.
    pub(crate) fn into_record(self) -> Result<Record, Failure> {
        let unreadable = |message: &str| Failure::new(ErrorClass::OtherHttp, CallEffect::NotApplied, None, message);
        match self.body {
            Body::Whole(body) => match serde_json::from_slice(&body) {
                Ok(Value::Object(record)) => Ok(record),
                Ok(_) => Err(unreadable("the answer is no JSON object")),
                Err(error) => Err(unreadable(&format!("the answer is not JSON: {}", shape(&error)))),
            },
            Body::TooLarge { limit_bytes } => {
                Err(unreadable(&format!("the answer is longer than {limit_bytes} bytes")))
            }
            Body::Broken(end, message) => Err(without_effect(ended(end, &message))),
        }
    }

    /// The failure it stands for, in the app's own words if it has any.
    pub(crate) fn failure(&self) -> Failure {
        let said = match &self.body {
            Body::Whole(body) => explain(body),
            _ => explain(&[]),
        };
        let end = CallEnd::Status { status: self.status.as_u16(), explained: said.explained };
        let (class, effect) = classify(end).unwrap_or((ErrorClass::OtherHttp, CallEffect::Unknown));
        let code = said.code.unwrap_or_else(|| self.status.as_u16().to_string());
        let message = said.message.unwrap_or_else(|| self.in_words());
        let mut failure = Failure::new(class, effect, Some(self.blot(code)), &self.blot(message));
        failure.retry_after_ms = retry_after_ms(&self.headers);
        failure
    }

    fn in_words(&self) -> String {
        let reason = self.status.canonical_reason().unwrap_or("(no standard status)");
        let words = format!("HTTP {} {reason}", self.status.as_u16());
        if !self.status.is_redirection() {
            return words;
        }
        let to = self.headers.get(LOCATION).and_then(|to| Url::parse(to.to_str().ok()?).ok());
        let host = to.as_ref().and_then(Url::host_str).map(|host| format!(" to {host}")).unwrap_or_default();
        format!("{words}: the app redirects{host}; redirects are not followed")
    }

    fn blot(&self, text: String) -> String {
        self.hidden.iter().fold(text, |text, secret| secret.blot(text))
    }
}

/// A failure of a call that changes nothing, so that nothing about its effect is unknown.
pub(crate) fn without_effect(mut failure: Failure) -> Failure {
    if failure.effect == CallEffect::Unknown {
        failure.effect = CallEffect::NotApplied;
    }
    failure
}

/// Where JSON went wrong, without repeating any of it.
fn shape(error: &serde_json::Error) -> String {
    format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column())
}
