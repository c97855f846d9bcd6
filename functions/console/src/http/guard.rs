//! Middleware around every page: who asks, whether they may, and whether a form is one of ours. It turns errors into pages and
//! writes headers and the log line.

use std::sync::Arc;

use app::{
    admin::{
        AdminPorts,
        sessions::{self, is_form_token},
    },
    error::AppError,
    problem::Problem,
};
use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use web::LogLine;

use super::{
    cookie, csrf,
    headers::ALL,
    params::{MAX_FORM_BYTES, Params},
    reply::{Failed, page, see},
    visit::{Place, Visit},
};
use crate::{pages, parts::trouble, router::App};

/// The field of a form that carries the session's token.
pub(crate) const FORM_TOKEN: &str = "form";

/// Why a request is not let through.
enum Denied {
    /// As a page would say it.
    Error(AppError),
    /// A form that is not one of ours.
    ForeignForm,
}

impl<E: Into<AppError>> From<E> for Denied {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Lets a request through to its page, or answers itself.
pub(crate) async fn guard<P: AdminPorts>(State(app): State<Arc<App<P>>>, request: Request, next: Next) -> Response {
    let began = app.ports.now();
    let mut line = LogLine::of(&request);
    let (mut parts, body) = request.into_parts();
    let place = Place::of(&parts.uri);
    // A form is read here: whether it is ours must not be left to its page.
    let body = if parts.method.is_safe() { Ok(Bytes::new()) } else { to_bytes(body, MAX_FORM_BYTES).await };
    let admitted = match body {
        Ok(body) => admit(&*app, &parts, &place, &body).await.map(|visit| (visit, body)),
        Err(_) => Err(Denied::Error(AppError::TooLarge { limit_bytes: MAX_FORM_BYTES })),
    };
    let mut visit = None;
    let mut response = match admitted {
        Ok((found, body)) => {
            line.caller = found.as_ref().map(|visit: &Visit| visit.caller.clone());
            if let Some(found) = &found {
                parts.extensions.insert(found.clone());
            }
            visit = found;
            next.run(Request::from_parts(parts, Body::from(body))).await
        }
        Err(Denied::Error(error)) => Failed(error).into_response(),
        Err(Denied::ForeignForm) => page(StatusCode::FORBIDDEN, trouble::foreign_form(&place)),
    };
    let failed = response.extensions_mut().remove::<AppError>();
    if let Some(error) = &failed {
        response = told(error, &line, &place, visit.as_ref());
    }
    for (name, value) in ALL {
        response.headers_mut().insert(name, value);
    }
    line.write(response.status(), app.ports.now().ms_since(began), failed.as_ref());
    response
}

/// Who visits. `None`: the page is for everybody.
async fn admit<P: AdminPorts>(
    app: &App<P>,
    parts: &Parts,
    place: &Place,
    body: &[u8],
) -> Result<Option<Visit>, Denied> {
    let path = parts.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
    let role = pages::find(&parts.method, path)?.role;
    let changes = !parts.method.is_safe();
    let source = csrf::source(&parts.headers);
    if changes && (source == csrf::Source::Elsewhere || !is_form(parts)) {
        return Err(Denied::ForeignForm);
    }
    let Some(needs) = role else {
        // Nobody is signed in yet, so no token can tell whose form it is.
        let unsure = changes && source != csrf::Source::OwnPage;
        return if unsure { Err(Denied::ForeignForm) } else { Ok(None) };
    };
    let secret = cookie::read_secret(&parts.headers).ok_or(AppError::Unauthenticated)?;
    let caller = sessions::find(&*app.ports, &secret).await?.ok_or(AppError::Unauthenticated)?;
    if changes && !Params::parse(body).text(FORM_TOKEN).is_some_and(|token| is_form_token(&secret, token)) {
        return Err(Denied::ForeignForm);
    }
    if caller.role < needs {
        return Err(Denied::Error(AppError::Forbidden { needs }));
    }
    let (place, stack) = (place.clone(), app.site.stack.clone());
    Ok(Some(Visit { caller, secret, place, at: app.ports.now(), stack }))
}

fn is_form(parts: &Parts) -> bool {
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim() == "application/x-www-form-urlencoded"
}

/// An error as a page. Who is not signed in comes to the sign-in, and from there to where they wanted to go.
fn told(error: &AppError, line: &LogLine, place: &Place, visit: Option<&Visit>) -> Response {
    if *error == AppError::Unauthenticated {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        if line.method() == Method::GET && !place.address().is_empty() {
            query.append_pair("to", &place.address());
        }
        let query = query.finish();
        let separator = if query.is_empty() { "" } else { "?" };
        return see(&place.link(&format!("sign-in{separator}{query}")));
    }
    let problem = Problem { request_id: line.request_id.clone(), ..Problem::from(error) };
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    page(status, trouble::page(place, visit, &problem))
}
