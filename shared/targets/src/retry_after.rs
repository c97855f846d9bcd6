//! The wait for which an app asks.

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// The wait of `Retry-After`, in milliseconds. The header has seconds or a date. The wait until a date is counted from
/// the app's own `Date`, so that a difference between clocks does not matter.
pub(crate) fn retry_after_ms(headers: &HeaderMap) -> Option<u64> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(seconds.saturating_mul(1_000));
    }
    let at = date(headers, &RETRY_AFTER)?;
    let now = date(headers, &DATE).unwrap_or_else(Timestamp::now);
    Some(u64::try_from(at.as_millisecond() - now.as_millisecond()).unwrap_or(0))
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    rfc2822::parse(headers.get(name)?.to_str().ok()?.trim()).ok().map(|at| at.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_anything_else_is_ignored() {
        let now = "Fri, 31 Dec 1999 23:59:29 GMT";
        for (text, wanted) in [
            ("120", Some(120_000)),
            ("0", Some(0)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", Some(30_000)),
            ("Fri, 31 Dec 1999 23:00:00 GMT", Some(0)),
            ("18446744073709551615", Some(u64::MAX)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap()), (DATE, now.parse().unwrap())]);
            assert_eq!(retry_after_ms(&headers), wanted, "{text}");
        }
        assert_eq!(retry_after_ms(&HeaderMap::new()), None);
    }

    #[test]
    fn without_the_apps_date_our_own_is_taken() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, "Fri, 31 Dec 1999 23:59:59 GMT".parse().unwrap())]);
        assert_eq!(retry_after_ms(&headers), Some(0));
    }
}
