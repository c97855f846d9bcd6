//! Starts other programs so that none is left running.
//!
//! Each program gets its own process group, and ending the program ends the whole group, children included. Ctrl-C in a
//! terminal does not reach these groups, so this tool decides in which order they end.

use std::fs::File;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal};

/// Time that a program has to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(20);

/// A running program. Dropping this ends it with its whole group.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    ending: Ending,
}

/// How a program is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// By SIGTERM, and by SIGKILL after [`GRACE`], so that it can close its files.
    Gently,
    /// By SIGKILL: it has nothing to lose.
    AtOnce,
}

impl Process {
    /// Starts a program that prints to `log`. Its standard input stays open until it is ended: a program that reads it
    /// learns from its end that this process has ended, even by SIGKILL.
    pub(crate) fn start(mut command: Command, log: &Path, ending: Ending) -> anyhow::Result<Self> {
        use std::os::unix::process::CommandExt;
        let about = || format!("{} cannot be started", command.get_program().display());
        let out = File::create(log).with_context(|| format!("{} cannot be written", log.display()))?;
        let err = out.try_clone().with_context(about)?;
        let name = about();
        command.stdin(Stdio::piped()).stdout(out).stderr(err).process_group(0);
        let mut child = command.spawn().context(name)?;
        let stdin = child.stdin.take();
        Ok(Self { child, stdin, ending })
    }

    /// The exit status, if the program has ended.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("the state of a started program cannot be read")
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // The group may be gone already.
            let _gone = rustix::process::kill_process_group(group, signal);
        }
    }

    fn ended_within(&mut self, time: Duration) -> bool {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(POLL);
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ending == Ending::Gently {
            self.signal(Signal::TERM);
            self.ended_within(GRACE);
        }
        // The program's children may still run, even if it has ended.
        self.signal(Signal::KILL);
        drop(self.stdin.take());
        let _reaped = self.child.wait();
    }
}

/// Runs a program that prints to `log`, and returns its exit status. Dropping the future ends the program.
pub(crate) async fn run(command: Command, log: &Path) -> anyhow::Result<ExitStatus> {
    let mut process = Process::start(command, log, Ending::AtOnce)?;
    drop(process.stdin.take());
    loop {
        if let Some(status) = process.ended()? {
            return Ok(status);
        }
        tokio::time::sleep(POLL).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn log(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("tandem-process-{name}-{}", std::process::id()))
    }

    #[tokio::test]
    async fn a_program_that_ends_leaves_its_words_and_its_status() {
        let log = log("ends");
        let status = run(shell("echo hello; exit 3"), &log).await.unwrap();
        assert_eq!(status.code(), Some(3));
        assert_eq!(std::fs::read_to_string(&log).unwrap(), "hello\n");
        std::fs::remove_file(&log).unwrap();
    }

    #[test]
    fn ending_a_program_ends_its_children_too() {
        let log = log("group");
        let process = Process::start(shell("sleep 60 & echo $!; wait"), &log, Ending::AtOnce).unwrap();
        let child = loop {
            if let Ok(pid) = std::fs::read_to_string(&log).unwrap().trim().parse::<i32>() {
                break Pid::from_raw(pid).unwrap();
            }
            std::thread::sleep(POLL);
        };
        drop(process);
        let deadline = Instant::now() + GRACE;
        while alive(child) {
            assert!(Instant::now() < deadline, "the child runs on");
            std::thread::sleep(POLL);
        }
        std::fs::remove_file(&log).unwrap();
    }

    /// Whether a process runs. A zombie does not count.
    fn alive(pid: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        !matches!(stat.rsplit(") ").next().and_then(|rest| rest.chars().next()), None | Some('Z' | 'X'))
    }
}
