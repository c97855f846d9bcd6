//! `endpoints.json`: the addresses, names and secrets of a run, for people, scripts and tests. The file exists while
//! the run is up.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The addresses and secrets of a run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Endpoints {
    /// URL of the emulator, for `AWS_ENDPOINT_URL`.
    pub emulator: String,
    /// URL of `sync-write`, without a slash at the end.
    pub sync_write: String,
    /// URL of `log-ingest`, without a slash at the end.
    pub log_ingest: String,
    /// URL that lists the sent mails, as JSON.
    pub mails: String,
    /// URL of `admin`, without a slash at the end.
    pub admin: String,
    /// URL of `console`, with a slash at the end.
    pub console: String,
    /// URLs of the sample apps, by side.
    pub apps: BTreeMap<String, String>,
    /// The API key that Tandem sends to each sample app, by side.
    pub apps_api_key: BTreeMap<String, String>,
    /// Bearer tokens of `admin` by role.
    pub tokens: BTreeMap<String, String>,
    /// The secret (`whsec_…`) with which the apps sign their calls of `sync-write`.
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

    /// Reads the file of the run that is up in a work folder.
    pub(crate) fn read(work: &Path) -> anyhow::Result<Self> {
        let path = work.join(Self::FILE);
        let text = fs::read(&path).with_context(|| format!("there is no {}: is `cargo local` up?", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is not readable", path.display()))
    }

    /// The text of the file.
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
