//! The pages, one file each. A page calls one use case and renders what it gives; it touches no port and no type of the domain.
//!
//! A new page has a line in [`PAGES`], a route in `router`, and a file here.

pub(crate) mod activity;
pub(crate) mod command;
pub(crate) mod errors;
pub(crate) mod map;
pub(crate) mod overview;
pub(crate) mod queue;
pub(crate) mod records;
pub(crate) mod sign_in;

use app::{error::AppError, ports::Role};
use axum::http::Method;

/// A page, or what a form is sent to.
pub(crate) struct Page {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    /// The least role that may ask for it; `None`: everybody.
    pub(crate) role: Option<Role>,
    /// Its name in the main navigation, if it is there.
    pub(crate) nav: Option<&'static str>,
}

const fn page(method: Method, path: &'static str, role: Option<Role>, nav: Option<&'static str>) -> Page {
    Page { method, path, role, nav }
}

const VIEWER: Option<Role> = Some(Role::Viewer);
const OPERATOR: Option<Role> = Some(Role::Operator);
const GET: Method = Method::GET;
const POST: Method = Method::POST;

/// All pages, in the order of the navigation.
pub(crate) static PAGES: [Page; 12] = [
    page(GET, "/", VIEWER, Some("Overview")),
    page(GET, "/maps/{map}", VIEWER, None),
    page(GET, "/maps/{map}/errors", VIEWER, None),
    page(GET, "/maps/{map}/errors/list", VIEWER, None),
    page(GET, "/maps/{map}/errors/download", VIEWER, None),
    page(GET, "/maps/{map}/queue", VIEWER, None),
    page(GET, "/commands/{command}", OPERATOR, None),
    page(POST, "/commands/{command}", OPERATOR, None),
    page(GET, "/sign-in", None, None),
    page(POST, "/sign-in", None, None),
    page(POST, "/sign-out", VIEWER, None),
    page(GET, "/assets/{name}", None, None),
];

/// The page of a request.
pub(crate) fn find(method: &Method, path: Option<&str>) -> Result<&'static Page, AppError> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let here: Vec<_> = PAGES.iter().filter(|page| Some(page.path) == path).collect();
    if let Some(page) = here.iter().find(|page| page.method == *method) {
        return Ok(page);
    }
    let methods: Vec<_> = here.iter().map(|page| page.method.as_str()).collect();
    Err(if methods.is_empty() {
        AppError::UnknownRoute
    } else {
        AppError::MethodNotAllowed { allow: methods.join(", ") }
    })
}
