//! The whole of it on one machine: emulator, functions, both apps, a running map.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::future::{try_join, try_join3};
use serde_json::json;

use crate::admin::Admin;
use crate::apps::{App, CRM, FINANCE, RunningApp};
use crate::blocked::Blocked;
use crate::deploy::{self, Deployment, Outputs};
use crate::emulator::{self, Emulator};
use crate::endpoints::{Endpoints, EndpointsFile};
use crate::functions;
use crate::http::{self, Answer};
use crate::layout::Layout;
use crate::lock::Lock;
use crate::output::Output;
use crate::port;
use crate::python;
use crate::secrets::Secrets;
use crate::seed;
use crate::sync_write::SyncWrite;
use crate::tools;

/// Name of the stack in an emulator of its own.
const STACK: &str = "tandem";
/// A little longer than the template lets the function run.
const SWEEP_TIMEOUT: Duration = Duration::from_secs(310);

/// How a stack is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// Work folder under `target/local`; none is `target/local` itself, which `cargo local` uses. Two stacks that run
    /// at the same time need two names.
    pub name: Option<String>,
    /// An emulator that is there already; none starts one.
    pub endpoint: Option<String>,
    /// Port of the emulator; none takes a free one.
    pub port: Option<u16>,
    /// Whether the functions are built with the release profile.
    pub release: bool,
    /// Whether `cargo lambda` is installed too. People want it beside a stack; the stack does not need it.
    pub with_cargo_lambda: bool,
    /// Where progress is told.
    pub output: Output,
}

impl Options {
    /// What tests want: silent, free ports, and a work folder of that name.
    pub fn test(name: &str) -> Self {
        Self {
            name: Some(name.to_owned()),
            endpoint: None,
            port: None,
            release: false,
            with_cargo_lambda: false,
            output: Output::silent(),
        }
    }
}

/// Everything that runs. Dropping it ends all of it, and so does the end of the process that holds it.
#[derive(Debug)]
pub struct Stack {
    endpoints: Endpoints,
    file: EndpointsFile,
    finance: RunningApp,
    crm: RunningApp,
    deployment: Deployment,
    // After the apps: they may still be calling.
    emulator: Option<Emulator>,
    _lock: Lock,
}

impl Stack {
    /// Installs what is missing, builds, deploys, starts both apps, and creates and runs the map `customers`.
    ///
    /// # Errors
    /// [`Blocked`] when something on this machine stands in the way; any other error says what failed, with the end of
    /// its log. Nothing is left running.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let output = options.output;
        let layout = Layout::find()?;
        let work = layout.work(options.name.as_deref());
        let lock = Lock::of_work_dir(&work)?;
        let file = EndpointsFile::in_dir(&work);
        options.port.map_or(Ok(()), port::check)?;
        let python = python::find(std::env::var_os("PATH"))?;
        let cargo = functions::cargo()?;
        output.done(format_args!("found python3 {} and {}", python.version, cargo.display()));
        let program = own_program();
        let build_log = work.join("build.log");
        let (emulator, (), ()) = try_join3(
            async {
                tools::install(&[tools::EMULATOR, tools::SAM], &layout, &python, output).await?;
                if let Some(url) = &options.endpoint {
                    return reach(url).await.map(|()| None);
                }
                let log = emulator::log(&work);
                let start = Emulator::start_in(&layout, &work, options.port);
                output.step("starting the AWS emulator", Some(&log), start).await.map(Some)
            },
            async {
                let build = functions::build(&layout, options.release, program.is_none(), &build_log);
                output.step("building the functions", Some(&build_log), build).await
            },
            async {
                let wanted: &[_] = if options.with_cargo_lambda { &[tools::CARGO_LAMBDA] } else { &[] };
                tools::install(wanted, &layout, &python, output).await
            },
        )
        .await?;
        functions::stage(&layout, options.release, &build_log).await?;

        let secrets = Secrets::random();
        let program = program.unwrap_or_else(|| layout.binaries(options.release).join(functions::TOOL));
        let (finance, crm) = try_join(
            RunningApp::start(&program, FINANCE, &secrets.finance_api_key, seed::MAP, &work),
            RunningApp::start(&program, CRM, &secrets.crm_api_key, seed::MAP, &work),
        )
        .await?;
        output.done("both apps run, each with an empty database of its own");

        let endpoint = emulator.as_ref().map(|own| own.url().to_owned()).or(options.endpoint.clone());
        let endpoint = endpoint.context("neither an emulator nor its address")?;
        let deployment = Deployment::new(&endpoint, stack_name(emulator.is_some()));
        let deploy_log = deploy::log(&work);
        let deploy = deployment.create(&layout, &work, &secrets);
        let (outputs, ()) = try_join(
            output.step("deploying infra/template.yaml with sam", Some(&deploy_log), deploy),
            secrets.store(&endpoint),
        )
        .await?;
        let endpoints = endpoints(endpoint, outputs, &secrets, &deployment, [&finance.app, &crm.app]);
        let mut stack = Self { endpoints, file, finance, crm, deployment, emulator, _lock: lock };
        if let Err(error) = stack.seed(output).await {
            stack.stop().await?;
            return Err(error);
        }
        Ok(stack)
    }

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
        let function = self.deployment.function("resume-drain");
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.endpoints.emulator);
        let event = json!({"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}});
        let request = http::client()?.post(url).header("authorization", emulator::authorization("lambda"));
        let body = Answer::of(request.timeout(SWEEP_TIMEOUT).json(&event)).await?.accepted("the sweep")?;
        anyhow::ensure!(body.get("errorMessage").is_none(), "the sweep failed: {body}");
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

    async fn seed(&mut self, output: Output) -> anyhow::Result<()> {
        let admin = self.admin("admin")?;
        for role in ["operator", "viewer"] {
            let token = admin.create_token(&format!("local {role}"), role).await?;
            self.endpoints.tokens.insert(role.to_owned(), token);
        }
        output.heading("The story");
        seed::sides(&admin, self.finance(), self.crm(), output).await?;
        seed::map(&admin, output).await?;
        for app in [self.finance(), self.crm()] {
            app.connect(&self.endpoints.sync_write, &self.endpoints.hmac_secret).await?;
        }
        self.file.write(&self.endpoints)
    }
}

/// This program, when it is the tool; a test is another program and needs the tool built.
fn own_program() -> Option<PathBuf> {
    std::env::current_exe().ok().filter(|path| path.file_name().is_some_and(|name| name == functions::TOOL))
}

/// An emulator of its own has one stack; one that is there already may have another run's.
fn stack_name(own: bool) -> String {
    if own { STACK.to_owned() } else { format!("{STACK}-{}", ulid::Ulid::generate().to_string().to_lowercase()) }
}

async fn reach(url: &str) -> anyhow::Result<()> {
    let answer = http::client()?.get(url).timeout(Duration::from_secs(5)).send().await;
    if answer.is_err() {
        bail!(Blocked::Missing(format!("nothing answers at {url}; start the emulator there, or leave --endpoint out")));
    }
    Ok(())
}

fn endpoints(
    emulator: String,
    outputs: Outputs,
    secrets: &Secrets,
    deployment: &Deployment,
    [finance, crm]: [&App; 2],
) -> Endpoints {
    let by_side = |finance: &str, crm: &str| {
        BTreeMap::from([(FINANCE.side.to_owned(), finance.to_owned()), (CRM.side.to_owned(), crm.to_owned())])
    };
    Endpoints {
        emulator,
        sync_write: outputs.sync_write,
        admin: outputs.admin,
        apps: by_side(finance.url(), crm.url()),
        apps_api_key: by_side(&secrets.finance_api_key, &secrets.crm_api_key),
        tokens: BTreeMap::from([("admin".to_owned(), secrets.admin_token.clone())]),
        hmac_secret: secrets.hmac_secret.clone(),
        table: outputs.table,
        event_bus: outputs.event_bus,
        functions: functions::FUNCTIONS.map(|name| (name.to_owned(), deployment.function(name))).into(),
    }
}
