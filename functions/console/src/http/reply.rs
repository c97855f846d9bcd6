//! Replies: a page, a way to another page, or an error that the guard turns into a page.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::Markup;

pub(crate) use web::{Failed, Reply};

/// A page.
pub(crate) fn page(status: StatusCode, page: Markup) -> Response {
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, Body::from(page.into_string())).into_response()
}

/// Leads to another page, which is asked for by GET.
pub(crate) fn see(link: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(link) = HeaderValue::try_from(link) {
        response.headers_mut().insert(header::LOCATION, link);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
