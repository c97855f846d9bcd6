//! `OAuth` 2.0 tokens by client credentials (RFC 6749, 4.4).

use std::time::Duration;

use domain::{ErrorClass, Failure, failure::CallEffect, side::SecretRef};
use reqwest::{
    Method,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::Value;
use url::{Url, form_urlencoded};

use crate::{
    limits::{MAX_ERROR_BYTES, MAX_TOKEN_LIFE, TOKEN_LIFE, TOKEN_MARGIN},
    plan::{Request, not_callable},
    secrets::{Secret, SecretCache, Secrets},
    wire::{Deadline, Wire},
};

/// The parameters of a token request. Sides with the same grant share their token.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Grant {
    pub(crate) token_url: String,
    pub(crate) client_id: String,
    pub(crate) secret: SecretRef,
    pub(crate) scope: Option<String>,
}

/// Fetches a new token. Returns it with the time for which it may be used. If the issuer refuses the client's secret,
/// reads the secret anew and tries once more, because the secret may have been rotated.
pub(crate) async fn fetch<S: Secrets>(
    wire: &Wire,
    secrets: &SecretCache<S>,
    grant: &Grant,
    deadline: &Deadline,
) -> Result<(Secret, Duration), Failure> {
    let secret = secrets.get(&grant.secret, None).await?;
    match ask(wire, grant, &secret.value, deadline).await {
        Err(failure) if failure.class == ErrorClass::Auth => {
            let renewed = secrets.get(&grant.secret, Some(secret.number)).await?;
            if renewed.number == secret.number {
                return Err(failure);
            }
            ask(wire, grant, &renewed.value, deadline).await
        }
        result => result,
    }
}

async fn ask(wire: &Wire, grant: &Grant, secret: &Secret, deadline: &Deadline) -> Result<(Secret, Duration), Failure> {
    let mut answer = wire.send(&request(grant, secret)?, deadline).await.map_err(no_token)?;
    answer.hidden.push(secret.clone());
    if !answer.status.is_success() {
        return Err(no_token(answer.failure()));
    }
    let told = Value::Object(answer.into_record().map_err(no_token)?);
    let Some(token) = told["access_token"].as_str().filter(|token| !token.is_empty()) else {
        let failure = Failure::new(ErrorClass::Auth, CallEffect::NotApplied, None, "the answer has no access_token");
        return Err(no_token(failure));
    };
    Ok((Secret::new(token), life(&told["expires_in"])))
}

fn request(grant: &Grant, secret: &Secret) -> Result<Request, Failure> {
    let url = Url::parse(&grant.token_url).map_err(|error| not_callable(&format!("token_url: {error}")))?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials").append_pair("client_id", &grant.client_id);
    form.append_pair("client_secret", secret.expose());
    if let Some(scope) = &grant.scope {
        form.append_pair("scope", scope);
    }
    let mut request = Request::new(Method::POST, url);
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    request.body = Some(form.finish().into_bytes());
    request.max_answer_bytes = MAX_ERROR_BYTES;
    Ok(request)
}

/// The time for which a token may be used, from `expires_in` in seconds. Some issuers send the number as text.
pub(crate) fn life(expires_in: &Value) -> Duration {
    let seconds = expires_in.as_u64().or_else(|| expires_in.as_str()?.parse().ok());
    seconds.map_or(TOKEN_LIFE, Duration::from_secs).min(MAX_TOKEN_LIFE).saturating_sub(TOKEN_MARGIN)
}

/// The failure of a call that got no token. Nothing was sent to the app, so nothing was applied. If the issuer refused,
/// it refused our credentials and not the record.
fn no_token(failure: Failure) -> Failure {
    let class = match failure.class {
        ErrorClass::BadRequest | ErrorClass::Application => ErrorClass::Auth,
        class => class,
    };
    let message = format!("no token: {}", failure.message);
    let told = Failure::new(class, CallEffect::NotApplied, failure.code, &message);
    Failure { retry_after_ms: failure.retry_after_ms, ..told }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_is_given_up_a_minute_before_it_expires() {
        for (expires_in, seconds) in [
            (json!(3_600), 3_540),
            (json!("3599"), 3_539),
            (json!(59), 0),
            (json!(null), 240),
            (json!(-1), 240),
            (json!(u64::MAX), 86_340),
        ] {
            assert_eq!(life(&expires_in), Duration::from_secs(seconds), "{expires_in}");
        }
    }
}
