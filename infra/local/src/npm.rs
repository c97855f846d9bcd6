//! Installs npm packages for the test apps that run on Node. The lock file of each project pins them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::blocked::Blocked;
use crate::layout::Layout;
use crate::lock::Lock;
use crate::log_file;
use crate::output::Output;
use crate::process;
use crate::python;
use crate::tools::{self, MARKER, NODE, is};

/// The files that npm installs from.
const MANIFESTS: [&str; 2] = ["package.json", "package-lock.json"];

/// Installs Node and the packages of a project if they are missing. Returns the folder of the packages, `node_modules`.
pub(crate) async fn install(project: &Path, layout: &Layout) -> anyhow::Result<PathBuf> {
    let python = python::find(std::env::var_os("PATH"))?;
    tools::install(&[NODE], layout, &python, Output::silent()).await?;
    let name = project.file_name().context("a project has a name")?.display();
    let dir = layout.local().join(format!("npm-{name}"));
    let (marker, packages) = (dir.join(MARKER), dir.join("node_modules"));
    let wanted = wanted(project)?;
    if is(&marker, &wanted) {
        return Ok(packages);
    }
    let _lock = Lock::wait(&layout.local().join(format!("npm-{name}.lock"))).await?;
    if is(&marker, &wanted) {
        return Ok(packages); // another run installed them while this one waited
    }
    install_anew(project, &dir, layout, &layout.local().join(format!("npm-{name}.log"))).await?;
    fs::write(&marker, wanted).with_context(|| format!("{} cannot be written", marker.display()))?;
    Ok(packages)
}

/// The text that the marker of an up-to-date installation has.
fn wanted(project: &Path) -> anyhow::Result<String> {
    let mut wanted = NODE.pins.to_owned();
    for file in MANIFESTS.map(|name| project.join(name)) {
        wanted += &fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    Ok(wanted)
}

async fn install_anew(project: &Path, dir: &Path, layout: &Layout, log: &Path) -> anyhow::Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("{} cannot be removed", dir.display()))?;
    }
    fs::create_dir_all(dir).with_context(|| format!("{} cannot be created", dir.display()))?;
    for name in MANIFESTS {
        fs::copy(project.join(name), dir.join(name)).with_context(|| format!("{name} cannot be copied"))?;
    }
    let mut npm = Command::new(NODE.program(layout, "npm"));
    // Packages run no scripts: ours need none, and no others should run on this machine.
    npm.current_dir(dir).args([
        "ci",
        "--ignore-scripts",
        "--omit=optional",
        "--no-audit",
        "--no-fund",
        "--no-progress",
    ]);
    // By default npm tries for a minute on a machine without a network.
    npm.args(["--fetch-retries=1", "--fetch-retry-mintimeout=1000"]);
    if !process::run(npm, log).await?.success() {
        let excerpt = log_file::excerpt(log);
        let from = project.join("package-lock.json");
        return Err(Blocked::Missing(format!(
            "npm could not install what {} names. Is there a network, and can npm reach its registry? {excerpt}",
            from.display()
        ))
        .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_package_of_a_project_has_one_version() {
        let project = Layout::find().unwrap().root().join("tests/cap");
        let manifest: Value = serde_json::from_slice(&fs::read(project.join("package.json")).unwrap()).unwrap();
        let packages = manifest["dependencies"].as_object().unwrap();
        assert!(!packages.is_empty());
        for (name, version) in packages {
            let exact = version.as_str().unwrap().split('.').all(|number| number.parse::<u32>().is_ok());
            assert!(exact, "{name}: {version}");
        }
    }

    #[tokio::test]
    async fn what_cannot_be_installed_is_said_with_the_file_that_names_it() {
        let dir = std::env::temp_dir().join(format!("tandem-npm-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("package.json"), "{}").unwrap();
        let error = wanted(&dir).unwrap_err();
        assert!(error.to_string().contains("package-lock.json cannot be read"), "{error}");
        fs::remove_dir_all(&dir).unwrap();
    }
}
