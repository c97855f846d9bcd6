//! The function's settings.

use aws::settings::{Common, Settings};
use callers::CallerAuth;

/// The function's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) common: Common,
    pub(crate) auth: CallerAuth,
}

impl Config {
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut read = Settings::new(lookup);
        let auth = CallerAuth::read(&mut read);
        let config = Self { common: Common::read(&mut read), auth };
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
    fn callers_are_known_by_hmac_unless_iam_is_set() {
        let config = with(&[("TANDEM_TABLE", "t"), ("TANDEM_HMAC_PARAMETER", "/p")]).unwrap();
        assert_eq!(config.auth, CallerAuth::Hmac { parameter: "/p".to_owned() });
        assert!(!config.common.allow_private);
        assert_eq!(with(&[("TANDEM_TABLE", "t"), ("TANDEM_CALLER_AUTH", "iam")]).unwrap().auth, CallerAuth::Iam);
    }

    #[test]
    fn a_setting_that_would_leave_the_door_open_stops_the_function() {
        let wrong = with(&[("TANDEM_CALLER_AUTH", "none")]).unwrap_err();
        assert!(wrong.contains("hmac or iam") && wrong.contains("TANDEM_TABLE"), "{wrong}");
        assert!(with(&[("TANDEM_TABLE", "t")]).unwrap_err().contains("TANDEM_HMAC_PARAMETER"));
    }
}
