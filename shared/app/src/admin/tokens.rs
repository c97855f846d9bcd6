//! Bearer tokens of operators. The store knows their hashes alone: who reads the table cannot act as anybody.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{AdminPorts, Caller};
use crate::{
    error::{AppError, ResourceKind, StateConflict},
    ports::{Role, Token, Tokens},
};

/// Every token begins with this, so that a leaked one is found by a search.
pub const PREFIX: &str = "tnd_";
/// The name under which the first admin's deeds are recorded. No other token may have it.
pub const FIRST_ADMIN: &str = "first-admin";
/// Longest name of a token, in characters.
pub const MAX_TOKEN_NAME_CHARS: usize = 100;
/// Tokens are for operators and their pipelines; the list is read whole.
pub const MAX_TOKENS: usize = 500;

/// No token that was ever given out is longer, in bytes; nothing longer is hashed.
const MAX_TOKEN_BYTES: usize = 128;

impl Role {
    /// All of them, least first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// The role's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

/// SHA-256 of a token, in hex: what the store and the deployment know of it.
#[must_use]
pub fn sha256_hex(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Who sends this `Authorization` header.
///
/// # Errors
/// Nobody known, or the store does not answer.
pub async fn authenticate<P: AdminPorts>(ports: &P, authorization: Option<&str>) -> Result<Caller, AppError> {
    let (scheme, token) = authorization.and_then(|value| value.split_once(' ')).ok_or(AppError::Unauthenticated)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.len() > MAX_TOKEN_BYTES || !token.starts_with(PREFIX) {
        return Err(AppError::Unauthenticated);
    }
    find_caller(ports, &sha256_hex(token)).await?.ok_or(AppError::Unauthenticated)
}

/// The owner of the token with this SHA-256.
pub(super) async fn find_caller<P: AdminPorts>(ports: &P, hash: &str) -> Result<Option<Caller>, AppError> {
    if let Some(first) = ports.first_admin_sha256()
        && bool::from(first.as_bytes().ct_eq(hash.as_bytes()))
    {
        return Ok(Some(Caller { name: FIRST_ADMIN.to_owned(), role: Role::Admin }));
    }
    let token = ports.tokens().token(hash).await?;
    Ok(token.map(|token| Caller { name: token.name, role: token.role }))
}

/// Makes a token. The second part of the answer is its secret: it is told this once and never again.
///
/// # Errors
/// The name is missing or taken, there are too many tokens, or the store does not answer.
pub async fn issue<P: AdminPorts>(ports: &P, name: &str, role: Role) -> Result<(Token, String), AppError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_TOKEN_NAME_CHARS || name.contains(char::is_control) {
        let message = format!("must be 1 to {MAX_TOKEN_NAME_CHARS} characters on one line");
        return Err(AppError::mistake("name", &message));
    }
    let others = ports.tokens().list_tokens().await?;
    if name == FIRST_ADMIN || others.iter().any(|token| token.name == name) {
        return Err(AppError::Conflict(StateConflict::TokenNameTaken));
    }
    if others.len() >= MAX_TOKENS {
        return Err(AppError::Conflict(StateConflict::TooManyTokens));
    }
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(ports.fresh_secret()?));
    let id = domain::id::MapUid(ports.fresh_id()).to_string().to_ascii_lowercase();
    let token = Token { id, name: name.to_owned(), role, created_at: ports.now() };
    ports.tokens().save_token(&sha256_hex(&secret), &token).await?;
    Ok((token, secret))
}

/// All tokens but the first admin's, by name.
///
/// # Errors
/// The store does not answer.
pub async fn list<P: AdminPorts>(ports: &P) -> Result<Vec<Token>, AppError> {
    let mut tokens = ports.tokens().list_tokens().await?;
    tokens.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tokens)
}

/// Takes a token back. From now on nothing can be done with it.
///
/// # Errors
/// There is none, or the store does not answer.
pub async fn delete<P: AdminPorts>(ports: &P, id: &str) -> Result<(), AppError> {
    if ports.tokens().delete_token(id).await? { Ok(()) } else { Err(AppError::NotFound(ResourceKind::Token)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_sha_256_in_hex() {
        assert_eq!(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn each_role_includes_those_before_it() {
        assert!(Role::ALL.is_sorted());
        assert_eq!(Role::ALL.map(Role::as_str), ["viewer", "operator", "admin"]);
    }
}
