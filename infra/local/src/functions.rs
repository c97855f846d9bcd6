//! Builds the functions, and copies them to where the template expects them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::blocked::Blocked;
use crate::layout::Layout;
use crate::log_file;
use crate::process;
use crate::python::on_path;

/// The functions. Each name is the name of the package, of the binary and of the folder in the template.
pub const FUNCTIONS: [&str; 7] =
    ["sync-write", "resume-drain", "initial-sync", "log-ingest", "threshold-evaluate", "admin", "console"];
/// This tool's own binary, which also runs the two sample apps.
pub(crate) const TOOL: &str = "local";

/// Finds the cargo that started this program, or the first one on the search path.
pub(crate) fn cargo() -> Result<PathBuf, Blocked> {
    std::env::var_os("CARGO")
        .map(PathBuf::from)
        .or_else(|| on_path("cargo", std::env::var_os("PATH").as_deref()))
        .ok_or_else(|| Blocked::Missing("cargo is missing; see https://rustup.rs".to_owned()))
}

/// Builds the functions, and this tool if `with_tool`. `--workspace` decides the features of the dependencies: with one
/// `-p` for each package, this build could not share its artifacts with `cargo test --workspace`.
pub(crate) async fn build(layout: &Layout, release: bool, with_tool: bool, log: &Path) -> anyhow::Result<()> {
    let mut cargo = Command::new(cargo()?);
    cargo.current_dir(layout.root()).args(["build", "--workspace"]);
    cargo.args(FUNCTIONS.iter().chain(with_tool.then_some(&TOOL)).flat_map(|name| ["--bin", name]));
    if release {
        cargo.arg("--release");
    }
    for (name, _) in std::env::vars_os() {
        // `cargo run` and `cargo test` set these for the package that they run. They would be wrong for this build.
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| name.to_string_lossy().starts_with(start))
        {
            cargo.env_remove(name);
        }
    }
    if !process::run(cargo, log).await?.success() {
        bail!("the functions cannot be built; {}", log_file::excerpt(log));
    }
    Ok(())
}

/// Copies the built functions to where the template expects them.
pub(crate) async fn stage(layout: &Layout, release: bool, log: &Path) -> anyhow::Result<()> {
    for name in FUNCTIONS {
        let built = layout.binaries(release).join(name);
        let dir = layout.lambda().join(name);
        fs::create_dir_all(&dir).with_context(|| format!("{} cannot be created", dir.display()))?;
        // Copied beside the folder and then renamed into it, because another run may be zipping the folder.
        let copy = layout.lambda().join(format!("{name}.{}", std::process::id()));
        fs::copy(&built, &copy).with_context(|| format!("{} cannot be copied", built.display()))?;
        if let Some(strip) = on_path("strip", std::env::var_os("PATH").as_deref()) {
            // Nearly half of a dev binary is symbols, and each deployment zips all of it. If `strip` fails, they stay.
            let mut command = Command::new(strip);
            command.arg("--strip-all").arg(&copy);
            process::run(command, log).await?;
        }
        let bootstrap = dir.join("bootstrap");
        fs::rename(&copy, &bootstrap).with_context(|| format!("{} cannot be replaced", bootstrap.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_has_exactly_the_functions_that_are_built() {
        let template = fs::read_to_string(Layout::find().unwrap().infra().join("template.yaml")).unwrap();
        let mut in_template: Vec<&str> = template
            .lines()
            .filter_map(|line| line.trim().strip_prefix("CodeUri: ../target/lambda/")?.strip_suffix('/'))
            .collect();
        in_template.sort_unstable();
        let mut built = FUNCTIONS;
        built.sort_unstable();
        assert_eq!(in_template, built);
    }
}
