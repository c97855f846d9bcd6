//! The two sample apps: starts each as a process of its own, and calls them as their users and operators do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use reqwest::Client;
use serde_json::{Value, json};

use crate::http::{self, Answer};
use crate::log_file;
use crate::process::{Ending, Process};
use crate::sample_app::{self, FlavorName};

/// Longest wait for an app to start. It takes milliseconds, but longer on a machine that is building something.
const START_DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// The fixed properties of one sample app.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Role {
    /// Which of the two sample apps it is.
    pub(crate) flavor: FlavorName,
    /// The side's name.
    pub(crate) side: &'static str,
    /// The name of the side at the other end.
    pub(crate) other: &'static str,
    /// The kind of connector that Tandem uses for it.
    pub(crate) kind: &'static str,
    /// Path of its OData service.
    pub(crate) service: &'static str,
}

/// The ERP.
pub(crate) const FINANCE: Role =
    Role { flavor: FlavorName::Finance, side: "finance", other: "crm", kind: "finance_operations", service: "/data/" };
/// The CRM.
pub(crate) const CRM: Role =
    Role { flavor: FlavorName::Crm, side: "crm", other: "finance", kind: "dataverse", service: "/api/data/v9.2/" };

/// A running app. Its process ends when this is dropped, or when the process that holds this ends.
#[derive(Debug)]
pub(crate) struct RunningApp {
    pub(crate) app: App,
    process: Process,
    log: PathBuf,
    database: PathBuf,
}

impl RunningApp {
    /// Starts an app with a new database in `work`, filled with `records`. Tandem hears nothing of these records.
    pub(crate) async fn start(
        program: &Path,
        role: Role,
        api_key: &str,
        map: &str,
        work: &Path,
        records: &[(String, Value)],
    ) -> anyhow::Result<Self> {
        let file = |kind: &str| work.join(format!("{}.{kind}", role.side));
        let (database, port_file, log) = (file("sqlite"), file("port"), file("log"));
        for left in [&database, &file("sqlite-wal"), &file("sqlite-shm"), &port_file] {
            if left.exists() {
                fs::remove_file(left).with_context(|| format!("{} cannot be removed", left.display()))?;
            }
        }
        sample_app::store_records(&database, role.flavor, records)?;
        let mut command = Command::new(program);
        command.args(["app", "--flavor", role.side, "--other-name", role.other, "--map", map, "--port", "0"]);
        command.args(["--api-key", api_key, "--parent-pid", &std::process::id().to_string()]);
        command.arg("--db").arg(&database).arg("--port-file").arg(&port_file);
        let mut process = Process::start(command, &log, Ending::Gently)?;
        let port = port(&mut process, &port_file, role, &log).await?;
        let app = App::new(format!("http://127.0.0.1:{port}"), api_key.to_owned())?;
        Ok(Self { app, process, log, database })
    }

    /// Stores records in its database without reporting them to Tandem.
    pub(crate) fn store_records(&self, role: Role, records: &[(String, Value)]) -> anyhow::Result<()> {
        sample_app::store_records(&self.database, role.flavor, records)
    }

    /// Fails if the app has ended.
    pub(crate) fn check(&mut self, role: Role) -> anyhow::Result<()> {
        match self.process.ended()? {
            None => Ok(()),
            Some(status) => bail!("the app {} ended ({status}); {}", role.side, log_file::excerpt(&self.log)),
        }
    }
}

async fn port(process: &mut Process, port_file: &PathBuf, role: Role, log: &Path) -> anyhow::Result<u16> {
    let deadline = Instant::now() + START_DEADLINE;
    loop {
        if let Ok(text) = fs::read_to_string(port_file) {
            return text.trim().parse().with_context(|| format!("{} has no port in it", port_file.display()));
        }
        if let Some(status) = process.ended()? {
            bail!("the app {} ended ({status}) instead of starting; {}", role.side, log_file::excerpt(log));
        }
        if Instant::now() > deadline {
            bail!("the app {} does not start; {}", role.side, log_file::excerpt(log));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A client of one sample app, with the calls of its users and of tests.
#[derive(Debug, Clone)]
pub struct App {
    url: String,
    api_key: String,
    client: Client,
}

impl App {
    /// Creates a client of the app at `url` that sends `api_key` as `x-api-key`.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn new(url: String, api_key: String) -> anyhow::Result<Self> {
        Ok(Self { url, api_key, client: http::client()? })
    }

    /// The app's base address. Its page is there, too.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Reads the fields of a record. Returns `None` when there is no such record.
    ///
    /// # Errors
    /// When the app does not answer, or answers with an error other than 404.
    pub async fn fields(&self, key: &str) -> anyhow::Result<Option<Value>> {
        let answer = Answer::of(self.client.get(self.at(&["records", key])?)).await?;
        match answer.status {
            404 => Ok(None),
            _ => Ok(answer.accepted("reading a record")?.get("fields").cloned()),
        }
    }

    /// Saves changed fields of a record, as a person does on the page. Returns the answer whatever its status.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn edit(&self, key: &str, fields: Value) -> anyhow::Result<Answer> {
        self.post("edit", &json!({"key": key, "fields": fields})).await
    }

    /// Deletes a record, as a person does on the page. Returns the answer whatever its status.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn delete(&self, key: &str) -> anyhow::Result<Answer> {
        self.post("delete", &json!({"key": key})).await
    }

    /// Lists the calls of the data API about a record, oldest first.
    ///
    /// # Errors
    /// When the app does not answer.
    pub async fn calls(&self, key: &str) -> anyhow::Result<Vec<Value>> {
        let mut url = self.at(&["calls"])?;
        url.query_pairs_mut().append_pair("key", key);
        let calls = Answer::of(self.client.get(url)).await?.accepted("reading the calls")?;
        Ok(calls.as_array().cloned().unwrap_or_default())
    }

    /// Breaks the app on purpose, or repairs it. `switch` is the body of `POST /switches`.
    ///
    /// # Errors
    /// When the app refuses or does not answer.
    pub async fn switch(&self, switch: Value) -> anyhow::Result<()> {
        self.post("switches", &switch).await?.accepted("setting the switch").map(drop)
    }

    /// Gives the app the URL of `sync-write` and the secret (`whsec_…`) with which it signs its calls.
    ///
    /// # Errors
    /// When the app refuses or does not answer.
    pub async fn connect(&self, sync_write_url: &str, hmac_secret: &str) -> anyhow::Result<()> {
        let settings = json!({"sync_write_url": sync_write_url, "hmac_secret": hmac_secret});
        self.post("settings", &settings).await?.accepted("connecting an app to Tandem").map(drop)
    }

    async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self.client.post(self.at(&[path])?).header("x-api-key", &self.api_key);
        Answer::of(request.json(body)).await
    }

    fn at(&self, path: &[&str]) -> anyhow::Result<reqwest::Url> {
        let mut url = reqwest::Url::parse(&self.url).with_context(|| format!("{} is not an address", self.url))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path);
        }
        Ok(url)
    }
}
