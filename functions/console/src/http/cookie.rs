//! The cookie that carries a session's secret.

use app::admin::sessions::MAX_AGE_MS;
use axum::http::{HeaderMap, HeaderValue, header};

/// The name. With this prefix a browser takes the cookie from this host alone, and only over TLS.
pub(crate) const NAME: &str = "__Host-tandem";

/// The secret that a request carries, if it carries one.
pub(crate) fn read_secret(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value.to_owned()).next()
}

/// Gives the browser a secret. `Lax`: a link in a mail must not ask for the sign-in once more; what acts is a POST, which the
/// cookie does not go with from another site.
pub(crate) fn give(secret: &str) -> Option<HeaderValue> {
    let age = MAX_AGE_MS / 1_000;
    HeaderValue::try_from(format!("{NAME}={secret}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Lax")).ok()
}

/// Takes it away.
pub(crate) fn take() -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{NAME}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().unwrap());
        }
        read_secret(&headers)
    }

    #[test]
    fn the_secret_is_found_among_other_cookies() {
        assert_eq!(read(&["a=b; __Host-tandem=tns_x; c=d"]), Some("tns_x".to_owned()));
        assert_eq!(read(&["a=b", "__Host-tandem=tns_x"]), Some("tns_x".to_owned()));
        assert_eq!(read(&["tandem=tns_x; Host-tandem=tns_y"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn the_cookie_is_bound_to_this_host_and_hidden_from_scripts() {
        let given = give("tns_x").unwrap();
        assert_eq!(
            given.to_str().unwrap(),
            "__Host-tandem=tns_x; Path=/; Max-Age=43200; Secure; HttpOnly; SameSite=Lax"
        );
        assert!(take().unwrap().to_str().unwrap().contains("Max-Age=0"));
    }
}
