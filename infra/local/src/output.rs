//! Prints the messages of the tool. All go through here, so that they look alike and tests can silence them.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::log_file;

/// A step that takes longer than this reports that it is still running.
const FIRST_NOTICE: Duration = Duration::from_secs(2);
/// Time between two such reports.
const NEXT_NOTICE: Duration = Duration::from_secs(10);
/// Longest piece of a log line in such a report, in characters.
const GLIMPSE_CHARS_MAX: usize = 90;

/// Where the messages of the tool go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    voice: Voice,
}

#[derive(Debug, Clone, Copy)]
enum Voice {
    Silent,
    Terminal { colour: bool },
}

impl Output {
    /// Prints to standard output, with colour when it is a terminal and `NO_COLOR` is not set.
    pub fn terminal() -> Self {
        let colour = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { voice: Voice::Terminal { colour } }
    }

    /// Discards all messages.
    pub fn silent() -> Self {
        Self { voice: Voice::Silent }
    }

    /// Prints one line.
    pub(crate) fn say(self, line: impl Display) {
        if let Voice::Terminal { .. } = self.voice {
            // `println!` would panic when the reader of a pipe has closed it. That is no failure of the run.
            let _gone = writeln!(std::io::stdout(), "{line}");
        }
    }

    /// Prints a heading.
    pub(crate) fn heading(self, title: &str) {
        self.say(format_args!("\n{}", self.paint("1", title)));
    }

    /// Prints that something is done.
    pub(crate) fn done(self, what: impl Display) {
        self.say(format_args!("  {} {what}", self.paint("32", "✓")));
    }

    /// Prints that something failed.
    pub(crate) fn failed(self, what: impl Display) {
        self.say(format_args!("  {} {what}", self.paint("31", "✗")));
    }

    /// Runs one step, and prints how long it took. Reports in between that a long step is still running, with the last
    /// line of its log.
    pub(crate) async fn step<T>(
        self,
        doing: &str,
        log: Option<&Path>,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        self.step_seen(doing, || glimpse(log), work).await
    }

    /// Runs one step as [`Self::step`] does. The reports in between end with `seen()` instead of a log line.
    pub(crate) async fn step_seen<T>(
        self,
        doing: &str,
        seen: impl Fn() -> String,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<T> {
        let started = Instant::now();
        let mut work = std::pin::pin!(work);
        let mut notice = FIRST_NOTICE;
        let result = loop {
            match tokio::time::timeout(notice.saturating_sub(started.elapsed()), &mut work).await {
                Ok(result) => break result,
                Err(_elapsed) => {
                    self.say(format_args!("  … {doing}, {}{}", seconds(started.elapsed()), seen()));
                    notice = started.elapsed() + NEXT_NOTICE;
                }
            }
        };
        let told = format!("{doing} ({})", seconds(started.elapsed()));
        if result.is_ok() {
            self.done(told)
        } else {
            self.failed(told)
        }
        result
    }

    fn paint(self, code: &str, text: &str) -> String {
        match self.voice {
            Voice::Terminal { colour: true } => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            Voice::Terminal { colour: false } | Voice::Silent => text.to_owned(),
        }
    }
}

/// Formats a duration for people.
pub(crate) fn seconds(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

fn glimpse(log: Option<&Path>) -> String {
    let Some(line) = log.and_then(|path| log_file::tail(path, 1).pop()) else {
        return String::new();
    };
    let short: String = line.trim().chars().take(GLIMPSE_CHARS_MAX).collect();
    format!(": {short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        assert_eq!(seconds(Duration::from_millis(42)), "42 ms");
        assert_eq!(seconds(Duration::from_millis(1_260)), "1.3 s");
    }

    #[tokio::test]
    async fn a_step_hands_on_what_its_work_gave() {
        let given = Output::silent().step("adding", None, async { Ok(2 + 2) }).await.unwrap();
        assert_eq!(given, 4);
        let refused = Output::silent().step("failing", None, async { anyhow::bail!("no") }).await;
        assert_eq!(refused.map(|(): ()| ()).unwrap_err().to_string(), "no");
    }
}
