//! The AWS emulator: DynamoDB, Lambda, EventBridge, CloudFormation and the rest on one port, in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::http;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::log_file;
use crate::output::Output;
use crate::port;
use crate::process::{Ending, Process};
use crate::python;
use crate::tools;

/// Starts the emulator. Kills it and its functions when the process that started it has ended, even by SIGKILL.
const LAUNCHER: &str = include_str!("emulator/launcher.py");
/// Region of everything in the emulator.
pub const REGION: &str = "us-east-1";
/// Longest wait for the emulator to start. It takes about two seconds, but longer on a machine that is building
/// something.
const START_DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
/// Free ports that are tried before the tool gives up: another program may take one first.
const PORT_ATTEMPTS_MAX: u32 = 3;
/// Most runs of functions at the same time, over all functions. The emulator's own default depends on the machine's
/// memory.
const CONCURRENCY_MAX: u32 = 500;

/// A running emulator. Its process ends when this is dropped, or when the process that holds this ends.
#[derive(Debug)]
pub struct Emulator {
    url: String,
    process: Process,
    log: PathBuf,
    // Dropped after the process, which writes there.
    _scratch: Scratch,
    _lock: Option<Lock>,
}

impl Emulator {
    /// Starts an empty emulator on a free port, for tests that need no deployed functions. Installs it first if it is
    /// missing. `name` is the name of its work folder under `target/local`; two emulators at the same time need two
    /// names.
    ///
    /// # Errors
    /// When Python or the network is missing, the work folder is in use, or the emulator does not start.
    pub async fn start(name: &str) -> anyhow::Result<Self> {
        let layout = Layout::find()?;
        let python = python::find(std::env::var_os("PATH"))?;
        tools::install(&[tools::EMULATOR], &layout, &python, Output::silent()).await?;
        let work = layout.work(Some(name));
        let lock = Lock::of_work_dir(&work)?;
        let started = Self::start_in(&layout, &work, None).await?;
        Ok(Self { _lock: Some(lock), ..started })
    }

    /// The emulator's address, for `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Fails if the emulator has ended.
    pub(crate) fn check(&mut self) -> anyhow::Result<()> {
        match self.process.ended()? {
            None => Ok(()),
            Some(status) => bail!("the emulator ended ({status}); {}", log_file::excerpt(&self.log)),
        }
    }

    /// Starts the installed emulator with its files in `work`, on `port` or on a free one.
    pub(crate) async fn start_in(layout: &Layout, work: &Path, port: Option<u16>) -> anyhow::Result<Self> {
        let program = tools::EMULATOR.program(layout, "python");
        if let Some(port) = port {
            return launch(&program, work, port).await;
        }
        let mut attempt = 1;
        loop {
            match launch(&program, work, port::free()?).await {
                Err(error) if attempt < PORT_ATTEMPTS_MAX && error.to_string().contains("already in use") => {
                    attempt += 1
                }
                result => return result,
            }
        }
    }
}

/// The folder of the emulator's own files, among them the unpacked functions. Dropping this removes the folder.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn empty(dir: PathBuf) -> anyhow::Result<Self> {
        if dir.exists() {
            fs::remove_dir_all(&dir).with_context(|| format!("{} cannot be removed", dir.display()))?;
        }
        fs::create_dir_all(&dir).with_context(|| format!("{} cannot be created", dir.display()))?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // The next start removes what stays.
        let _kept = fs::remove_dir_all(&self.0);
    }
}

async fn launch(program: &Path, work: &Path, port: u16) -> anyhow::Result<Emulator> {
    let url = format!("http://127.0.0.1:{port}");
    let log = log(work);
    let scratch = Scratch::empty(work.join("emulator"))?;
    let mut command = Command::new(program);
    command.args(["-c", LAUNCHER]).env_clear().envs(environment(&url, port, &scratch.0));
    let mut process = Process::start(command, &log, Ending::AtOnce)?;
    let deadline = Instant::now() + START_DEADLINE;
    let client = http::client()?;
    loop {
        if let Some(status) = process.ended()? {
            bail!("the emulator ended ({status}) instead of starting; {}", log_file::excerpt(&log));
        }
        let health = client.get(format!("{url}/_ministack/health")).timeout(Duration::from_secs(2)).send().await;
        if health.is_ok_and(|answer| answer.status().is_success()) {
            return Ok(Emulator { url, process, log, _scratch: scratch, _lock: None });
        }
        if Instant::now() > deadline {
            bail!("the emulator does not answer; {}", log_file::excerpt(&log));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// The emulator's whole environment. Functions inherit it, so it must hold nothing of the user's.
fn environment(url: &str, port: u16, temp: &Path) -> Vec<(&'static str, String)> {
    let mut environment = credentials(url);
    environment.extend([
        ("GATEWAY_PORT", port.to_string()),
        // The emulator enforces the template's roles and policies, so that a missing permission fails here as on AWS.
        ("AUTH", "true".to_owned()),
        ("BIND_HOST", "127.0.0.1".to_owned()),
        ("TMPDIR", temp.display().to_string()),
        ("HOME", temp.display().to_string()),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("LANG", "C.UTF-8".to_owned()),
        ("LAMBDA_ACCOUNT_CONCURRENCY", CONCURRENCY_MAX.to_string()),
    ]);
    environment
}

/// The environment with which a program talks to the emulator, and cannot talk to AWS by accident.
pub(crate) fn credentials(url: &str) -> Vec<(&'static str, String)> {
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("NO_PROXY", "127.0.0.1,localhost"),
        ("no_proxy", "127.0.0.1,localhost"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

/// A value of the header `authorization` with which an emulator accepts a request as the account owner's, and routes it
/// to `service`. Emulators do not check the signature.
pub(crate) fn authorization(service: &str) -> String {
    let scope = format!("20260101/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host, Signature=0")
}

/// The path of the emulator's log.
pub(crate) fn log(work: &Path) -> PathBuf {
    work.join("emulator.log")
}
