//! Authenticates the caller of a function URL, by signature or by AWS's own check, before the body is parsed.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use app::{error::AppError, ports::PortError, problem::Problem};
use aws::{SsmSecrets, settings::Settings};
use lambda_http::{Request, RequestExt, http::HeaderMap, request::RequestContext};
use standardwebhooks::{HEADER_WEBHOOK_ID, HEADER_WEBHOOK_TIMESTAMP, Webhook, WebhookError};

/// Maximum age of the cached keys: the longest time for which a key is accepted after it was removed from the
/// parameter.
const KEYS_MAX_AGE: Duration = Duration::from_secs(60);
/// Shortest time between two reads of the keys that wrong signatures cause. The caller may have a newer key, but must
/// not make the function read SSM for each request.
const KEYS_MIN_AGE: Duration = Duration::from_secs(5);

/// How callers authenticate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerAuth {
    /// Standard Webhooks signatures; the keys are in this SSM parameter.
    Hmac {
        /// Name of the SSM parameter.
        parameter: String,
    },
    /// AWS has checked a `SigV4` signature before it called the function.
    Iam,
}

impl CallerAuth {
    /// Reads `TANDEM_CALLER_AUTH` (`hmac` or `iam`) and `TANDEM_HMAC_PARAMETER`. An invalid value is a mistake of the
    /// settings, so the function does not start.
    pub fn read<F: Fn(&str) -> Option<String>>(read: &mut Settings<F>) -> Self {
        let kind = read.parsed("TANDEM_CALLER_AUTH", "hmac".to_owned());
        match kind.as_str() {
            "iam" => Self::Iam,
            "hmac" => Self::Hmac { parameter: read.required("TANDEM_HMAC_PARAMETER") },
            _ => {
                read.mistake("TANDEM_CALLER_AUTH must be hmac or iam".to_owned());
                Self::Iam
            }
        }
    }
}

/// Authenticates callers.
#[derive(Debug)]
pub struct Callers {
    auth: CallerAuth,
    secrets: SsmSecrets,
    keys: Mutex<Option<(Instant, Vec<String>)>>,
}

impl Callers {
    /// Creates the authenticator. It reads its keys from `secrets`, and only with [`CallerAuth::Hmac`].
    #[must_use]
    pub fn new(auth: CallerAuth, secrets: SsmSecrets) -> Self {
        Self { auth, secrets, keys: Mutex::new(None) }
    }

    /// Reads the keys, so that the first request does not wait for them.
    ///
    /// # Errors
    /// The parameter cannot be read, or does not hold valid keys.
    pub async fn warm(&self) -> Result<(), PortError> {
        match &self.auth {
            CallerAuth::Iam => Ok(()),
            CallerAuth::Hmac { parameter } => self.read(parameter, Duration::ZERO).await.map(|_| ()),
        }
    }

    /// Checks that a known caller has sent a request.
    ///
    /// # Errors
    /// The problem for the caller: 401 with what is wrong with the signature, or a failure to read the keys.
    pub async fn check(&self, request: &Request) -> Result<(), Box<Problem>> {
        match &self.auth {
            CallerAuth::Iam => by_iam(request),
            CallerAuth::Hmac { parameter } => self.by_signature(parameter, request).await,
        }
    }

    async fn by_signature(&self, parameter: &str, request: &Request) -> Result<(), Box<Problem>> {
        let keys = self.read(parameter, KEYS_MAX_AGE).await.map_err(|error| failed(&error))?;
        match verify(&keys, request.headers(), request.body()) {
            Err(WebhookError::InvalidSignature) => {
                let newest = self.read(parameter, KEYS_MIN_AGE).await.map_err(|error| failed(&error))?;
                verify(&newest, request.headers(), request.body()).map_err(|error| refused(&error, request.headers()))
            }
            checked => checked.map_err(|error| refused(&error, request.headers())),
        }
    }

    /// Returns the keys, at most `max_age` old. There is one, or two during a rotation.
    async fn read(&self, parameter: &str, max_age: Duration) -> Result<Vec<String>, PortError> {
        let known = self.keys.lock().ok().and_then(|keys| keys.clone());
        if let Some((read, keys)) = known
            && read.elapsed() < max_age
        {
            return Ok(keys);
        }
        let text = self.secrets.parameter(parameter).await.map_err(PortError::Transient)?;
        let keys: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
        if keys.is_empty() || keys.iter().any(|key| Webhook::new(key).is_err()) {
            let says = format!("parameter {parameter} must hold one or two keys whsec_…, with a blank between them");
            return Err(PortError::Permanent(says));
        }
        if let Ok(mut known) = self.keys.lock() {
            *known = Some((Instant::now(), keys.clone()));
        }
        Ok(keys)
    }
}

fn verify(keys: &[String], headers: &HeaderMap, body: &[u8]) -> Result<(), WebhookError> {
    // The signed text is `id.timestamp.body`. With a point in the id, one signature would fit two different requests.
    let id = headers.get(HEADER_WEBHOOK_ID).ok_or(WebhookError::MissingHeader("id"))?;
    if id.as_bytes().contains(&b'.') {
        return Err(WebhookError::InvalidHeader("id"));
    }
    let mut result = Err(WebhookError::InvalidSignature);
    for key in keys {
        result = Webhook::new(key).and_then(|key| key.verify(body, headers));
        if result.is_ok() {
            break;
        }
    }
    result
}

fn by_iam(request: &Request) -> Result<(), Box<Problem>> {
    let known = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            context.authorizer.as_ref().and_then(|authorizer| authorizer.iam.as_ref()).is_some()
        }
        _ => false,
    };
    // AWS itself refuses unsigned requests. This check covers a URL that was deployed without that.
    if known { Ok(()) } else { Err(told("Sign the request with AWS Signature Version 4.")) }
}

/// From this number on, a timestamp is in milliseconds: in seconds it would be in the year 5138.
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

fn refused(error: &WebhookError, headers: &HeaderMap) -> Box<Problem> {
    let header =
        |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let in_milliseconds = header(HEADER_WEBHOOK_TIMESTAMP).parse::<i64>().is_ok_and(|at| at >= FIRST_MILLISECONDS);
    let is_encoded = !matches!(header("content-encoding").as_str(), "" | "identity");
    let charset = header("content-type");
    let charset = charset.split_once("charset=").map_or("utf-8", |(_, charset)| charset.trim_matches(['"', ' ', ';']));
    told(match error {
        WebhookError::FutureTimestampError if in_milliseconds => {
            "webhook-timestamp is in milliseconds: send seconds since 1970, and sign with them."
        }
        WebhookError::InvalidSignature if is_encoded => {
            "webhook-signature fits none of the keys, and the body has a Content-Encoding: send it uncompressed, and \
             sign what is sent."
        }
        WebhookError::InvalidSignature if charset != "utf-8" => {
            "webhook-signature fits none of the keys, and Content-Type names a charset: send JSON in UTF-8, and \
             sign what is sent."
        }
        WebhookError::TimestampTooOldError => {
            "webhook-timestamp is more than five minutes old: check the caller's clock, or sign the request anew."
        }
        WebhookError::FutureTimestampError => {
            "webhook-timestamp is more than five minutes in the future: check the caller's clock."
        }
        WebhookError::MissingHeader("id") => "The header webhook-id is missing.",
        WebhookError::MissingHeader("timestamp") => "The header webhook-timestamp is missing.",
        WebhookError::MissingHeader(_) => "The header webhook-signature is missing.",
        WebhookError::InvalidTimestamp => "webhook-timestamp is not a number of seconds since 1970.",
        WebhookError::InvalidHeader("id") => "webhook-id must be text without a point.",
        _ => {
            "webhook-signature fits none of the keys. What is signed is `webhook-id.webhook-timestamp.body`, after the \
             Standard Webhooks specification."
        }
    })
}

fn told(detail: &'static str) -> Box<Problem> {
    Box::new(Problem { detail: detail.into(), headers: Vec::new(), ..Problem::from(&AppError::Unauthenticated) })
}

fn failed(error: &PortError) -> Box<Problem> {
    tracing::error!(%error, "could not read the keys of the callers; the request is refused");
    Box::new(Problem::from(&AppError::Port(error.clone())))
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderName, HeaderValue};
    use proptest::{collection::vec, prelude::*, sample::select};

    use super::*;

    const ONE: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const TWO: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

    fn signed(key: &str, id: &str, at: i64, body: &[u8]) -> HeaderMap {
        let signature = Webhook::new(key).unwrap().sign(id, at, body).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", id.parse().unwrap());
        headers.insert("webhook-timestamp", at.to_string().parse().unwrap());
        headers.insert("webhook-signature", signature.parse().unwrap());
        headers
    }

    fn now() -> i64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        i64::try_from(since.as_secs()).unwrap()
    }

    #[test]
    fn while_keys_are_rotated_both_are_good() {
        let keys = [ONE.to_owned(), TWO.to_owned()];
        for key in [ONE, TWO] {
            assert!(verify(&keys, &signed(key, "a", now(), b"{}"), b"{}").is_ok());
        }
        assert!(verify(&keys[..1], &signed(TWO, "a", now(), b"{}"), b"{}").is_err());
    }

    #[test]
    fn every_way_to_be_refused_says_what_is_wrong() {
        let keys = [ONE.to_owned()];
        let without = |name: &str| {
            let mut headers = signed(ONE, "a", now(), b"{}");
            headers.remove(name);
            headers
        };
        let mut letters = signed(ONE, "a", now(), b"{}");
        letters.insert("webhook-timestamp", "soon".parse().unwrap());
        let with = |name: &'static str, value: &'static str| {
            let mut headers = signed(TWO, "a", now(), b"{}");
            headers.insert(name, value.parse().unwrap());
            headers
        };
        for (headers, body, says) in [
            (signed(ONE, "a", now(), b"{}"), &b"{ }"[..], "fits none"),
            (with("content-encoding", "gzip"), b"{}", "uncompressed"),
            (with("content-encoding", "identity"), b"{}", "Standard Webhooks"),
            (with("content-type", "application/json; charset=ISO-8859-1"), b"{}", "in UTF-8"),
            (with("content-type", "application/json; charset=\"UTF-8\""), b"{}", "Standard Webhooks"),
            (signed(ONE, "a", now() * 1_000, b"{}"), b"{}", "in milliseconds"),
            (signed(TWO, "a", now(), b"{}"), b"{}", "fits none"),
            (signed(ONE, "a", now() - 301, b"{}"), b"{}", "five minutes old"),
            (signed(ONE, "a", now() + 310, b"{}"), b"{}", "in the future"),
            (signed(ONE, "a.1", now(), b"{}"), b"{}", "without a point"),
            (without("webhook-id"), b"{}", "webhook-id is missing"),
            (without("webhook-timestamp"), b"{}", "webhook-timestamp is missing"),
            (without("webhook-signature"), b"{}", "webhook-signature is missing"),
            (letters, b"{}", "not a number"),
        ] {
            let problem = refused(&verify(&keys, &headers, body).unwrap_err(), &headers);
            assert_eq!(problem.status, 401);
            assert!(problem.detail.contains(says), "{}", problem.detail);
        }
    }
    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// No request of a stranger causes a panic or is accepted, and the answer repeats nothing of it.
        /// `PROPTEST_CASES` sets how many requests are tried.
        #[test]
        fn fuzz_no_headers_of_a_stranger_are_a_signature(
            all in vec((select(vec!["webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-encoding"]),
                prop_oneof!["\\PC{0,40}", "(v1|v2|)[,: ]?[A-Za-z0-9+/=]{0,60}( v1,[A-Za-z0-9+/=]{0,44})?", "[+-]?[0-9]{0,25}", Just(now().to_string())]), 0..8),
            body in vec(any::<u8>(), 0..60),
        ) {
            let mut headers = HeaderMap::new();
            for (name, value) in all {
                headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            let error = verify(&[ONE.to_owned(), TWO.to_owned()], &headers, &body).unwrap_err();
            let problem = refused(&error, &headers);
            prop_assert_eq!(problem.status, 401);
            prop_assert!(problem.detail.len() < 300);
        }

        #[test]
        fn fuzz_a_signature_is_good_for_what_was_signed_and_for_nothing_else(
            id in "[!-\\-/-~]{1,40}", body in "\\PC{0,60}", at in any::<prop::sample::Index>(), bit in 0..8_u8,
        ) {
            let body = body.into_bytes(); // only UTF-8 can be signed
            let keys = [TWO.to_owned(), ONE.to_owned()];
            let headers = signed(ONE, &id, now(), &body);
            prop_assert!(verify(&keys, &headers, &body).is_ok());
            let mut other = body.clone();
            if body.is_empty() {
                other.push(bit);
            } else {
                other[at.index(body.len())] ^= 1 << bit;
            }
            prop_assert!(verify(&keys, &headers, &other).is_err());
        }
    }
}
