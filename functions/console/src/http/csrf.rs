//! Whether a request that changes something comes from our own page.

use axum::http::{HeaderMap, header};

/// Where a request comes from, as the browser says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// One of our own pages.
    OwnPage,
    /// Another site.
    Elsewhere,
    /// The browser says nothing.
    Unknown,
}

/// Reads where a request comes from: `Sec-Fetch-Site`, which every browser since 2023 sends and no script can set, or else
/// `Origin`, compared with `Host`.
pub(crate) fn source(headers: &HeaderMap) -> Source {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    if let Some(site) = text("sec-fetch-site") {
        return if site == "same-origin" { Source::OwnPage } else { Source::Elsewhere };
    }
    match text(header::ORIGIN.as_str()) {
        None => Source::Unknown,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            let own = text(header::HOST.as_str()).is_some_and(|own| host == Some(own));
            if own { Source::OwnPage } else { Source::Elsewhere }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_pages_may_send_a_form() {
        use Source::{Elsewhere, OwnPage, Unknown};
        for (site, origin, host, wanted) in [
            (Some("same-origin"), None, "a.example", OwnPage),
            (Some("same-site"), None, "a.example", Elsewhere),
            (Some("cross-site"), Some("https://a.example"), "a.example", Elsewhere),
            (Some("none"), None, "a.example", Elsewhere),
            (None, Some("https://a.example"), "a.example", OwnPage),
            (None, Some("http://127.0.0.1:4566"), "127.0.0.1:4566", OwnPage),
            (None, Some("https://a.example.evil"), "a.example", Elsewhere),
            (None, Some("https://evil.example"), "a.example", Elsewhere),
            (None, Some("null"), "a.example", Elsewhere),
            (None, Some("a.example"), "a.example", Elsewhere),
            (None, None, "a.example", Unknown),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, value.parse().unwrap());
                }
            }
            assert_eq!(source(&headers), wanted, "{site:?} {origin:?} {host}");
        }
    }
}
