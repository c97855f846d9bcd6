//! The paths of this workspace: in the repository, and under its `target` folder.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folders of this workspace.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
    cargo_target: PathBuf,
}

impl Layout {
    /// Finds the workspace that this tool was built from.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let root = root.canonicalize().with_context(|| format!("the workspace is no longer at {}", root.display()))?;
        let cargo_target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(elsewhere) => std::path::absolute(elsewhere).context("CARGO_TARGET_DIR is not a path")?,
            None => root.join("target"),
        };
        Ok(Self { root, cargo_target })
    }

    /// The root of the workspace.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the template.
    pub(crate) fn infra(&self) -> PathBuf {
        self.root.join("infra")
    }

    /// Where cargo puts the binaries of a profile.
    pub(crate) fn binaries(&self, release: bool) -> PathBuf {
        self.cargo_target.join(if release { "release" } else { "debug" })
    }

    /// Where the template expects a function: always in the workspace, wherever cargo builds.
    pub(crate) fn lambda(&self) -> PathBuf {
        self.root.join("target/lambda")
    }

    /// The folder that all runs share. It has the tools.
    pub(crate) fn local(&self) -> PathBuf {
        self.root.join("target/local")
    }

    /// The work folder of one run: `target/local/{name}`, or `target/local` for a run without a name.
    pub(crate) fn work(&self, name: Option<&str>) -> PathBuf {
        name.map_or_else(|| self.local(), |name| self.local().join(name))
    }
}
