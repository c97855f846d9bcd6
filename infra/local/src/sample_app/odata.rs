//! The data API: a subset of OData v4, for other programs.
//!
//! It is the fallback of the router, because a key in a path may contain any character: this module splits the path
//! before it decodes it.

mod address;
mod answer;
mod bind;
mod change;
mod conditions;
mod error;
mod filter;
mod key;
mod list;
mod options;
mod read;
mod remembered;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;

use super::app::{App, SharedApp};
use super::calls::{self, Call};
use super::flavor::Dialect;
use super::server;
use super::switches::{Fault, Switch};
use super::tandem::now;
use address::Address;
pub(super) use address::encode;
#[cfg(test)]
pub(super) use address::entity_path;
use answer::Answer;
use error::ODataError;

/// Longest body of a request, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Answers a call in a task of its own, so that a change is finished even if the caller hangs up, as in most apps.
pub(super) async fn handle(State(app): State<SharedApp>, request: Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let task = tokio::spawn(async move { strike_or_answer(&app, parts, body).await });
    task.await.unwrap_or_else(|_| server::dropped())
}

/// One call with its whole body.
struct Incoming {
    method: Method,
    headers: HeaderMap,
    query: String,
    /// Scheme, host and service path of links in the answer; the host is the one that the caller named.
    base: String,
    body: Bytes,
    /// Whether the call sees the records of all companies.
    sees_all: bool,
    /// The line for the log of calls.
    call: Call,
    /// Whether the app withholds the answer to a change that it has applied.
    drops_answer: bool,
}

async fn strike_or_answer(app: &App, parts: Parts, body: Body) -> Response {
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let sees_all =
        app.flavor.dialect == Dialect::Dataverse || query.split('&').any(|pair| pair == "cross-company=true");
    let address = Address::parse(app.flavor, parts.uri.path(), sees_all)
        .and_then(|address| app.store.run(|db| address.resolved(db)).map_err(ODataError::from));
    let switch = app.switches.strike(matches!(parts.method, Method::POST | Method::PATCH | Method::DELETE));
    let mut call = Call {
        at: now(),
        method: parts.method.to_string(),
        key: address.as_ref().ok().and_then(Address::key),
        idempotency_key: text(&parts.headers, "idempotency-key"),
        version: text(&parts.headers, "tandem-version"),
        status: None,
        applied: false,
        switch: switch.mode.word().to_owned(),
    };
    if switch.mode == Fault::Down {
        return note(app, call, server::dropped());
    }
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES_MAX).await else {
        call.status = Some(StatusCode::PAYLOAD_TOO_LARGE.as_u16());
        let error = ODataError::new(StatusCode::PAYLOAD_TOO_LARGE, "BodyTooLarge", "The body is too large");
        return note(app, call, error.answer(app.flavor));
    };
    if let Some(response) = fail(app, &switch, &mut call).await {
        return note(app, call, response);
    }
    let mut incoming = Incoming {
        query,
        sees_all,
        base: format!("http://{}{}", text(&parts.headers, "host").unwrap_or_default(), app.flavor.service),
        method: parts.method,
        headers: parts.headers,
        body,
        drops_answer: switch.mode == Fault::ApplyThenDrop,
        call,
    };
    let ended = dispatch(app, &mut incoming, address).await;
    let (noted, response) = match ended {
        Ok(answer) => (answer.applied, Response::from(answer)),
        Err(error) => (false, error.answer(app.flavor)),
    };
    let drops = incoming.drops_answer && response.status().is_success();
    if !noted {
        let mut call = incoming.call;
        call.status = (!drops).then(|| response.status().as_u16());
        return note(app, call, if drops { server::dropped() } else { response });
    }
    if drops { server::dropped() } else { response }
}

/// Does what the switch says: returns the response of a broken app, or waits and returns `None` for a slow one.
async fn fail(app: &App, switch: &Switch, call: &mut Call) -> Option<Response> {
    let (status, code, message) = match switch.mode {
        Fault::Normal | Fault::Down | Fault::ApplyThenDrop => return None,
        Fault::Slow => {
            tokio::time::sleep(switch.delay()).await;
            return None;
        }
        Fault::Reset => return Some(server::dropped()),
        Fault::InternalError => (StatusCode::INTERNAL_SERVER_ERROR, "InternalError", "Something went wrong"),
        Fault::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "Down for maintenance"),
        Fault::Throttled => (StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", too_many(app.flavor.dialect)),
        Fault::Reject => (StatusCode::BAD_REQUEST, "ChangesBlocked", "A business rule blocks all changes at present"),
    };
    call.status = Some(status.as_u16());
    let mut error = ODataError::new(status, code, message);
    if switch.mode == Fault::Throttled {
        error = error.with_header("retry-after", &switch.retry_after_seconds.to_string());
    }
    Some(error.answer(app.flavor))
}

fn too_many(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::FinanceOperations => {
            "Too many requests: this integration has a low priority, and the resources are scarce"
        }
        Dialect::Dataverse => "Number of requests exceeded the limit of 6000 over time window of 300 seconds.",
    }
}

async fn dispatch(
    app: &App,
    incoming: &mut Incoming,
    address: Result<Address, ODataError>,
) -> Result<Answer, ODataError> {
    if text(&incoming.headers, "x-api-key").as_deref() != Some(app.api_key.as_str()) {
        let message = "The header x-api-key is missing or wrong";
        return Err(ODataError::new(StatusCode::UNAUTHORIZED, "Unauthorized", message));
    }
    match (&incoming.method, address?) {
        (&Method::GET, Address::Service) => Ok(read::service(app, incoming)),
        (&Method::GET, Address::Set) => list::collection(app, incoming),
        (&Method::GET, Address::Entity(key)) => read::entity(app, incoming, &key),
        (&Method::GET, Address::Contacts) => read::contact(incoming, None),
        (&Method::GET, Address::Contact(id)) => read::contact(incoming, Some(id.unwrap_or_default())),
        (&Method::GET, Address::Elsewhere(_)) => Err(ODataError::missing(app.flavor)),
        (&Method::PATCH | &Method::DELETE, Address::Elsewhere(_)) => Err(ODataError::missing_for_change(app.flavor)),
        // The sample creates no record by GUID alone: without an account number, Tandem could not name it.
        (&Method::GET | &Method::PATCH | &Method::DELETE, Address::ById(id)) => {
            let message = format!("Entity '{}' With Id = {id} Does Not Exist", app.flavor.table);
            Err(ODataError::new(StatusCode::NOT_FOUND, "IdNotFound", &message))
        }
        (&Method::POST, Address::Set) => change::create(app, incoming).await,
        (&Method::PATCH | &Method::DELETE, Address::Entity(key)) => change::change(app, incoming, &key).await,
        (_, address) => {
            let allow = match address {
                Address::Entity(_) | Address::ById(_) | Address::Elsewhere(_) => "GET, PATCH, DELETE",
                Address::Set => "GET, POST",
                Address::Service | Address::Contacts | Address::Contact(_) => "GET",
            };
            let message = format!("The methods allowed here are {allow}");
            let error = ODataError::new(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed", &message);
            Err(error.with_header("allow", allow))
        }
    }
}

fn note(app: &App, call: Call, response: Response) -> Response {
    match app.store.transaction(|tx| calls::add(tx, &call)) {
        Ok(()) => response,
        Err(error) => ODataError::from(error).answer(app.flavor),
    }
}

/// A header as text; what is not text counts as missing.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
