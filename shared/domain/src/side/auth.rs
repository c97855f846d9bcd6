//! How Tandem identifies itself to an app.

use serde::{Deserialize, Serialize};

/// How Tandem identifies itself to a side. Secrets are references, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// A key in a header.
    ApiKey {
        /// The header's name, e.g. `x-api-key`.
        header: String,
        /// Where the key is kept.
        secret: SecretRef,
    },
    /// User and password.
    Basic {
        /// The user's name.
        user: String,
        /// Where the password is kept.
        secret: SecretRef,
    },
    /// `OAuth` 2.0 client credentials; the token is cached until shortly before it expires.
    Oauth2 {
        /// Where tokens are issued.
        token_url: String,
        /// The client's id.
        client_id: String,
        /// Where the client's secret is kept.
        secret: SecretRef,
        /// The scope asked for, e.g. `https://org.crm4.dynamics.com/.default`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scope: Option<String>,
    },
}

/// Where a secret is kept: `ssm:/name` (SSM `SecureString`) or `secretsmanager:name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretRef(String);

impl SecretRef {
    /// The name of the SSM parameter to read. Secrets Manager is read through SSM's documented reference path.
    #[must_use]
    pub fn parameter_name(&self) -> String {
        match self.0.split_once(':') {
            Some(("secretsmanager", name)) => format!("/aws/reference/secretsmanager/{name}"),
            Some((_, name)) => name.to_owned(),
            None => self.0.clone(),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let ok = match text.split_once(':') {
            Some(("ssm", name)) => name.starts_with('/') && name.len() > 1,
            Some(("secretsmanager", name)) => !name.is_empty(),
            _ => false,
        };
        if ok && text.len() <= 512 && text.chars().all(|c| c.is_ascii_graphic()) {
            Ok(Self(text))
        } else {
            Err("must be a reference, ssm:/name or secretsmanager:name: secrets are never kept in a side".to_owned())
        }
    }
}

impl From<SecretRef> for String {
    fn from(secret: SecretRef) -> String {
        secret.0
    }
}

/// An http(s) URL without query, fragment or user.
pub(super) fn is_plain_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && text.len() <= 1_024
        && !text.contains(['?', '#', '@', ' '])
}

/// Reports every mistake in a sign-in that stands at `at`.
pub(super) fn check(auth: &Auth, at: &str, check: &mut impl FnMut(bool, &str, &str)) {
    match auth {
        Auth::None => {}
        Auth::ApiKey { header, .. } => check(
            !header.is_empty() && header.len() <= 64 && header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
            &format!("{at}.header"),
            "must be a header name",
        ),
        Auth::Basic { user, .. } => check(
            !user.is_empty() && user.len() <= 256 && !user.contains(':') && !user.contains(char::is_control),
            &format!("{at}.user"),
            "must not be empty nor contain `:`",
        ),
        Auth::Oauth2 { token_url, client_id, .. } => {
            check(is_plain_url(token_url), &format!("{at}.token_url"), "must be an http(s) URL without a query");
            check(!client_id.is_empty(), &format!("{at}.client_id"), "must not be empty");
        }
    }
}
