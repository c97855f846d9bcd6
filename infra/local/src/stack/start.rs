//! Starts a stack step by step. When a step fails or is dropped, everything that was started before it ends.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail};
use futures::future::{try_join, try_join3};
use serde_json::Value;

use super::Stack;
use crate::apps::{App, CRM, FINANCE, RunningApp};
use crate::blocked::Blocked;
use crate::deploy::{self, Deployment, Outputs};
use crate::emulator::{self, Emulator};
use crate::endpoints::Endpoints;
use crate::env_files::EnvFiles;
use crate::functions;
use crate::http;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::mails;
use crate::options::Options;
use crate::output::Output;
use crate::port;
use crate::private_file::PrivateFile;
use crate::python;
use crate::secrets::Secrets;
use crate::seed;
use crate::story::before;
use crate::tools;

/// Name of the stack in an emulator that this tool has started.
const STACK: &str = "tandem";
/// Longest wait for an answer of an emulator that runs already.
const REACH_TIMEOUT: Duration = Duration::from_secs(5);

impl Stack {
    /// Installs the missing tools, builds and deploys the functions, starts both apps, and creates the map `customers`.
    /// Runs the map, too, unless [`Options::with_story`] leaves that to the story.
    ///
    /// # Errors
    /// [`Blocked`] when something on this machine prevents the start. Any other error says what failed, with the end of
    /// its log. Nothing is left running.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let output = options.output;
        let layout = Layout::find()?;
        let work = layout.work(options.name.as_deref());
        let lock = Lock::of_work_dir(&work)?;
        let file = PrivateFile::in_dir(&work, Endpoints::FILE);
        let env_files = EnvFiles::in_dir(&work, &functions::FUNCTIONS);
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
        let records = |side: fn() -> Vec<(String, Value)>| if options.with_story { side() } else { Vec::new() };
        let (customers, accounts) = (records(before::customers), records(before::accounts));
        let program = program.unwrap_or_else(|| layout.binaries(options.release).join(functions::TOOL));
        let (finance, crm) = try_join(
            RunningApp::start(&program, FINANCE, &secrets.finance_api_key, seed::MAP, &work, &customers),
            RunningApp::start(&program, CRM, &secrets.crm_api_key, seed::MAP, &work, &accounts),
        )
        .await?;
        output.done("both apps run, each with a database of its own");

        let endpoint = emulator.as_ref().map(|own| own.url().to_owned()).or(options.endpoint.clone());
        let endpoint = endpoint.context("there is neither an emulator nor an endpoint")?;
        let deployment = Deployment::new(&endpoint, stack_name(emulator.is_some()));
        let deploy_log = deploy::log(&work);
        let deploy = deployment.create(&layout, &work, &secrets);
        let (outputs, (), ()) = try_join3(
            output.step("deploying infra/template.yaml with sam", Some(&deploy_log), deploy),
            secrets.store(&endpoint),
            mails::verify_sender(&endpoint),
        )
        .await?;
        let endpoints = endpoints(endpoint, outputs, &secrets, &deployment, [&finance.app, &crm.app]);
        let mut stack = Self { endpoints, file, env_files, finance, crm, deployment, emulator, _lock: lock };
        if let Err(error) = stack.seed(output, options.with_story).await {
            stack.stop().await?;
            return Err(error);
        }
        Ok(stack)
    }

    async fn seed(&mut self, output: Output, with_story: bool) -> anyhow::Result<()> {
        let admin = self.admin("admin")?;
        for role in ["operator", "viewer"] {
            let token = admin.create_token(&format!("local {role}"), role).await?;
            self.endpoints.tokens.insert(role.to_owned(), token);
        }
        output.heading("Connecting the two apps");
        seed::sides(&admin, self.finance(), self.crm(), output).await?;
        seed::map(&admin, output).await?;
        if !with_story {
            seed::run(&admin, output).await?;
        }
        for app in [self.finance(), self.crm()] {
            app.connect(&self.endpoints.sync_write, &self.endpoints.hmac_secret).await?;
        }
        self.env_files.write(&self.endpoints).await?;
        self.file.write(&self.endpoints.to_json()?)
    }
}

/// The path of this program, if it is the tool. A test is another program, so the tool must be built for it.
fn own_program() -> Option<PathBuf> {
    std::env::current_exe().ok().filter(|path| path.file_name().is_some_and(|name| name == functions::TOOL))
}

/// The name of the stack. It is unique in an emulator that runs already, which may have the stack of another run.
fn stack_name(own: bool) -> String {
    if own { STACK.to_owned() } else { format!("{STACK}-{}", ulid::Ulid::generate().to_string().to_lowercase()) }
}

async fn reach(url: &str) -> anyhow::Result<()> {
    let answer = http::client()?.get(url).timeout(REACH_TIMEOUT).send().await;
    if answer.is_err() {
        bail!(Blocked::Missing(format!("nothing answers at {url}; start an emulator there, or leave out --endpoint")));
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
    let mails = mails::address(&emulator);
    Endpoints {
        emulator,
        sync_write: outputs.sync_write,
        log_ingest: outputs.log_ingest,
        mails,
        admin: outputs.admin,
        console: outputs.console,
        apps: by_side(finance.url(), crm.url()),
        apps_api_key: by_side(&secrets.finance_api_key, &secrets.crm_api_key),
        tokens: BTreeMap::from([("admin".to_owned(), secrets.admin_token.clone())]),
        hmac_secret: secrets.hmac_secret.clone(),
        table: outputs.table,
        event_bus: outputs.event_bus,
        functions: functions::FUNCTIONS.map(|name| (name.to_owned(), deployment.function(name))).into(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Starts a stack that must be refused before anything is started, and gives the reason.
    async fn refused(options: Options) -> Blocked {
        let work = Layout::find().unwrap().work(options.name.as_deref());
        let error = Stack::start(options).await.unwrap_err();
        assert!(!work.join("endpoints.json").exists());
        assert!(!work.join("emulator.log").exists(), "an emulator was started");
        error.downcast().unwrap()
    }

    #[tokio::test]
    async fn a_second_start_in_the_same_folder_is_refused() {
        let options = Options::test("unit-second-start");
        let _first = Lock::of_work_dir(&Layout::find().unwrap().work(options.name.as_deref())).unwrap();
        assert!(refused(options).await.to_string().contains("runs already"));
    }

    #[tokio::test]
    async fn a_taken_port_is_refused() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let options = Options { port: Some(port), ..Options::test("unit-taken-port") };
        assert!(refused(options).await.to_string().contains(&port.to_string()));
    }

    #[tokio::test]
    async fn an_emulator_that_is_not_there_is_said() {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = reach(&format!("http://{gone}")).await.unwrap_err();
        assert_eq!(error.downcast_ref::<Blocked>().unwrap().exit_code(), 3);
    }

    #[test]
    fn a_stack_in_an_emulator_of_others_has_a_name_of_its_own() {
        assert_eq!(stack_name(true), stack_name(true));
        assert_ne!(stack_name(false), stack_name(false));
    }
}
