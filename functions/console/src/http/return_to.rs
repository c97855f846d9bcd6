//! The page that somebody wanted before the sign-in. It is one of ours, or the first one.

/// Longest address that is remembered, in bytes.
const MAX_BYTES: usize = 2_000;

/// An address of this console: a path without its first slash, and a query. Put behind a relative prefix, it cannot lead to
/// another host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReturnTo(String);

impl ReturnTo {
    /// Reads an address as a form or a query gives it. What is none of ours becomes the first page.
    pub(crate) fn read(text: &str) -> Self {
        let path = text.split(['?', '#']).next().unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/?=&%+:,@".contains(&byte);
        let is_ours = text.len() <= MAX_BYTES
            && text.bytes().all(is_plain)
            && !path.starts_with('/')
            && !path.contains(':')
            && !path.contains("//")
            && !path.split('/').any(|part| part.starts_with('.') || part.contains("%2e") || part.contains("%2E"));
        if is_ours { Self(text.to_owned()) } else { Self::default() }
    }

    /// The address, to be put behind the prefix that leads to the first page.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn an_address_of_ours_comes_back_as_it_was() {
        for ours in
            ["", "maps/customers", "maps/customers/errors?class=timeout&from=2026-11-23T12:00:00Z", "?state=Paused"]
        {
            assert_eq!(ReturnTo::read(ours).as_str(), ours);
        }
    }

    #[test]
    fn another_address_leads_to_the_first_page() {
        for wrong in [
            "//evil.example",
            "/maps",
            "https://evil.example",
            "javascript:alert(1)",
            "\\\\evil.example",
            "maps\\..\\x",
            "../x",
            "maps/../../x",
            "maps/%2e%2e/x",
            ".//evil.example",
            "a//b",
            "x\r\nSet-Cookie: a=b",
            "maps/é",
        ] {
            assert_eq!(ReturnTo::read(wrong), ReturnTo::default(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_given_the_browser_stays_below_the_console(text in ".{0,60}", depth in 0_usize..3) {
            let base = Url::parse("https://own.example/console/a/b/c").unwrap();
            let up = "../".repeat(depth);
            let target = base.join(&format!("{}{}", if up.is_empty() { "./" } else { &up }, ReturnTo::read(&text).as_str())).unwrap();
            prop_assert_eq!(target.host_str(), Some("own.example"));
            prop_assert!(target.path().starts_with("/console/"));
        }
    }
}
