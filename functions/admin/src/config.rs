//! The function's settings.

use aws::{
    AlertSettings,
    settings::{Common, Settings},
};

/// The function's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) common: Common,
    pub(crate) alerts: AlertSettings,
    /// SHA-256, in hex, of the first admin's token. Without it only stored tokens are known.
    pub(crate) first_admin_sha256: Option<String>,
    /// The URL of the queue that names what could not be logged.
    pub(crate) failed_events: Option<String>,
    /// The URL of the queue of sync runs' work items.
    pub(crate) sync_queue: String,
}

impl Config {
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut read = Settings::new(lookup);
        let hash = read.parsed("TANDEM_ADMIN_TOKEN_SHA256", String::new()).to_ascii_lowercase();
        if !hash.is_empty() && (hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_hexdigit())) {
            read.mistake("TANDEM_ADMIN_TOKEN_SHA256 must be a SHA-256 in hex, 64 digits".to_owned());
        }
        let first_admin_sha256 = Some(hash).filter(|hash| !hash.is_empty());
        let failed_events =
            Some(read.parsed("TANDEM_FAILED_EVENTS_QUEUE", String::new())).filter(|url| !url.is_empty());
        let sync_queue = read.parsed("TANDEM_SYNC_QUEUE", String::new());
        let (common, alerts) = (Common::read(&mut read), AlertSettings::read(&mut read));
        let config = Self { common, alerts, first_admin_sha256, failed_events, sync_queue };
        read.finish(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Result<Config, String> {
        Config::from_lookup(|name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_first_admin_is_optional_and_known_by_a_hash() {
        assert_eq!(with(&[("TANDEM_TABLE", "t")]).unwrap().first_admin_sha256, None);
        let hash = "AB".repeat(32);
        let config = with(&[("TANDEM_TABLE", "t"), ("TANDEM_ADMIN_TOKEN_SHA256", &hash)]).unwrap();
        assert_eq!(config.first_admin_sha256, Some("ab".repeat(32)));
        assert!(!config.common.allow_private);
    }

    #[test]
    fn every_bad_value_is_reported_at_once() {
        let wrong =
            with(&[("TANDEM_ADMIN_TOKEN_SHA256", "tnd_x"), ("TANDEM_ALLOW_PRIVATE_ADDRESSES", "yes")]).unwrap_err();
        for name in ["TANDEM_TABLE", "TANDEM_ADMIN_TOKEN_SHA256", "TANDEM_ALLOW_PRIVATE_ADDRESSES"] {
            assert!(wrong.contains(name), "{wrong}");
        }
        assert!(!wrong.contains("tnd_x"), "a token that was put there by mistake is not logged");
    }
}
