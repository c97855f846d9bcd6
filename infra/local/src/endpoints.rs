//! `endpoints.json`: where everything is, for people, scripts and tests. It stands as long as the run does.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// The addresses and secrets of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// The file; it is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct EndpointsFile(PathBuf);

impl EndpointsFile {
    /// Clears away what a killed run may have left.
    pub(crate) fn in_dir(work: &Path) -> Self {
        let file = Self(work.join("endpoints.json"));
        file.remove();
        file
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes it, readable for its owner only: it has secrets in it.
    pub(crate) fn write(&self, endpoints: &Endpoints) -> anyhow::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let about = || format!("{} cannot be written", self.0.display());
        let text = serde_json::to_string_pretty(endpoints)?;
        // Renamed into place whole: scripts wait for it to appear.
        let partial = self.0.with_extension("json.partial");
        let file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial);
        file.and_then(|mut file| writeln!(file, "{text}")).with_context(about)?;
        fs::rename(&partial, &self.0).with_context(about)
    }

    fn remove(&self) {
        // Not there is what is wanted; anything else, the next write reports.
        let _absent = fs::remove_file(&self.0);
    }
}

impl Drop for EndpointsFile {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_file_has_the_names_others_rely_on_and_goes_with_the_run() {
        let dir = std::env::temp_dir().join(format!("tandem-endpoints-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let file = EndpointsFile::in_dir(&dir);
        file.write(&Endpoints {
            emulator: "http://127.0.0.1:1".to_owned(),
            log_ingest: String::new(),
            mails: String::new(),
            sync_write: "http://127.0.0.1:1/s".to_owned(),
            admin: "http://127.0.0.1:1/a".to_owned(),
            apps: one("finance", "http://127.0.0.1:2"),
            apps_api_key: one("finance", "k"),
            tokens: one("admin", "t"),
            hmac_secret: "whsec_x".to_owned(),
            table: "t".to_owned(),
            event_bus: "b".to_owned(),
            functions: one("admin", "tandem-admin"),
        })
        .unwrap();
        let read: serde_json::Value = serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap();
        for pointer in ["/emulator", "/sync_write", "/admin", "/apps/finance", "/tokens/admin", "/hmac_secret"] {
            assert!(read.pointer(pointer).is_some_and(serde_json::Value::is_string), "{pointer}");
        }
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        let path = file.path().to_owned();
        drop(file);
        assert!(!path.exists());
        fs::remove_dir_all(&dir).unwrap();
    }
}
