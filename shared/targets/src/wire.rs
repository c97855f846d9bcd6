//! Sends one request over the network and classifies how it ended.

use std::{error::Error, time::Duration};

use domain::{Failure, failure::CallEnd, side::SideConfig};
use reqwest::{Response, header::HeaderMap};
use tokio::time::Instant;
use url::Url;

use crate::{
    answer::{Answer, Body},
    clients::Clients,
    decode::{Undecodable, decode},
    guard::{Guard, Refusal},
    limits::MAX_ERROR_BYTES,
    plan::{Request, ended, not_callable},
};

/// The time that a call may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    connect: Duration,
    one_request: Duration,
    end: Instant,
}

impl Deadline {
    /// Creates a deadline from now on: `requests` times the request timeout of this side.
    pub(crate) fn of(side: &SideConfig, requests: u32) -> Self {
        let one_request = Duration::from_millis(side.request_timeout_ms);
        let connect = Duration::from_millis(side.connect_timeout_ms);
        Self { connect, one_request, end: Instant::now() + one_request * requests }
    }

    pub(crate) fn end(&self) -> Instant {
        self.end
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now()).min(self.one_request)
    }
}

/// The HTTP layer. It sends only what the guard allows.
#[derive(Debug)]
pub(crate) struct Wire {
    guard: Guard,
    clients: Clients,
}

impl Wire {
    pub(crate) fn new(guard: Guard) -> Self {
        Self { clients: Clients::new(guard.clone()), guard }
    }

    /// Creates the client for this connect timeout, so that the first call does not have to.
    pub(crate) fn warm(&self, connect_timeout: Duration) -> Result<(), String> {
        self.clients.with_connect_timeout(connect_timeout).map(drop).map_err(|error| cause(&error))
    }

    /// Fails if the guard does not allow this URL.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Failure> {
        self.guard.check(url).map_err(|refusal| not_callable(&refusal.to_string()))
    }

    /// Sends a request once. Every status is `Ok`, an error status, too.
    ///
    /// # Errors
    /// The guard refuses the URL, no time is left, or the connection ended without a status. The failure says whether
    /// the app may have applied the request.
    pub(crate) async fn send(&self, request: &Request, deadline: &Deadline) -> Result<Answer, Failure> {
        self.check(&request.url)?;
        let host = host(&request.url);
        let left = deadline.left();
        if left.is_zero() {
            return Err(no_time());
        }
        let client = self.clients.with_connect_timeout(deadline.connect);
        let client = client.map_err(|error| not_callable(&format!("no HTTP client: {}", cause(&error))))?;

        let mut outgoing = reqwest::Request::new(request.method.clone(), request.url.clone());
        *outgoing.headers_mut() = request.headers.clone();
        *outgoing.body_mut() = request.body.clone().map(Into::into);
        *outgoing.timeout_mut() = Some(left);
        let response = client.execute(outgoing).await.map_err(|error| {
            let (end, message) = end_of(&error, &host);
            ended(end, &message)
        })?;
        let limit = if response.status().is_success() { request.max_answer_bytes } else { MAX_ERROR_BYTES };
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match read(response, limit, &host).await {
            Ok(bytes) => body(bytes, &headers, limit),
            Err(body) => body,
        };
        let key_in_path = request.key_in_path.clone();
        Ok(Answer { status, headers, body, key_in_path, hidden: Vec::new() })
    }
}

async fn read(mut response: Response, limit_bytes: usize, host: &str) -> Result<Vec<u8>, Body> {
    let mut whole = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if whole.len() + chunk.len() > limit_bytes => return Err(Body::TooLarge { limit_bytes }),
            Ok(Some(chunk)) => whole.extend_from_slice(&chunk),
            Ok(None) => return Ok(whole),
            Err(error) => {
                let (end, message) = end_of(&error, host);
                return Err(Body::Broken(end, message));
            }
        }
    }
}

fn body(bytes: Vec<u8>, headers: &HeaderMap, limit_bytes: usize) -> Body {
    match decode(bytes, headers, limit_bytes) {
        Ok(text) => Body::Whole(text),
        Err(Undecodable::TooLarge) => Body::TooLarge { limit_bytes },
        Err(Undecodable::Because(why)) => Body::Undecodable(why),
    }
}

/// Classifies the end of a call without a complete answer. Only a call that failed *while connecting* was certainly not
/// sent.
fn end_of(error: &reqwest::Error, host: &str) -> (CallEnd, String) {
    if let Some(refusal) = find::<Refusal>(error) {
        return (CallEnd::NotAllowed, refusal.to_string());
    }
    let why = cause(error);
    match (error.is_builder(), error.is_connect(), error.is_timeout()) {
        (true, ..) => (CallEnd::NotAllowed, format!("the request to {host} cannot be built: {why}")),
        (_, true, true) => (CallEnd::ConnectTimeout, format!("no connection to {host} in time")),
        (_, true, false) => (CallEnd::NotConnected, format!("no connection to {host}: {why}")),
        (_, false, true) => (CallEnd::Timeout, format!("no answer from {host} in time")),
        (_, false, false) => (CallEnd::Broken, format!("the connection to {host} broke before the answer: {why}")),
    }
}

/// The failure of a call for which no time was left. Nothing was sent.
pub(crate) fn no_time() -> Failure {
    ended(CallEnd::ConnectTimeout, "no time was left to call the app")
}

/// The innermost error as text. The outer ones repeat the URL, which contains the record's key.
fn cause(error: &reqwest::Error) -> String {
    let mut inner: &dyn Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    match inner.downcast_ref::<reqwest::Error>() {
        Some(_) => "the HTTP client refuses it".to_owned(),
        None => inner.to_string(),
    }
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
