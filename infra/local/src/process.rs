//! Starting other programs so that none is left behind.
//!
//! Each gets a process group of its own, and the whole group is ended: a program's children with it. Ctrl-C in a
//! terminal does not reach these groups, so that they end in the order this tool decides.

use std::fs::File;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal};

/// How long a program may take to end by itself.
const GRACE: Duration = Duration::from_secs(3);
const POLL: Duration = Duration::from_millis(20);

/// A running program, ended with its whole group when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    ending: Ending,
}

/// How a program is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It may close its files first.
    Gently,
    /// It has nothing to lose.
    AtOnce,
}

impl Process {
    /// Starts a program; what it prints goes to `log`. Its standard input stays open until it is ended, so that a
    /// program that watches it knows when this one is gone, even when this one was killed.
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

    /// Whether it has ended, and how.
    pub(crate) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        self.child.try_wait().context("a program that was started cannot be watched")
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // Nobody there any more is what is wanted.
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
        // Also when the program itself has ended: its children may not have.
        self.signal(Signal::KILL);
        drop(self.stdin.take());
        let _reaped = self.child.wait();
    }
}

/// Runs a program to its end; dropping the future ends it. Gives what it printed to `log` only.
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

    /// A process that has ended but that nobody has waited for does not count.
    fn alive(pid: Pid) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
        !matches!(stat.rsplit(") ").next().and_then(|rest| rest.chars().next()), None | Some('Z' | 'X'))
    }
}
