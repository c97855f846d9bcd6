//! One function under `cargo lambda`, beside the deployed rest: how CONTRIBUTING says that one works on it.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use crate::stack::together;

/// The function is built already; what takes time is its start.
const DEADLINE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// `cargo lambda watch`, with the function that it started.
struct Watch(Child);

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            let _gone_already = kill_process_group(group, Signal::KILL);
        }
        let _ended = self.0.wait();
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the workspace")
}

/// A command in the workspace, as a shell would start it: what cargo says about the test's own package is not true there.
fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| name.starts_with(start)) {
            command.env_remove(&*name);
        }
    }
    command
}

fn output(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_function_under_cargo_lambda_works_with_the_emulator_and_takes_a_signed_sample_event() {
    together(async |world| {
        let work = world.stack.endpoints_file().parent().expect("a folder").to_owned();
        let cargo_lambda = root().join("target/local/venv-cargo-lambda/bin/cargo-lambda");
        let port = {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            free.local_addr().expect("its address").port()
        };
        let address = ["--invoke-address", "127.0.0.1", "--invoke-port", &port.to_string()].map(str::to_owned);
        let mut watch = command(&cargo_lambda);
        watch.args(["lambda", "watch", "--ignore-changes", "--env-file"]).arg(work.join("sync-write.env"));
        let log = fs::File::create(work.join("watch.log")).expect("its log");
        watch.args(&address).process_group(0).stdout(log.try_clone().expect("its log")).stderr(log);
        let mut watch = Watch(watch.spawn().expect("cargo lambda is installed"));
        let deadline = Instant::now() + DEADLINE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = watch.0.try_wait().expect("its state");
            assert!(ended.is_none() && Instant::now() < deadline, "cargo lambda watch does not answer: {ended:?}");
            tokio::time::sleep(POLL).await;
        }
        let name = work.file_name().and_then(|name| name.to_str()).expect("the run's name");
        let mut sign = command(env!("CARGO"));
        sign.args(["local", "sign", "--name", name, "events/sync-write-sample-app.json"]);
        let event = work.join("signed.json");
        fs::write(&event, output(&mut sign)).expect("the event is written");
        let mut invoke = command(&cargo_lambda);
        invoke.args(["lambda", "invoke", "sync-write", "--data-file"]).arg(&event).args(&address);
        let answer: Value = serde_json::from_slice(&output(&mut invoke)).expect("JSON");
        assert_eq!(answer["statusCode"], 200, "{answer}");
        let body: Value = serde_json::from_str(answer["body"].as_str().expect("text")).expect("JSON");
        assert_eq!(body["status"], "written", "{body}");
    });
}
