//! Installs the tools that are not Rust crates. Each has its own Python environment, because their dependencies
//! conflict.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::blocked::Blocked;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::log_file;
use crate::output::Output;
use crate::process;
use crate::python::Python;

/// Name of the file that an installation writes last. An interrupted installation lacks it, and is done again.
pub(crate) const MARKER: &str = "complete";

/// A tool and what it is installed from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    pub(crate) pins: &'static str,
    constraints: &'static str,
}

/// The AWS emulator.
pub(crate) const EMULATOR: Tool = Tool {
    name: "emulator",
    pins: include_str!("../tools/emulator.txt"),
    constraints: include_str!("../tools/emulator.constraints.txt"),
};

/// `sam`, which deploys the template, and `cfn-lint`, which checks it.
pub(crate) const SAM: Tool = Tool {
    name: "sam",
    pins: include_str!("../tools/sam.txt"),
    constraints: include_str!("../tools/sam.constraints.txt"),
};

/// `cargo lambda`, which builds for AWS and invokes single functions.
pub(crate) const CARGO_LAMBDA: Tool =
    Tool { name: "cargo-lambda", pins: include_str!("../tools/cargo-lambda.txt"), constraints: "" };

/// Node with `npm`, for the test apps that run on it. Pinned here, their versions are the same on every machine.
pub(crate) const NODE: Tool = Tool { name: "node", pins: include_str!("../tools/node.txt"), constraints: "" };

impl Tool {
    /// The path of a program in the tool's environment.
    pub(crate) fn program(self, layout: &Layout, name: &str) -> PathBuf {
        self.dir(layout).join("bin").join(name)
    }

    fn dir(self, layout: &Layout) -> PathBuf {
        layout.local().join(format!("venv-{}", self.name))
    }

    /// The text that the marker of an up-to-date installation has.
    fn wanted(self, python: &Python) -> String {
        format!("{} {}\n{}{}", python.path.display(), python.version, self.pins, self.constraints)
    }

    /// The pinned packages in one line.
    fn packages(self) -> String {
        self.pins.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(", ")
    }

    async fn install(self, layout: &Layout, python: &Python, output: Output) -> anyhow::Result<()> {
        let dir = self.dir(layout);
        let marker = dir.join(MARKER);
        let wanted = self.wanted(python);
        if is(&marker, &wanted) {
            return Ok(());
        }
        std::fs::create_dir_all(layout.local()).context("target/local cannot be created")?;
        let _lock = Lock::wait(&layout.local().join(format!("venv-{}.lock", self.name))).await?;
        if is(&marker, &wanted) {
            return Ok(()); // another run installed it while this one waited
        }
        let log = layout.local().join(format!("venv-{}.log", self.name));
        let doing = format!("installing {}", self.packages());
        output.step(&doing, Some(&log), self.install_anew(&dir, python, &log)).await?;
        std::fs::write(&marker, wanted).with_context(|| format!("{} cannot be written", marker.display()))
    }

    async fn install_anew(self, dir: &Path, python: &Python, log: &Path) -> anyhow::Result<()> {
        if dir.exists() {
            std::fs::remove_dir_all(dir).with_context(|| format!("{} cannot be removed", dir.display()))?;
        }
        let mut venv = Command::new(&python.path);
        venv.args(["-m", "venv"]).arg(dir);
        if !process::run(venv, log).await?.success() {
            let how = "on Debian and Ubuntu, python3-venv may be missing";
            let excerpt = log_file::excerpt(log);
            return Err(
                Blocked::Missing(format!("python3 could not create a virtual environment; {how}; {excerpt}")).into()
            );
        }
        let mut pip = Command::new(dir.join("bin/python"));
        pip.args(["-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--progress-bar", "off"]);
        pip.args(["--retries", "2"]); // five would let a machine without a network wait for half a minute
        for (option, text, file) in [("-r", self.pins, "pins.txt"), ("-c", self.constraints, "constraints.txt")] {
            let file = dir.join(file);
            std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
            pip.arg(option).arg(file);
        }
        if !process::run(pip, log).await?.success() {
            let packages = self.packages();
            let excerpt = log_file::excerpt(log);
            return Err(Blocked::Missing(format!(
                "pip could not install {packages}. Is there a network, and can it reach the package index? {excerpt}"
            ))
            .into());
        }
        Ok(())
    }
}

/// Installs the missing tools, all at the same time.
pub(crate) async fn install(tools: &[Tool], layout: &Layout, python: &Python, output: Output) -> anyhow::Result<()> {
    let installations = tools.iter().map(|tool| tool.install(layout, python, output));
    futures::future::try_join_all(installations).await.map(drop)
}

/// Whether a marker has the wanted text.
pub(crate) fn is(marker: &Path, wanted: &str) -> bool {
    std::fs::read_to_string(marker).is_ok_and(|found| found == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_to_one_version() {
        for tool in [EMULATOR, SAM, CARGO_LAMBDA, NODE] {
            for line in tool.pins.lines().chain(tool.constraints.lines()).filter(|line| !line.starts_with('#')) {
                assert!(line.contains("=="), "{}: {line}", tool.name);
            }
        }
    }

    #[test]
    fn another_python_or_another_pin_is_another_installation() {
        let python = |version: &str| Python { path: "/usr/bin/python3".into(), version: version.to_owned() };
        assert_eq!(SAM.wanted(&python("3.12.1")), SAM.wanted(&python("3.12.1")));
        assert_ne!(SAM.wanted(&python("3.12.1")), SAM.wanted(&python("3.13.0")));
        assert_ne!(SAM.wanted(&python("3.12.1")), EMULATOR.wanted(&python("3.12.1")));
    }
}
