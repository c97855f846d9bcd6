//! A stack: all of Tandem on one machine, with the emulator, the functions, both apps and a map.

mod start;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};

use crate::admin::Admin;
use crate::apps::{App, CRM, FINANCE, RunningApp};
use crate::deploy::Deployment;
use crate::emulator::{self, Emulator};
use crate::endpoints::Endpoints;
use crate::env_files::EnvFiles;
use crate::http::{self, Answer};
use crate::lock::Lock;
use crate::mails::{self, Mail};
use crate::private_file::PrivateFile;
use crate::sync_write::SyncWrite;

/// Longest wait for a scheduled run of a function. The template lets `resume-drain` run for 300 s.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(310);

/// A running stack. All its programs end when this is dropped, or when the process that holds this ends.
#[derive(Debug)]
pub struct Stack {
    endpoints: Endpoints,
    file: PrivateFile,
    env_files: EnvFiles,
    finance: RunningApp,
    crm: RunningApp,
    deployment: Deployment,
    // Dropped after the apps, which may still be calling it.
    emulator: Option<Emulator>,
    _lock: Lock,
}

impl Stack {
    /// The addresses, names and secrets of the stack.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The path of `endpoints.json`.
    pub fn endpoints_file(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    /// A client of the app `finance`.
    pub fn finance(&self) -> &App {
        &self.finance.app
    }

    /// A client of the app `crm`.
    pub fn crm(&self) -> &App {
        &self.crm.app
    }

    /// Stores records in the databases of finance and crm without reporting them to Tandem, as if they had always been
    /// there. A record is its key and its fields.
    ///
    /// # Errors
    /// When a database cannot be written, or the app's rules refuse a record.
    pub fn store_records(&self, finance: &[(String, Value)], crm: &[(String, Value)]) -> anyhow::Result<()> {
        self.finance.store_records(FINANCE, finance)?;
        self.crm.store_records(CRM, crm)
    }

    /// Creates a client of the operators' API with the rights of a role: `admin`, `operator` or `viewer`.
    ///
    /// # Errors
    /// When the stack has no token of that role.
    pub fn admin(&self, role: &str) -> anyhow::Result<Admin> {
        let token = self.endpoints.tokens.get(role).with_context(|| format!("there is no token of a {role}"))?;
        Admin::new(self.endpoints.admin.clone(), token.clone())
    }

    /// Creates a client of `sync-write` that signs its calls.
    ///
    /// # Errors
    /// When the HTTP client cannot be created.
    pub fn sync_write(&self) -> anyhow::Result<SyncWrite> {
        SyncWrite::new(self.endpoints.sync_write.clone(), self.endpoints.hmac_secret.clone())
    }

    /// Runs the sweep of `resume-drain` now instead of at the next minute, and waits until it has ended.
    ///
    /// # Errors
    /// When the function fails, or does not end within 310 s.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        self.tick("resume-drain").await
    }

    /// Runs `threshold-evaluate` now instead of at the next minute, and waits until it has evaluated the rules and
    /// worked on the incidents.
    ///
    /// # Errors
    /// When the function fails, or does not end within 310 s.
    pub async fn evaluate(&self) -> anyhow::Result<()> {
        self.tick("threshold-evaluate").await
    }

    /// Lists the mails that were sent to an address, oldest first.
    ///
    /// # Errors
    /// When the emulator does not list them: only MiniStack does.
    pub async fn mails_to(&self, address: &str) -> anyhow::Result<Vec<Mail>> {
        mails::sent(&self.endpoints.mails, address).await
    }

    /// Invokes a function as its schedule does.
    async fn tick(&self, package: &str) -> anyhow::Result<()> {
        let function = self.deployment.function(package);
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoints.emulator);
        let event = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}});
        let request = http::client()?.post(url).header("authorization", emulator::authorization("lambda"));
        let body = Answer::of(request.timeout(SWEEP_TIMEOUT).json(&event)).await?.accepted(package)?;
        anyhow::ensure!(body.get("errorMessage").is_none(), "{package} failed: {body}");
        Ok(())
    }

    /// Fails if a program that must run has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        self.finance.check(FINANCE)?;
        self.crm.check(CRM)?;
        self.emulator.as_mut().map_or(Ok(()), Emulator::check)
    }

    /// Ends everything that this stack started. Deletes the deployment from an emulator that was there before.
    ///
    /// # Errors
    /// When that emulator does not delete the deployment.
    pub async fn stop(self) -> anyhow::Result<()> {
        if self.emulator.is_none() {
            self.deployment.delete().await?;
        }
        Ok(())
    }
}
