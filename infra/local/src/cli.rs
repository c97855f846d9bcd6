//! The command line of `cargo local`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

use crate::blocked::Blocked;
use crate::endpoints::Endpoints;
use crate::layout::Layout;
use crate::options::Options;
use crate::output::{Output, seconds};
use crate::sign_in::SignInDoor;
use crate::stack::Stack;
use crate::{python, sample_app, sign, story, tools};

/// Exit code of a run that a signal stopped before it was up: what shells report for Ctrl-C.
const INTERRUPTED: u8 = 130;
/// Time between two checks that everything still runs.
const WATCH: Duration = Duration::from_secs(1);

/// Runs all of Tandem on this machine: an AWS emulator, the deployed functions and two sample apps. Plays a short
/// story with them, then stays up until Ctrl-C, which stops everything that it started.
///
/// Exit codes: 0 success, 1 something failed, 2 wrong arguments, 3 a program or the network is missing, 4 another run
/// is up or the port is taken, 130 a signal stopped it before it was up.
#[derive(Debug, Parser)]
#[command(name = "cargo local", version, args_conflicts_with_subcommands = true)]
struct Args {
    /// Play the story and stop; the exit code is 0 if every step had the expected result.
    #[arg(long)]
    once: bool,
    /// Use the emulator at this URL (LocalStack, for example) instead of starting one.
    #[arg(long, value_name = "URL", value_parser = endpoint, conflicts_with = "port")]
    endpoint: Option<String>,
    /// Port of the emulator. Without it, the tool picks a free one.
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Build the functions with the release profile.
    #[arg(long)]
    release: bool,
    /// Name of a work folder under target/local. With a name of its own, a second run can be up beside the first.
    #[arg(long, value_parser = name)]
    name: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install the emulator, sam, cfn-lint and cargo-lambda under target/local, and do nothing else.
    Tools,
    /// Print a sample event from events/ as its caller would send it now to the run that is up: with a new id, time and
    /// signature, or with the token of that run.
    Sign {
        /// Path of the event.
        event: PathBuf,
        /// Name of the run, if it was started with --name.
        #[arg(long, value_parser = name)]
        name: Option<String>,
    },
    /// Run one of the two sample apps.
    App(Box<sample_app::Args>),
}

/// Runs the tool with the arguments of this process, and returns its exit code.
pub fn run() -> ExitCode {
    let args = Args::parse();
    let output = Output::terminal();
    let result = runtime().and_then(|runtime| {
        runtime.block_on(async {
            match args.command {
                Some(Command::App(app)) => run_app(*app).await,
                Some(Command::Tools) => install_tools(output).await,
                Some(Command::Sign { event, name }) => sign_event(&event, name.as_deref(), output),
                None => up(args, output).await,
            }
        })
    });
    result.unwrap_or_else(|error| {
        output.failed(format_args!("{error:#}"));
        ExitCode::from(error.downcast_ref::<Blocked>().map_or(1, Blocked::exit_code))
    })
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn run_app(args: sample_app::Args) -> anyhow::Result<ExitCode> {
    tracing_subscriber::fmt().with_ansi(false).init();
    sample_app::run(args).await.map(|()| ExitCode::SUCCESS)
}

fn sign_event(event: &Path, name: Option<&str>, output: Output) -> anyhow::Result<ExitCode> {
    let endpoints = Endpoints::read(&Layout::find()?.work(name))?;
    output.say(sign::sign_file(event, &endpoints)?.trim_end());
    Ok(ExitCode::SUCCESS)
}

async fn install_tools(output: Output) -> anyhow::Result<ExitCode> {
    let layout = Layout::find()?;
    let python = python::find(std::env::var_os("PATH"))?;
    let tools = [tools::EMULATOR, tools::SAM, tools::CARGO_LAMBDA];
    tokio::select! {
        installed = tools::install(&tools, &layout, &python, output) => installed?,
        stopped = told_to_stop() => return stopped.map(|()| ExitCode::from(INTERRUPTED)),
    }
    for (tool, program) in [(tools::SAM, "sam"), (tools::SAM, "cfn-lint"), (tools::CARGO_LAMBDA, "cargo-lambda")] {
        output.done(tool.program(&layout, program).display());
    }
    Ok(ExitCode::SUCCESS)
}

async fn up(args: Args, output: Output) -> anyhow::Result<ExitCode> {
    let started = Instant::now();
    // One listener serves the whole run, because a signal between two listeners would be lost. Dropping a stage ends
    // what it has started.
    let mut stop = std::pin::pin!(told_to_stop());
    output.heading("Starting");
    let Args { once, endpoint, port, release, name, command: _ } = args;
    let options = Options { name, endpoint, port, release, with_cargo_lambda: true, with_story: true, output };
    let mut stack = tokio::select! {
        stack = Stack::start(options) => stack?,
        stopped = &mut stop => return stopped.map(|()| ExitCode::from(INTERRUPTED)),
    };
    let mut result = tokio::select! {
        played = story::play(&stack, output) => played.map(|()| ExitCode::SUCCESS),
        stopped = &mut stop => stopped.map(|()| ExitCode::from(INTERRUPTED)),
    };
    if matches!(&result, Ok(code) if *code == ExitCode::SUCCESS) {
        output.say(format_args!("\nEverything worked as expected, in {}.", seconds(started.elapsed())));
        if !once {
            let door = SignInDoor::open(stack.endpoints()).await?;
            tell_addresses(&stack, output, &door);
            result = tokio::select! {
                broken = watch(&mut stack) => broken,
                broken = door.let_in() => broken,
                stopped = &mut stop => stopped,
            }
            .map(|()| ExitCode::SUCCESS);
            output.say("\nStopping.");
        }
    }
    let stopped = stack.stop().await;
    result.and_then(|code| stopped.map(|()| code))
}

fn tell_addresses(stack: &Stack, output: Output, door: &SignInDoor) {
    let endpoints = stack.endpoints();
    output.heading("Tandem is up; Ctrl-C stops everything");
    output.say(format_args!("  finance     {}", stack.finance().url()));
    output.say(format_args!("  crm         {}", stack.crm().url()));
    output.say(format_args!("  sync-write  {}", endpoints.sync_write));
    output.say(format_args!("  admin       {}", endpoints.admin));
    output.say(format_args!("  log-ingest  {}", endpoints.log_ingest));
    output.say(format_args!("  mails sent  {}", endpoints.mails));
    output.say(format_args!("  emulator    {}", endpoints.emulator));
    output.say(format_args!("  tokens and secrets of this run: {}", stack.endpoints_file().display()));
    output.say("  environment of each function: <function>.env beside that file, for `cargo lambda watch --env-file`");
    output.say("  Edit a customer on the page of one app, and watch the other app change.");
    output.say(format_args!("  console     {}", endpoints.console));
    output.say(format_args!("  sign in with one click: {}", door.link()));
}

/// Returns, with an error, only when a process that must run has ended.
async fn watch(stack: &mut Stack) -> anyhow::Result<()> {
    loop {
        tokio::time::sleep(WATCH).await;
        stack.check()?;
    }
}

async fn told_to_stop() -> anyhow::Result<()> {
    let (mut interrupt, mut terminate, mut hang_up) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

fn endpoint(text: &str) -> Result<String, String> {
    let url = reqwest::Url::parse(text).map_err(|error| format!("not an address: {error}"))?;
    match (url.scheme(), url.host_str()) {
        ("http" | "https", Some(_)) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err("an address must begin with http:// or https://".to_owned()),
    }
}

fn name(text: &str) -> Result<String, String> {
    let good = !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    if good { Ok(text.to_owned()) } else { Err("only letters, digits and hyphens are allowed".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Args, clap::error::ErrorKind> {
        Args::try_parse_from([&["cargo local"], arguments].concat()).map_err(|error| error.kind())
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn arguments_are_read() {
        let args = parse(&["--once", "--endpoint", "http://localhost:4566/"]).unwrap();
        assert!(args.once);
        assert_eq!(args.endpoint.as_deref(), Some("http://localhost:4566"));
        assert_eq!(parse(&["--port", "4566"]).unwrap().port, Some(4566));
        assert!(matches!(parse(&["tools"]).unwrap().command, Some(Command::Tools)));
    }

    #[test]
    fn bad_arguments_are_refused() {
        for arguments in [
            &["--endpoint", "localhost:4566"][..],
            &["--endpoint", "http://localhost:4566", "--port", "1"],
            &["--port", "0"],
            &["--port", "65536"],
            &["--name", "../elsewhere"],
            &["--once", "tools"],
        ] {
            parse(arguments).map(|args| format!("{args:?}")).expect_err(&format!("{arguments:?}"));
        }
    }
}
