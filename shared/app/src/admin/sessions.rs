//! Sessions of the console. A session acts for the token that opened it, and ends with it.
//!
//! The browser has the session's secret in a cookie; the store knows its hash alone.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::Timestamp;
use subtle::ConstantTimeEq;

use super::{
    AdminPorts, Caller,
    tokens::{authenticate, find_caller, sha256_hex},
};
use crate::{
    error::AppError,
    ports::{Session, Tokens},
};

/// Every secret of a session begins with this. It is no token: the API refuses it.
pub const PREFIX: &str = "tns_";
/// A session ends when nobody has used it for this long, in milliseconds.
pub const IDLE_MS: u64 = 60 * 60 * 1_000;
/// A session ends after this long, however much it is used, in milliseconds: one shift.
pub const MAX_AGE_MS: u64 = 12 * 60 * 60 * 1_000;

/// How often the use of a session is noted, in milliseconds. A page costs no write then.
const NOTE_USE_EVERY_MS: u64 = 5 * 60 * 1_000;
/// No secret that was ever given out is longer, in bytes; nothing longer is hashed.
const MAX_SECRET_BYTES: usize = 128;

/// Opens a session with a token. The answer is its secret: it is told this once and never again.
///
/// # Errors
/// Nobody has this token, or the store does not answer.
pub async fn sign_in<P: AdminPorts>(ports: &P, token: &str) -> Result<(String, Caller), AppError> {
    let token = token.trim();
    let caller = authenticate(ports, Some(&format!("Bearer {token}"))).await?;
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(ports.fresh_secret()?));
    let now = ports.now();
    let session = Session { token: sha256_hex(token), opened_at: now, used_at: now };
    ports.tokens().open_session(&sha256_hex(&secret), &session, latest_end(&session)).await?;
    Ok((secret, caller))
}

/// Who has this session. `None`: it is over, or never was.
///
/// # Errors
/// The store does not answer.
pub async fn find<P: AdminPorts>(ports: &P, secret: &str) -> Result<Option<Caller>, AppError> {
    if secret.len() > MAX_SECRET_BYTES || !secret.starts_with(PREFIX) {
        return Ok(None);
    }
    let (hash, now) = (sha256_hex(secret), ports.now());
    let Some(session) = ports.tokens().session(&hash).await?.filter(|session| !is_over(session, now)) else {
        return Ok(None);
    };
    let caller = find_caller(ports, &session.token).await?;
    if caller.is_some() && now.ms_since(session.used_at) >= NOTE_USE_EVERY_MS {
        let used = Session { used_at: now, ..session };
        ports.tokens().touch_session(&hash, &used, latest_end(&used)).await?;
    }
    Ok(caller)
}

/// Ends a session.
///
/// # Errors
/// The store does not answer.
pub async fn sign_out<P: AdminPorts>(ports: &P, secret: &str) -> Result<(), AppError> {
    Ok(ports.tokens().close_session(&sha256_hex(secret)).await?)
}

/// The token that the forms of a session carry. Another site knows neither it nor the secret that it comes from.
#[must_use]
pub fn form_token(secret: &str) -> String {
    sha256_hex(&format!("form {secret}"))
}

/// Whether a form carries the token of this session.
#[must_use]
pub fn is_form_token(secret: &str, token: &str) -> bool {
    form_token(secret).as_bytes().ct_eq(token.as_bytes()).into()
}

fn is_over(session: &Session, now: Timestamp) -> bool {
    now.ms_since(session.used_at) >= IDLE_MS || now.ms_since(session.opened_at) >= MAX_AGE_MS
}

fn latest_end(session: &Session) -> Timestamp {
    session.opened_at.plus_ms(MAX_AGE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_nobody_uses_it_and_after_a_shift() {
        let session =
            |opened, used| Session { token: String::new(), opened_at: Timestamp(opened), used_at: Timestamp(used) };
        for (session, now, over) in [
            (session(0, 0), 0, false),
            (session(0, 0), IDLE_MS - 1, false),
            (session(0, 0), IDLE_MS, true),
            (session(0, MAX_AGE_MS - 10), MAX_AGE_MS - 1, false),
            (session(0, MAX_AGE_MS - 10), MAX_AGE_MS, true),
        ] {
            assert_eq!(is_over(&session, Timestamp(now)), over, "{session:?} at {now}");
        }
    }

    #[test]
    fn a_form_carries_the_token_of_its_own_session() {
        let token = form_token("tns_a");
        assert!(is_form_token("tns_a", &token));
        for wrong in ["", "tns_a", &form_token("tns_b"), &sha256_hex("tns_a"), &token[1..]] {
            assert!(!is_form_token("tns_a", wrong), "{wrong}");
        }
    }
}
