//! Error classes, and what they mean for the write that met them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::{FIRST_BACKOFF_MS, MAX_BACKOFF_MS, MAX_MESSAGE_CHARS, MAX_RETRY_AFTER_MS};

/// What kind of error an app, or the way to it, answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The app's business validation refused the record.
    Application,
    /// 400 without a word from the application.
    BadRequest,
    /// 401 or 403.
    Auth,
    /// 429.
    Throttled,
    /// 502, 503, 504.
    Unavailable,
    /// Any other status.
    OtherHttp,
    /// DNS, TLS, connect, reset.
    Network,
    /// No answer in time.
    Timeout,
    /// 409 or 412.
    Conflict,
    /// The record could not be mapped.
    Mapping,
}

impl ErrorClass {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Application,
        Self::BadRequest,
        Self::Auth,
        Self::Throttled,
        Self::Unavailable,
        Self::OtherHttp,
        Self::Network,
        Self::Timeout,
        Self::Conflict,
        Self::Mapping,
    ];

    /// The name used in API, log and rules.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::BadRequest => "bad_request",
            Self::Auth => "auth",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::OtherHttp => "other_http",
            Self::Network => "network",
            Self::Timeout => "timeout",
            Self::Conflict => "conflict",
            Self::Mapping => "mapping",
        }
    }
}

impl fmt::Display for ErrorClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is certain about a call that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallEffect {
    /// Refused for good, without effect: sending the same again is refused again.
    Refused,
    /// Certainly without effect, and it may work later.
    NotApplied,
    /// It may or may not have had an effect, now or later.
    Unknown,
}

/// How a call ended, as the connector saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The app answered with this status. `explained`: with an error code of its own in the body.
    Status {
        /// The HTTP status.
        status: u16,
        /// Whether the body carries the application's own error code.
        explained: bool,
    },
    /// Name resolution, TCP connect or TLS failed: nothing was sent.
    NotConnected,
    /// No connection in time: nothing was sent.
    ConnectTimeout,
    /// Sent, and the connection broke before the answer.
    Broken,
    /// Sent, and no answer in time.
    Timeout,
    /// The connector refuses the address (allow-list, private network) or cannot build the request.
    NotAllowed,
}

/// Class and effect of a call that did not succeed; `None` for a success (2xx).
#[must_use]
pub fn classify(end: CallEnd) -> Option<(ErrorClass, CallEffect)> {
    use CallEffect::{NotApplied, Refused, Unknown};
    use ErrorClass as C;
    Some(match end {
        CallEnd::Status { status, explained } => match status {
            200..=299 => return None,
            400 if explained => (C::Application, Refused),
            400 => (C::BadRequest, Refused),
            422 => (C::Application, Refused),
            // Wrong credentials concern every record alike: none of them is refused for good.
            401 | 403 => (C::Auth, NotApplied),
            408 => (C::Timeout, Unknown),
            // Often somebody else's change or lock, which passes. What lasts is parked after some tries; an app that means it for good
            // says so by a code in the side's `final_codes`.
            409 | 412 => (C::Conflict, NotApplied),
            // Not the app's word about this record: a redirect, a proxy that asks who we are, a server of another host, too
            // early, a condition that the app wants with every change.
            300..=399 | 407 | 421 | 425 | 428 => (C::OtherHttp, NotApplied),
            423 => (C::Conflict, NotApplied), // somebody has the record locked
            429 => (C::Throttled, NotApplied),
            502..=504 => (C::Unavailable, Unknown),
            500..=599 => (C::OtherHttp, Unknown),
            _ => (C::OtherHttp, Refused),
        },
        CallEnd::NotConnected => (C::Network, NotApplied),
        CallEnd::ConnectTimeout => (C::Timeout, NotApplied),
        CallEnd::Broken => (C::Network, Unknown),
        CallEnd::Timeout => (C::Timeout, Unknown),
        CallEnd::NotAllowed => (C::Network, NotApplied),
    })
}

/// A failed call, as operators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of error.
    pub class: ErrorClass,
    /// What is certain about its effect.
    #[serde(rename = "verdict")]
    pub effect: CallEffect,
    /// The app's own error code, or the HTTP status as text, or the mapped field.
    pub code: Option<String>,
    /// The app's own words, shortened to [`MAX_MESSAGE_CHARS`].
    pub message: String,
    /// What the app asked us to wait.
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure with its message shortened.
    #[must_use]
    pub fn new(class: ErrorClass, effect: CallEffect, code: Option<String>, message: &str) -> Self {
        let code = code.map(|code| shorten(&code, 100));
        Self { class, effect, code, message: shorten(message, MAX_MESSAGE_CHARS), retry_after_ms: None }
    }

    /// Whether it tells of the whole side: no connection, no answer, too many requests, refused credentials, a page of somebody
    /// else. All other failures may be this record's own trouble: an error of the server (500), or an app that says in its own
    /// words that the caller may not change this record.
    #[must_use]
    pub fn is_side_wide(&self) -> bool {
        let status = self.code.as_deref().and_then(|code| code.parse::<u16>().ok());
        match self.class {
            ErrorClass::Throttled | ErrorClass::Unavailable | ErrorClass::Network | ErrorClass::Timeout => true,
            // With a code of its own, the app has known the caller.
            ErrorClass::Auth => self.code.as_deref().is_none_or(|code| ["401", "403"].contains(&code)),
            // A page of somebody else, or a router's 4xx. With 5xx, or a code of the app's own, it may be about the record.
            ErrorClass::OtherHttp => status.is_some_and(|status| match status {
                ..400 => true,
                400..500 => self.effect == CallEffect::NotApplied,
                500.. => false,
            }),
            ErrorClass::Application | ErrorClass::BadRequest | ErrorClass::Conflict | ErrorClass::Mapping => false,
        }
    }
}

/// The first `max` characters, control characters made blanks: app messages end up in mails and terminals.
#[must_use]
pub fn shorten(text: &str, max: usize) -> String {
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    if text.chars().nth(max).is_none() {
        return text.chars().map(clean).collect();
    }
    text.chars().take(max.saturating_sub(1)).map(clean).chain(['…']).collect()
}

/// How long to wait after this many attempts: doubling, bounded, never less than the app asked for.
#[must_use]
pub fn backoff_ms(attempts: u32, retry_after_ms: Option<u64>) -> u64 {
    let doubled = FIRST_BACKOFF_MS.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    doubled.min(MAX_BACKOFF_MS).max(retry_after_ms.unwrap_or(0).min(MAX_RETRY_AFTER_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_and_verdict_of_every_way_a_call_can_end() {
        use CallEffect::{NotApplied, Refused, Unknown};
        use ErrorClass as C;
        let status = |status, explained| classify(CallEnd::Status { status, explained });
        for (end, wanted) in [
            (status(200, false), None),
            (status(204, false), None),
            (status(302, false), Some((C::OtherHttp, NotApplied))),
            (status(308, false), Some((C::OtherHttp, NotApplied))),
            (status(400, true), Some((C::Application, Refused))),
            (status(400, false), Some((C::BadRequest, Refused))),
            (status(401, false), Some((C::Auth, NotApplied))),
            (status(403, true), Some((C::Auth, NotApplied))),
            (status(404, true), Some((C::OtherHttp, Refused))),
            (status(408, false), Some((C::Timeout, Unknown))),
            (status(409, true), Some((C::Conflict, NotApplied))),
            (status(412, false), Some((C::Conflict, NotApplied))),
            (status(413, false), Some((C::OtherHttp, Refused))),
            (status(407, false), Some((C::OtherHttp, NotApplied))),
            (status(421, false), Some((C::OtherHttp, NotApplied))),
            (status(422, false), Some((C::Application, Refused))),
            (status(423, true), Some((C::Conflict, NotApplied))),
            (status(428, true), Some((C::OtherHttp, NotApplied))),
            (status(425, false), Some((C::OtherHttp, NotApplied))),
            (status(429, false), Some((C::Throttled, NotApplied))),
            (status(500, true), Some((C::OtherHttp, Unknown))),
            (status(501, false), Some((C::OtherHttp, Unknown))),
            (status(502, false), Some((C::Unavailable, Unknown))),
            (status(503, false), Some((C::Unavailable, Unknown))),
            (status(504, false), Some((C::Unavailable, Unknown))),
            (classify(CallEnd::NotConnected), Some((C::Network, NotApplied))),
            (classify(CallEnd::ConnectTimeout), Some((C::Timeout, NotApplied))),
            (classify(CallEnd::Broken), Some((C::Network, Unknown))),
            (classify(CallEnd::Timeout), Some((C::Timeout, Unknown))),
            (classify(CallEnd::NotAllowed), Some((C::Network, NotApplied))),
        ] {
            assert_eq!(end, wanted);
        }
    }

    #[test]
    fn a_class_has_one_name_in_the_api_in_the_log_and_in_messages() {
        for class in ErrorClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
            assert_eq!(class.to_string(), class.as_str());
        }
    }

    #[test]
    fn what_concerns_the_whole_side_is_told_from_what_may_be_one_records_trouble() {
        use CallEffect::{NotApplied, Refused, Unknown};
        use ErrorClass as C;
        for (class, effect, code, side_wide) in [
            (C::Throttled, NotApplied, Some("429"), true),
            (C::Unavailable, Unknown, Some("503"), true),
            (C::Network, Unknown, None, true),
            (C::Timeout, Unknown, None, true),
            (C::Auth, NotApplied, None, true),
            (C::Auth, NotApplied, Some("401"), true),
            (C::Auth, NotApplied, Some("403"), true),
            (C::Auth, NotApplied, Some("0x80040220"), false),
            (C::OtherHttp, NotApplied, Some("404"), true), // a router
            (C::OtherHttp, Unknown, Some("200"), true),    // a login page
            (C::OtherHttp, Unknown, Some("399"), true),
            (C::OtherHttp, Unknown, Some("400"), false),
            (C::OtherHttp, Unknown, Some("500"), false),
            (C::OtherHttp, NotApplied, Some("500"), false), // a read of this record
            (C::OtherHttp, NotApplied, Some("E42"), false),
            (C::OtherHttp, NotApplied, None, false), // what was read is no record
            (C::OtherHttp, Unknown, Some("ORA-600"), false),
            (C::OtherHttp, Unknown, None, false),
            (C::Application, Refused, Some("400"), false),
            (C::BadRequest, Refused, Some("400"), false),
            (C::Conflict, NotApplied, Some("423"), false),
            (C::Mapping, Refused, None, false),
        ] {
            let failure = Failure::new(class, effect, code.map(str::to_owned), "no");
            assert_eq!(failure.is_side_wide(), side_wide, "{class} {effect:?} {code:?}");
        }
    }

    #[test]
    fn backoff_doubles_to_its_bound_and_obeys_retry_after() {
        assert_eq!(
            (1..8).map(|n| backoff_ms(n, None)).collect::<Vec<_>>(),
            [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        );
        assert_eq!(backoff_ms(u32::MAX, None), MAX_BACKOFF_MS);
        assert_eq!(backoff_ms(1, Some(90_000)), 90_000);
        assert_eq!(backoff_ms(1, Some(u64::MAX)), MAX_RETRY_AFTER_MS);
    }

    #[test]
    fn a_long_message_is_shortened_and_loses_its_control_characters() {
        assert_eq!(shorten("a\r\nb", 10), "a  b");
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(shorten("abcd", 4), "abcd");
    }
}
