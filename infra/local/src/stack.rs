//! The whole of it on one machine: emulator, functions, both apps, a running map.

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

/// A little longer than the template lets the function run.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(310);

/// Everything that runs. Dropping it ends all of it, and so does the end of the process that holds it.
#[derive(Debug)]
pub struct Stack {
    endpoints: Endpoints,
    file: PrivateFile,
    env_files: EnvFiles,
    finance: RunningApp,
    crm: RunningApp,
    deployment: Deployment,
    // After the apps: they may still be calling.
    emulator: Option<Emulator>,
    _lock: Lock,
}

impl Stack {
    /// Where everything is.
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// Where `endpoints.json` is.
    pub fn endpoints_file(&self) -> PathBuf {
        self.file.path().to_owned()
    }

    /// The app `finance`.
    pub fn finance(&self) -> &App {
        &self.finance.app
    }

    /// The app `crm`.
    pub fn crm(&self) -> &App {
        &self.crm.app
    }

    /// Puts records into the databases of finance and of crm, as if they had been there always: nobody is told of them.
    ///
    /// # Errors
    /// When a database cannot be written, or the app's rules refuse a record.
    pub fn store_records(&self, finance: &[(String, Value)], crm: &[(String, Value)]) -> anyhow::Result<()> {
        self.finance.store_records(FINANCE, finance)?;
        self.crm.store_records(CRM, crm)
    }

    /// The operators' API, with the rights of a role: `admin`, `operator` or `viewer`.
    ///
    /// # Errors
    /// When there is no token of that role.
    pub fn admin(&self, role: &str) -> anyhow::Result<Admin> {
        let token = self.endpoints.tokens.get(role).with_context(|| format!("there is no token of a {role}"))?;
        Admin::new(self.endpoints.admin.clone(), token.clone())
    }

    /// `sync-write`, called with the signatures it expects.
    ///
    /// # Errors
    /// When no HTTP client can be made.
    pub fn sync_write(&self) -> anyhow::Result<SyncWrite> {
        SyncWrite::new(self.endpoints.sync_write.clone(), self.endpoints.hmac_secret.clone())
    }

    /// Sweeps now instead of at the next minute, and waits until the sweep is over.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn sweep(&self) -> anyhow::Result<()> {
        self.tick("resume-drain").await
    }

    /// Has rules judged and incidents worked on now instead of at the next minute, and waits until that is over.
    ///
    /// # Errors
    /// When the function fails.
    pub async fn evaluate(&self) -> anyhow::Result<()> {
        self.tick("threshold-evaluate").await
    }

    /// The mails that were sent to an address, the oldest first.
    ///
    /// # Errors
    /// When the emulator does not tell.
    pub async fn mails_to(&self, address: &str) -> anyhow::Result<Vec<Mail>> {
        mails::sent(&self.endpoints.mails, address).await
    }

    /// Runs a function as its schedule does.
    async fn tick(&self, package: &str) -> anyhow::Result<()> {
        let function = self.deployment.function(package);
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoints.emulator);
        let event = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}});
        let request = http::client()?.post(url).header("authorization", emulator::authorization("lambda"));
        let body = Answer::of(request.timeout(SWEEP_TIMEOUT).json(&event)).await?.accepted(package)?;
        anyhow::ensure!(body.get("errorMessage").is_none(), "{package} failed: {body}");
        Ok(())
    }

    /// Says whether everything still runs.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        self.finance.check(FINANCE)?;
        self.crm.check(CRM)?;
        self.emulator.as_mut().map_or(Ok(()), Emulator::check)
    }

    /// Ends everything, and takes the deployment away when the emulator stays.
    ///
    /// # Errors
    /// When an emulator that stays does not let the deployment go.
    pub async fn stop(self) -> anyhow::Result<()> {
        if self.emulator.is_none() {
            self.deployment.delete().await?;
        }
        Ok(())
    }
}
