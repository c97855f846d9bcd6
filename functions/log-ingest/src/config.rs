//! The function's settings.

use aws::{
    AlertSettings,
    settings::{Common, Settings},
};
use callers::CallerAuth;

/// The function's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) common: Common,
    pub(crate) alerts: AlertSettings,
    pub(crate) auth: CallerAuth,
}

impl Config {
    pub(crate) fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut read = Settings::new(lookup);
        let auth = CallerAuth::read(&mut read);
        let config = Self { common: Common::read(&mut read), alerts: AlertSettings::read(&mut read), auth };
        read.finish(config)
    }
}
