//! Deploys the bundle to an emulator, with the template and the command that deploy it to AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::emulator;
use crate::http;
use crate::layout::Layout;
use crate::log_file;
use crate::mails;
use crate::process;
use crate::secrets::{self, Secrets};
use crate::tools;

/// Time between two looks of `sam` at the deployment, in seconds. Its default is five.
const POLL_SECONDS: &str = "0.2";

/// A deployment of the template: the emulator that has it, and the name of its stack.
#[derive(Debug)]
pub(crate) struct Deployment {
    endpoint: String,
    stack: String,
}

/// The outputs of the stack. The URLs have no slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outputs {
    pub(crate) sync_write: String,
    pub(crate) log_ingest: String,
    pub(crate) admin: String,
    pub(crate) console: String,
    pub(crate) table: String,
    pub(crate) event_bus: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

impl Deployment {
    /// Describes a deployment with this stack name to the emulator at `endpoint`. Deploys nothing yet.
    pub(crate) fn new(endpoint: &str, stack: String) -> Self {
        Self { endpoint: endpoint.to_owned(), stack }
    }

    /// The name in this deployment of the function with this package.
    pub(crate) fn function(&self, package: &str) -> String {
        format!("{}-{package}", self.stack)
    }

    /// Deploys the template and returns the outputs of the stack.
    pub(crate) async fn create(&self, layout: &Layout, work: &Path, secrets: &Secrets) -> anyhow::Result<Outputs> {
        let log = log(work);
        let mut deploy = self.sam(layout, work);
        deploy.args(["deploy", "--template-file", "template.yaml", "--config-env", "local"]);
        deploy.args(["--stack-name", &self.stack, "--no-progressbar", "--parameter-overrides"]);
        deploy.args(parameters(secrets));
        if !process::run(deploy, &log).await?.success() {
            bail!("the bundle cannot be deployed; {}", log_file::excerpt(&log));
        }
        let mut list = self.sam(layout, work);
        list.args(["list", "stack-outputs", "--stack-name", &self.stack, "--output", "json"]);
        list.args(["--region", emulator::REGION]).stdin(Stdio::null());
        let listed = tokio::task::spawn_blocking(move || list.output()).await?.context("sam cannot be started")?;
        let outputs: Vec<Output> = serde_json::from_slice(&listed.stdout)
            .with_context(|| format!("sam lists no outputs: {}", String::from_utf8_lossy(&listed.stderr)))?;
        self.outputs(outputs)
    }

    /// Deletes the stack. The table stays, because the template retains it.
    pub(crate) async fn delete(&self) -> anyhow::Result<()> {
        let request = http::client()?
            .post(&self.endpoint)
            .header("authorization", emulator::authorization("cloudformation"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("Action=DeleteStack&Version=2010-05-15&StackName={}", self.stack));
        http::Answer::of(request).await?.accepted("deleting the stack").map(drop)
    }

    fn sam(&self, layout: &Layout, work: &Path) -> Command {
        let mut sam = Command::new(tools::SAM.program(layout, "sam"));
        sam.current_dir(layout.infra());
        for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_CA_BUNDLE"] {
            sam.env_remove(name);
        }
        sam.envs(emulator::credentials(&self.endpoint));
        sam.env("SAM_CLI_POLL_DELAY", POLL_SECONDS).env("SAM_CLI_TELEMETRY", "0");
        sam.env("__SAM_CLI_APP_DIR", work.join("sam")); // else it keeps notes in the user's home
        sam
    }

    fn outputs(&self, outputs: Vec<Output>) -> anyhow::Result<Outputs> {
        let outputs: BTreeMap<_, _> = outputs.into_iter().map(|out| (out.output_key, out.output_value)).collect();
        let get = |key: &str| outputs.get(key).cloned().with_context(|| format!("the stack has no output {key}"));
        Ok(Outputs {
            sync_write: reachable(&get("SyncWriteUrl")?, &self.endpoint),
            log_ingest: reachable(&get("LogIngestUrl")?, &self.endpoint),
            admin: reachable(&get("AdminUrl")?, &self.endpoint),
            // With its slash: links on the first page are relative to it.
            console: reachable(&get("ConsoleUrl")?, &self.endpoint) + "/",
            table: get("TableName")?,
            event_bus: get("EventBusName")?,
        })
    }
}

/// The path of `sam`'s log.
pub(crate) fn log(work: &Path) -> PathBuf {
    work.join("deploy.log")
}

/// The parameters of a deployment to an emulator. All others keep their defaults, as on AWS.
fn parameters(secrets: &Secrets) -> Vec<String> {
    vec![
        format!("AdminTokenSha256={}", secrets.admin_token_sha256()),
        format!("HmacParameterName={}", secrets::HMAC_PARAMETER),
        format!("SecretsPrefix={}", secrets::PREFIX),
        "AllowedHosts=127.0.0.1,localhost".to_owned(),
        "AllowPrivateAddresses=true".to_owned(),
        format!("MailSender={}", mails::SENDER),
        format!("Architecture={}", if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }),
    ]
}

/// Turns a function URL into one that works on this machine. MiniStack returns the host name that AWS would, and serves
/// the same function under a path of its own address. LocalStack returns a name that resolves to this machine.
fn reachable(function_url: &str, endpoint: &str) -> String {
    let host = function_url.split_once("://").map_or(function_url, |(_scheme, rest)| rest);
    match host.split_once(".lambda-url.") {
        Some((id, rest)) if rest.trim_end_matches('/').ends_with(".on.aws") => {
            format!("{}/_aws/lambda-url/{id}", endpoint.trim_end_matches('/'))
        }
        _ => function_url.trim_end_matches('/').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn function_urls_are_turned_into_addresses_of_this_machine() {
        let emulator = "http://127.0.0.1:4566";
        assert_eq!(
            reachable("https://abc.lambda-url.us-east-1.on.aws/", emulator),
            "http://127.0.0.1:4566/_aws/lambda-url/abc"
        );
        let localstack = "http://abc.lambda-url.us-east-1.localhost.localstack.cloud:4566/";
        assert_eq!(reachable(localstack, emulator), localstack.trim_end_matches('/'));
    }

    #[test]
    fn a_missing_output_is_named() {
        let deployment = Deployment::new("http://127.0.0.1:1", "tandem".to_owned());
        assert!(deployment.outputs(Vec::new()).unwrap_err().to_string().contains("SyncWriteUrl"));
        assert_eq!(deployment.function("admin"), "tandem-admin");
    }
}
