//! How the app reaches Tandem. The database has the settings, because the URL is known only after Tandem is deployed.

use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;
use standardwebhooks::Webhook;

const URL: &str = "sync_write_url";
const SECRET: &str = "hmac_secret";

/// The settings. A missing one keeps its value, and an empty text removes it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// Base URL of `sync-write`.
    pub(super) sync_write_url: Option<String>,
    /// Secret (`whsec_…`) with which the app signs its calls.
    pub(super) hmac_secret: Option<String>,
}

/// A complete connection to Tandem.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// The URL to which the app posts writes.
    pub(super) writes_url: String,
    /// Secret with which the app signs them.
    pub(super) secret: String,
}

impl Settings {
    /// Fails if a setting is malformed. The text names it.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(url) = self.sync_write_url.as_deref().filter(|url| !url.is_empty()) {
            let parsed = reqwest::Url::parse(url).map_err(|error| format!("{URL} is not an address: {error}"))?;
            if !matches!(parsed.scheme(), "http" | "https") {
                return Err(format!("{URL} must begin with http:// or https://"));
            }
        }
        match self.hmac_secret.as_deref().filter(|secret| !secret.is_empty()) {
            Some(secret) if !secret.starts_with("whsec_") || Webhook::new(secret).is_err() => {
                Err(format!("{SECRET} must be whsec_ followed by base64"))
            }
            _ => Ok(()),
        }
    }

    /// Reads the settings.
    pub(super) fn load(db: &Connection) -> rusqlite::Result<Self> {
        let get = |name: &str| {
            db.prepare("SELECT value FROM settings WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
        };
        Ok(Self { sync_write_url: get(URL)?, hmac_secret: get(SECRET)? })
    }

    /// Stores the settings that are present.
    pub(super) fn save(&self, db: &Connection) -> rusqlite::Result<()> {
        for (name, value) in [(URL, &self.sync_write_url), (SECRET, &self.hmac_secret)] {
            if let Some(value) = value {
                db.execute("INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)", [name, value])?;
            }
        }
        Ok(())
    }

    /// The connection to Tandem, if the URL and the secret are both set.
    pub(super) fn link(&self) -> Option<Link> {
        let url = self.sync_write_url.as_deref().filter(|url| !url.is_empty())?;
        let secret = self.hmac_secret.clone().filter(|secret| !secret.is_empty())?;
        Some(Link { writes_url: format!("{}/writes", url.trim_end_matches('/')), secret })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, secret: &str) -> Settings {
        Settings { sync_write_url: Some(url.to_owned()), hmac_secret: Some(secret.to_owned()) }
    }

    #[test]
    fn a_link_needs_an_address_and_a_secret() {
        let link = settings("http://127.0.0.1:1/", "whsec_c2VjcmV0").link().unwrap();
        assert_eq!(link.writes_url, "http://127.0.0.1:1/writes");
        assert!(settings("", "whsec_c2VjcmV0").link().is_none());
        assert!(settings("http://127.0.0.1:1/", "").link().is_none());
    }

    #[test]
    fn a_malformed_setting_is_named() {
        assert!(settings("http://127.0.0.1:1", "whsec_c2VjcmV0").check().is_ok());
        assert!(settings("", "").check().is_ok());
        assert!(settings("here", "").check().unwrap_err().contains(URL));
        assert!(settings("ftp://here", "").check().unwrap_err().contains(URL));
        assert!(settings("", "whsec_§").check().unwrap_err().contains(SECRET));
        assert!(settings("", "c2VjcmV0").check().unwrap_err().contains(SECRET));
    }
}
