//! The page's style and script. They are separate files so that the page's security policy can forbid inline ones.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};

type File = ([(HeaderName, &'static str); 2], &'static str);

/// The style.
pub(super) async fn css() -> File {
    file("text/css; charset=utf-8", include_str!("page/app.css"))
}

/// The script.
pub(super) async fn js() -> File {
    file("text/javascript; charset=utf-8", include_str!("page/app.js"))
}

fn file(content_type: &'static str, text: &'static str) -> File {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")], text)
}
