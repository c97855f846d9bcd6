//! Sides: the apps, how they are reached, and what they can do.

use serde::{Deserialize, Serialize};

use crate::{id::SideId, limits::MAX_WRITE_MS};

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

/// How a side is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectorKind {
    /// `OData` v4: the Dataverse Web API, Finance & Operations.
    Odata,
    /// JSON REST by URL template: `{base_url}/{entity}/{key}`.
    Http,
}

/// How the record key is written in an `OData` URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyStyle {
    /// `Accounts('C-1')`.
    #[default]
    Quoted,
    /// `Accounts(42)`: numbers and GUIDs.
    Bare,
    /// `Accounts(accountnumber='C-1')`: an alternate key, as Dataverse wants it.
    Named,
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

/// How a side is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connector {
    /// Which protocol.
    pub kind: ConnectorKind,
    /// Where the entities are found. Ends with `/`.
    pub base_url: String,
    /// How Tandem identifies itself.
    #[serde(default)]
    pub auth: Auth,
    /// How the key is written in an `OData` URL.
    #[serde(default)]
    pub key_style: KeyStyle,
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
        check((100..=30_000).contains(&self.connect_timeout_ms), "connect_timeout_ms", "must be 100 to 30000");
        let lives = (1_000..=900_000).contains(&self.call_life_ms);
        check(lives, "call_life_ms", "must be 1000 to 900000");
        let longest = MAX_WRITE_MS / self.requests_per_write();
        if !(100..=longest).contains(&self.request_timeout_ms) {
            let why = match self.capability {
                Capability::Versioned => ": a write to a versioned side may take three requests",
                Capability::Idempotent | Capability::Plain => "",
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

    /// How many requests one write may take: a versioned side may be read, written, and both again. Each of them has
    /// `request_timeout_ms`, and the lease has room for all.
    #[must_use]
    pub fn requests_per_write(&self) -> u64 {
        match self.capability {
            Capability::Versioned => 3,
            Capability::Idempotent | Capability::Plain => 1,
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn side() -> serde_json::Value {
        json!({"connector": {"kind": "odata", "base_url": "https://erp.example/data/",
               "auth": {"kind": "api_key", "header": "x-api-key", "secret": "ssm:/tandem/erp"}}, "capability": "idempotent"})
    }

    #[test]
    fn a_side_needs_little() {
        let side: SideConfig = serde_json::from_value(side()).unwrap();
        assert_eq!(side.mistakes(), []);
        assert_eq!(side.request_timeout_ms, 10_000);
    }

    #[test]
    fn a_secret_is_a_reference_never_a_value() {
        let mut inline = side();
        inline["connector"]["auth"]["secret"] = json!("hunter2");
        let error = serde_json::from_value::<SideConfig>(inline).unwrap_err().to_string();
        assert!(error.contains("ssm:/name") && !error.contains("hunter2"), "{error}");
        let named = SecretRef::try_from("secretsmanager:erp/key".to_owned()).unwrap();
        assert_eq!(named.parameter_name(), "/aws/reference/secretsmanager/erp/key");
    }

    #[test]
    fn a_reference_to_a_secret_has_a_kind_and_a_name_and_is_written_back_as_it_was() {
        let longest = format!("ssm:/{}", "n".repeat(507));
        for good in ["ssm:/a", "secretsmanager:a", longest.as_str()] {
            assert_eq!(String::from(SecretRef::try_from(good.to_owned()).unwrap()), good);
        }
        let too_long = format!("{longest}n");
        for bad in ["", "ssm:", "ssm:/", "ssm:name", "secretsmanager:", "env:NAME", "ssm:/a b", "ssm:/ü", &too_long] {
            assert!(SecretRef::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    #[test]
    fn each_setting_is_checked_at_its_limits() {
        let wrong = |path: &str, value: serde_json::Value| {
            let mut side = side();
            *side.pointer_mut(path).unwrap() = value;
            let side: SideConfig = serde_json::from_value(side).unwrap();
            side.mistakes().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>().join(" ")
        };
        let url = |chars: usize| format!("https://erp.example/{}/", "u".repeat(chars - 21));
        for good in ["http://erp/", "https://erp.example:8080/a/b/", &url(1_024)] {
            assert_eq!(wrong("/connector/base_url", json!(good)), "", "{good}");
        }
        for bad in [
            "https://erp/data",
            "https:///data/",
            "https://",
            "//erp/",
            "https://e?a/",
            "https://e#a/",
            "https://u@e/",
            "https://e /",
            &url(1_025),
        ] {
            assert_eq!(wrong("/connector/base_url", json!(bad)), "connector.base_url", "{bad}");
        }
        assert_eq!(wrong("/connector/auth/header", json!("h".repeat(64))), "");
        for bad in [String::new(), "h".repeat(65), "x_key".to_owned()] {
            assert_eq!(wrong("/connector/auth/header", json!(bad)), "connector.auth.header");
        }
        let basic = |user: &str| wrong("/connector/auth", json!({"kind": "basic", "user": user, "secret": "ssm:/s"}));
        assert_eq!(basic(&"u".repeat(256)), "");
        for bad in ["", "a:b", "a\nb", &"u".repeat(257)] {
            assert_eq!(basic(bad), "connector.auth.user");
        }
        let oauth2 = |token_url: &str, client_id: &str| {
            let auth = json!({"kind": "oauth2", "token_url": token_url, "client_id": client_id, "secret": "ssm:/s"});
            wrong("/connector/auth", auth)
        };
        assert_eq!(oauth2("https://login.example/token", "c"), "");
        assert_eq!(oauth2("https://login.example/token?x", "c"), "connector.auth.token_url");
        assert_eq!(oauth2("https://login.example/token", ""), "connector.auth.client_id");
    }

    #[test]
    fn every_mistake_is_named_with_its_field() {
        let mut wrong = side();
        wrong["connector"]["base_url"] = json!("ftp://erp");
        wrong["connector"]["auth"]["header"] = json!("x key");
        wrong["request_timeout_ms"] = json!(60_000);
        let wrong: SideConfig = serde_json::from_value(wrong).unwrap();
        let fields: Vec<_> = wrong.mistakes().into_iter().map(|m| m.field).collect();
        assert_eq!(fields, ["connector.base_url", "connector.auth.header", "request_timeout_ms"]);
    }

    #[test]
    fn we_wait_no_longer_than_a_call_lives_and_a_function_runs() {
        let says = |capability: &str, request_timeout_ms: u64, call_life_ms: u64| {
            let mut one = side();
            one["capability"] = json!(capability);
            (one["request_timeout_ms"], one["call_life_ms"]) = (json!(request_timeout_ms), json!(call_life_ms));
            let mistakes = serde_json::from_value::<SideConfig>(one).unwrap().mistakes();
            mistakes.into_iter().map(|m| format!("{} {}", m.field, m.message)).collect::<Vec<_>>().join("; ")
        };
        for capability in ["plain", "idempotent", "versioned"] {
            assert_eq!(says(capability, 4_999, 5_000), "");
            let told = says(capability, 5_000, 5_000);
            assert!(told.starts_with("request_timeout_ms must be below call_life_ms, 5000:"), "{capability}: {told}");
        }
        assert_eq!(says("plain", 45_000, 60_000), "");
        assert_eq!(says("plain", 45_001, 60_000), "request_timeout_ms must be 100 to 45000");
        assert_eq!(says("versioned", 15_000, 60_000), "");
        let told = says("versioned", 15_001, 60_000);
        assert_eq!(
            told,
            "request_timeout_ms must be 100 to 15000: a write to a versioned side may take three requests"
        );
        assert_eq!(says("plain", 1_000, 0), "call_life_ms must be 1000 to 900000", "one mistake is told once");
    }
}
