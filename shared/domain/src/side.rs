//! Sides: the apps, how they are reached, and what they can do.

mod codes;
mod connector;
mod health;

use serde::{Deserialize, Serialize};

use crate::{id::SideId, limits::MAX_WRITE_MS};

pub use self::{
    connector::{AppKind, Connector, ConnectorKind, CreateMethod, KeyEncoding, KeyStyle, UpdateMethod},
    health::{Health, Trouble},
};

/// What a side does with a call that comes twice or late. It decides how soon an unknown outcome may be tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Honours `Idempotency-Key`: the same entry has one effect, whenever it arrives.
    Idempotent,
    /// Honours `If-Match`: a late call meets a changed `ETag` and is refused.
    Versioned,
    /// The last call wins. After an unknown outcome the lane stays closed until the call cannot land any more.
    #[default]
    Plain,
}

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

/// A side as operators configure it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SideConfig {
    /// How it is reached.
    pub connector: Connector,
    /// What it does with doubled and late calls.
    #[serde(default)]
    pub capability: Capability,
    /// Whether the app's trigger reports the writes of Tandem, too. Many leave out those of the integration's own user: then
    /// whatever this side reports was changed there, and nothing is taken for an echo.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub reports_own_writes: bool,
    /// Time for DNS, TCP and TLS together, in milliseconds.
    #[serde(default = "default_connect_timeout_ms")]
    pub connect_timeout_ms: u64,
    /// Time for one request, in milliseconds. A `sync` caller holds its transaction open that long; for a `versioned`
    /// side up to three times as long. Below `call_life_ms`.
    #[serde(default = "default_request_timeout_ms")]
    pub request_timeout_ms: u64,
    /// The longest time after which a call can still take effect in this app, in milliseconds. Only a `plain` side
    /// makes Tandem wait for it.
    #[serde(default = "default_call_life_ms")]
    pub call_life_ms: u64,
    /// How long a `sync` caller of this app may hold its transaction open after its write was accepted, in milliseconds. A
    /// read in between shows the older record, so nothing is copied from or to this app before.
    #[serde(default = "default_longest_transaction_ms", skip_serializing_if = "is_default_transaction")]
    pub longest_transaction_ms: u64,
    /// Codes of this app, or HTTP statuses, that mean "nothing was changed, try again", e.g. of a locked record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transient_codes: Vec<String>,
    /// Codes of this app, or HTTP statuses, that mean "refused for good, nothing was changed": some apps answer 500 to that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub final_codes: Vec<String>,
}

fn yes() -> bool {
    true
}
fn default_connect_timeout_ms() -> u64 {
    3_000
}
fn default_request_timeout_ms() -> u64 {
    10_000
}
fn default_call_life_ms() -> u64 {
    60_000
}
fn default_longest_transaction_ms() -> u64 {
    120_000
}
fn is_default_transaction(ms: &u64) -> bool {
    *ms == default_longest_transaction_ms()
}

impl SideConfig {
    /// Every mistake in it, each with the field it is in.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let mut check = |ok: bool, field: &str, says: &str| {
            if !ok {
                found.push(Mistake { field: field.to_owned(), message: says.to_owned() });
            }
        };
        let url = |text: &str| {
            let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
            rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
                && text.len() <= 1_024
                && !text.contains(['?', '#', '@', ' '])
        };
        check(
            url(&self.connector.base_url) && self.connector.base_url.ends_with('/'),
            "connector.base_url",
            "must be an http(s) URL that ends with / and has no query, fragment or user",
        );
        for (codes, field) in [(&self.transient_codes, "transient_codes"), (&self.final_codes, "final_codes")] {
            check(codes::are_well_formed(codes), field, codes::WANTED);
        }
        let twice = self.transient_codes.iter().any(|code| codes::contain(&self.final_codes, code));
        check(!twice, "final_codes", "has a code that is in transient_codes, too");
        match &self.connector.auth {
            Auth::None => {}
            Auth::ApiKey { header, .. } => check(
                !header.is_empty()
                    && header.len() <= 64
                    && header.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "connector.auth.header",
                "must be a header name",
            ),
            Auth::Basic { user, .. } => check(
                !user.is_empty() && user.len() <= 256 && !user.contains(':') && !user.contains(char::is_control),
                "connector.auth.user",
                "must not be empty nor contain `:`",
            ),
            Auth::Oauth2 { token_url, client_id, .. } => {
                check(url(token_url), "connector.auth.token_url", "must be an http(s) URL without a query");
                check(!client_id.is_empty(), "connector.auth.client_id", "must not be empty");
            }
        }
        let by_alias = self.connector.key_style == Some(KeyStyle::Alias);
        check(
            !by_alias || self.connector.protocol() == ConnectorKind::Odata,
            "connector.key_style",
            "can be `alias` only for an app that speaks OData",
        );
        check(
            !by_alias || self.connector.key_encoding == KeyEncoding::Once,
            "connector.key_encoding",
            "must be `once` with the key style `alias`: the key is not in the path",
        );
        check(
            !self.connector.wants_stored_record || self.connector.protocol() == ConnectorKind::Odata,
            "connector.wants_stored_record",
            "can be set only for an app that speaks OData",
        );
        for name in self.connector.query.keys() {
            check(
                !by_alias || !name.starts_with('@'),
                "connector.query",
                "must not have names that begin with @: the key is such a parameter",
            );
            check(
                !name.is_empty() && name.len() <= 128,
                "connector.query",
                "has a name that is empty or longer than 128 characters",
            );
        }
        for (name, value) in &self.connector.headers {
            let own = OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str());
            let is_name =
                !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            let is_value = value.len() <= 1_024 && value.bytes().all(|b| (b' '..=b'~').contains(&b));
            let field = format!("connector.headers.{name}");
            check(is_name && is_value, &field, "must be a header name with a value of visible ASCII characters");
            check(!own, &field, "is set by Tandem itself");
        }
        check((100..=30_000).contains(&self.connect_timeout_ms), "connect_timeout_ms", "must be 100 to 30000");
        let lives = (1_000..=900_000).contains(&self.call_life_ms);
        check(lives, "call_life_ms", "must be 1000 to 900000");
        check(self.longest_transaction_ms <= 900_000, "longest_transaction_ms", "must be 0 to 900000");
        let longest = MAX_WRITE_MS / self.requests_per_write();
        if !(100..=longest).contains(&self.request_timeout_ms) {
            let why = match (self.capability, self.requests_per_write()) {
                (Capability::Versioned, _) => ": a write to a versioned side may take three requests",
                (_, 1) => "",
                (_, 2) => ": a write to this side may take two requests",
                _ => ": a write to this side may take three requests",
            };
            check(false, "request_timeout_ms", &format!("must be 100 to {longest}{why}"));
        } else if lives {
            let says = format!(
                "must be below call_life_ms, {}: a call lives longer than we wait for it, or a late one would land on \
                 top of what is written next",
                self.call_life_ms
            );
            check(self.request_timeout_ms < self.call_life_ms, "request_timeout_ms", &says);
        }
        found
    }

    /// How many requests one write may take: a versioned side, or one that takes whole records, may be read, written, and both
    /// again; a record that is not there may have to be made by another request. Each of them has `request_timeout_ms`, and the
    /// lease has room for all.
    #[must_use]
    pub fn requests_per_write(&self) -> u64 {
        match (self.capability, self.connector.update(), self.connector.create()) {
            (Capability::Versioned, ..) | (_, UpdateMethod::Put, _) => 3,
            (_, _, CreateMethod::Post) => 2,
            (_, _, CreateMethod::Upsert) => 1,
        }
    }
}

/// A side with its name and version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Its name.
    pub id: SideId,
    /// Its settings.
    pub config: SideConfig,
    /// Counts changes; an update must name the version it read.
    pub version: u64,
}

/// What is wrong in a configuration, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mistake {
    /// The path of the field, e.g. `fields[2].names.crm`.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Headers that Tandem sets: a side's settings cannot.
const OWN_HEADERS: [&str; 16] = [
    "accept",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "odata-version",
    "prefer",
    "tandem-version",
    "transfer-encoding",
    "user-agent",
];

#[cfg(test)]
mod tests;
