//! Links to the next page. Tandem follows only links to places where its credentials may go.

use domain::Failure;
use reqwest::header::{HeaderMap, LINK};
use url::Url;

use super::{place::Place, unusable};

/// Resolves a link of the app. It must have the origin of `base` and lead below its path, because our credentials go
/// there.
pub(crate) fn inside(base: &Url, from: &Url, link: &str) -> Result<Place, Failure> {
    let mut url = from.join(link.trim()).map_err(|_| unusable("the link to the next page is not a URL"))?;
    url.set_fragment(None);
    let relative = relative(base, &url);
    relative.map(|relative| Place::Link(relative.to_owned())).ok_or_else(|| {
        let host = url.host_str().unwrap_or("no host");
        unusable(&format!(
            "the link to the next page leads to {host}{}, away from the side's base_url; it is not followed",
            url.path()
        ))
    })
}

/// The URL of a stored link. It is checked again, because it has been outside of this process.
pub(crate) fn stored(base: &Url, link: &str) -> Result<Url, Failure> {
    let url = Url::parse(&format!("{base}{link}")).ok().filter(|url| relative(base, url).is_some());
    url.ok_or_else(|| unusable("the cursor leads away from the side's base_url; it is not followed"))
}

/// The part of a URL after the base, if it begins with the base. A parsed URL has one spelling (lower case, no `..`, no
/// default port) and the base ends with a slash. So such a URL has the base's scheme, host and port, no user, and a
/// path below that of the base.
fn relative<'a>(base: &Url, url: &'a Url) -> Option<&'a str> {
    url.as_str().strip_prefix(base.as_str())
}

/// Finds the target of the header `Link` with `rel="next"` (RFC 8288).
pub(super) fn next_of(headers: &HeaderMap) -> Option<String> {
    let texts = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(links).find(|(_, is_next)| *is_next).map(|(target, _)| target)
}

/// The targets of a header `Link`, each with whether it is the next page.
fn links(mut rest: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    while let Some((target, after)) = rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')) {
        let parameters = until_comma(after);
        rest = &after[parameters.len()..];
        let is_next = parameters.split(';').any(|parameter| {
            parameter.split_once('=').is_some_and(|(name, value)| {
                let relations = value.trim().trim_matches('"');
                let is_next = || relations.split_ascii_whitespace().any(|one| one.eq_ignore_ascii_case("next"));
                name.trim().eq_ignore_ascii_case("rel") && is_next()
            })
        });
        found.push((target.to_owned(), is_next));
    }
    found
}

/// The parameters of a link: the text up to the first comma outside of quotes.
fn until_comma(text: &str) -> &str {
    let mut is_quoted = false;
    let end = text.find(|c| {
        is_quoted ^= c == '"';
        c == ',' && !is_quoted
    });
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_link_stays_below_the_base_and_is_stored_relative_to_it() {
        let base = Url::parse("https://erp.example/data/").unwrap();
        let from = base.join("Customers").unwrap();
        for (link, wanted) in [
            ("Customers?$skiptoken=2", "Customers?$skiptoken=2"),
            ("/data/Customers?$skip=2#top", "Customers?$skip=2"),
            ("https://ERP.example:443/data/Customers", "Customers"),
            ("?$skiptoken=2", "Customers?$skiptoken=2"),
            ("/data/", ""),
            ("/data//evil.test/x", "/evil.test/x"),
        ] {
            assert_eq!(inside(&base, &from, link).unwrap(), Place::Link(wanted.to_owned()), "{link}");
            assert_eq!(stored(&base, wanted).unwrap().as_str(), format!("https://erp.example/data/{wanted}"));
        }
        for link in [
            "https://evil.test/data/Customers",
            "//evil.test/data/Customers",
            "http://erp.example/data/Customers",
            "https://erp.example:8443/data/Customers",
            "https://erp.example/admin/Customers",
            "https://erp.example/database/Customers",
            "/data/../admin",
            "/data/%2e%2e/admin",
            "https://u:p@erp.example/data/Customers",
            "https://erp.example@evil.test/data/Customers",
            "file:///data/Customers",
            "http://169.254.169.254/data/",
        ] {
            let says = inside(&base, &from, link).unwrap_err().message;
            assert!(says.contains("away from the side's base_url"), "{link}: {says}");
        }
        for forged in ["../admin", "%2e%2e/admin", "..\\admin", "x/../../admin"] {
            assert!(stored(&base, forged).is_err(), "{forged}");
        }
    }

    #[test]
    fn the_next_page_is_found_among_the_links_of_a_header() {
        let next = |header: &str| next_of(&HeaderMap::from_iter([(LINK, header.parse().unwrap())]));
        for (header, wanted) in [
            (r#"<https://a/x?page=2>; rel="next""#, Some("https://a/x?page=2")),
            (r#"<https://a/x?page=1>; rel="prev first", </x?p=3,4>; title="a, b"; rel="last NEXT""#, Some("/x?p=3,4")),
            ("<x>;rel=next;type=text", Some("x")),
            (r#"<x>; rel="last", <y>; rev="next""#, None),
            ("nonsense", None),
            ("<x", None),
        ] {
            assert_eq!(next(header).as_deref(), wanted, "{header}");
        }
        assert_eq!(next_of(&HeaderMap::new()), None);
    }
}
