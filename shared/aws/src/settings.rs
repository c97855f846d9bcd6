//! A function's settings, from its environment. Every bad value is reported at once, at start.

use std::str::FromStr;

/// Reads settings and collects what is wrong with them.
pub struct Settings<F> {
    lookup: F,
    mistakes: Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Settings<F> {
    /// Settings from this lookup: the environment, or a table in tests.
    pub fn new(lookup: F) -> Self {
        Self { lookup, mistakes: Vec::new() }
    }

    /// A value that must be there.
    pub fn required(&mut self, name: &str) -> String {
        let value = (self.lookup)(name).filter(|value| !value.trim().is_empty());
        value.unwrap_or_else(|| {
            self.mistakes.push(format!("{name} is not set"));
            String::new()
        })
    }

    /// A value with a default.
    pub fn parsed<T: FromStr>(&mut self, name: &str, default: T) -> T {
        match (self.lookup)(name).filter(|value| !value.trim().is_empty()) {
            None => default,
            Some(text) => text.trim().parse().unwrap_or_else(|_| {
                self.mistakes.push(format!("{name} is not readable"));
                default
            }),
        }
    }

    /// Values between commas.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let text = (self.lookup)(name).unwrap_or_default();
        text.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
    }

    /// Notes a mistake of the caller's own finding.
    pub fn mistake(&mut self, says: String) {
        self.mistakes.push(says);
    }

    /// The settings, if nothing is wrong with any of them.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn finish<T>(self, settings: T) -> Result<T, String> {
        if self.mistakes.is_empty() { Ok(settings) } else { Err(self.mistakes.join("; ")) }
    }
}

/// What every function that writes needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// The table.
    pub table: String,
    /// The event bus.
    pub bus: String,
    /// With what the names of the paused-write queues begin.
    pub queue_prefix: String,
    /// Hosts that may be called.
    pub allowed_hosts: Vec<String>,
    /// Whether private addresses may be called: only on one's own machine.
    pub allow_private: bool,
}

impl Common {
    /// Reads them.
    pub fn read<F: Fn(&str) -> Option<String>>(settings: &mut Settings<F>) -> Self {
        Self {
            table: settings.required("TANDEM_TABLE"),
            bus: settings.parsed("TANDEM_EVENT_BUS", "default".to_owned()),
            queue_prefix: settings.parsed("TANDEM_QUEUE_PREFIX", "tandem".to_owned()),
            allowed_hosts: settings.list("TANDEM_ALLOWED_HOSTS"),
            allow_private: settings.parsed("TANDEM_ALLOW_PRIVATE_ADDRESSES", false),
        }
    }
}

/// One variable of the environment.
#[must_use]
pub fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_value_is_reported_at_once() {
        let mut settings = Settings::new(|name: &str| (name == "PORT").then(|| "x".to_owned()));
        let (table, port) = (settings.required("TABLE"), settings.parsed("PORT", 1_u16));
        assert_eq!(settings.finish((table, port)), Err("TABLE is not set; PORT is not readable".to_owned()));
    }

    #[test]
    fn lists_lose_their_blanks() {
        let mut settings = Settings::new(|_: &str| Some(" a, b,,".to_owned()));
        assert_eq!(settings.list("HOSTS"), ["a", "b"]);
    }
}
