//! `endpoints.json`: where everything is, for people, scripts and tests. It stands as long as the run does.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The addresses and secrets of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Endpoints {
    /// The emulator, for `AWS_ENDPOINT_URL`.
    pub emulator: String,
    /// `sync-write`, without a slash at the end.
    pub sync_write: String,
    /// `log-ingest`, without a slash at the end.
    pub log_ingest: String,
    /// Where the mails that were sent can be read, as JSON.
    pub mails: String,
    /// `admin`, without a slash at the end.
    pub admin: String,
    /// `console`, with a slash at the end.
    pub console: String,
    /// The sample apps by side.
    pub apps: BTreeMap<String, String>,
    /// What Tandem shows to each sample app, by side.
    pub apps_api_key: BTreeMap<String, String>,
    /// Bearer tokens of `admin` by role.
    pub tokens: BTreeMap<String, String>,
    /// What the apps sign their calls of `sync-write` with.
    pub hmac_secret: String,
    /// The table's name.
    pub table: String,
    /// The event bus' name.
    pub event_bus: String,
    /// The functions' names in the emulator, by package.
    pub functions: BTreeMap<String, String>,
}

impl Endpoints {
    /// The file's name in the work folder of a run.
    pub(crate) const FILE: &str = "endpoints.json";

    /// Reads those of a run that is up.
    pub(crate) fn read(work: &Path) -> anyhow::Result<Self> {
        let path = work.join(Self::FILE);
        let text = fs::read(&path).with_context(|| format!("there is no {}: is `cargo local` up?", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not readable", path.display()))
    }

    /// As they stand in the file.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_names_that_others_rely_on() {
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let endpoints =
            Endpoints { apps: one("finance", "http://127.0.0.1:2"), tokens: one("admin", "t"), ..Endpoints::default() };
        let read: serde_json::Value = serde_json::from_str(&endpoints.to_json().unwrap()).unwrap();
        for pointer in
            ["/emulator", "/sync_write", "/admin", "/console", "/apps/finance", "/tokens/admin", "/hmac_secret"]
        {
            assert!(read.pointer(pointer).is_some_and(serde_json::Value::is_string), "{pointer}");
        }
    }

    #[test]
    fn that_nothing_runs_is_said() {
        let error = Endpoints::read(Path::new("/nonexistent")).unwrap_err();
        assert!(error.to_string().contains("is `cargo local` up?"), "{error}");
    }
}
