//! Sides: the apps, how they are reached, and what they can do.

mod auth;
mod codes;
mod connector;
mod find;
mod health;
mod list;
mod reports;
mod urls;

use serde::{Deserialize, Serialize};

use crate::{id::SideId, limits::MAX_WRITE_MS};

pub use self::{
    auth::{Auth, SecretRef},
    connector::{AppKind, Connector, ConnectorKind, CreateMethod, DeleteMethod, KeyEncoding, KeyStyle, UpdateMethod},
    find::FindSettings,
    health::{CallEnding, Health, Trouble},
    list::{ListMethod, ListSettings, NextPage},
    reports::Reports,
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
        check(
            auth::is_plain_url(&self.connector.base_url) && self.connector.base_url.ends_with('/'),
            "connector.base_url",
            "must be an http(s) URL that ends with / and has no query, fragment or user",
        );
        for (codes, field) in [(&self.transient_codes, "transient_codes"), (&self.final_codes, "final_codes")] {
            check(codes::are_well_formed(codes), field, codes::WANTED);
        }
        let twice = self.transient_codes.iter().any(|code| codes::contain(&self.final_codes, code));
        check(!twice, "final_codes", "has a code that is in transient_codes, too");
        auth::check(&self.connector.auth, "connector.auth", &mut check);
        if let Some(auth) = &self.connector.copy_auth {
            auth::check(auth, "connector.copy_auth", &mut check);
        }
        list::check(&self.connector, &mut check);
        urls::check(&self.connector, &mut check);
        find::check(self, &mut check);
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
                (_, 3) => ": a write to this side may take three requests",
                _ => ": a write to this side may take four requests",
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
        let connector = &self.connector;
        if connector.find.is_some() {
            return 4; // it is found, read and written, and some of that again
        }
        if connector.looks_first() || connector.delete_url.is_some() {
            return 3;
        }
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
