//! Finds Python, in which the emulator and `sam` are written. It must be installed: this tool cannot do that.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::blocked::Blocked;

/// Oldest version of Python that the emulator runs on.
const OLDEST: (u32, u32) = (3, 10);
const HOW: &str =
    "Install Python 3.10 or newer with its venv module (Debian and Ubuntu: apt install python3 python3-venv)";
/// Prints the version, and fails if this Python cannot create virtual environments.
const PROBE: &str = "import sys; print(*sys.version_info[:3], sep='.', flush=True); import venv, ensurepip";

/// A Python that is new enough and can create virtual environments.
#[derive(Debug, Clone)]
pub(crate) struct Python {
    pub(crate) path: PathBuf,
    pub(crate) version: String,
}

/// Finds the first `python3` on `search_path`. Fails with [`Blocked::Missing`] if there is none, or if it is too old or
/// cannot create virtual environments.
pub(crate) fn find(search_path: Option<OsString>) -> Result<Python, Blocked> {
    let path = on_path("python3", search_path.as_deref()).ok_or_else(|| {
        Blocked::Missing(format!("python3 is missing: the emulator and sam are written in it. {HOW}"))
    })?;
    let refused = |why: String| Blocked::Missing(format!("{} {why}. {HOW}", path.display()));
    let probe = Command::new(&path)
        .args(["-c", PROBE])
        .output()
        .map_err(|error| refused(format!("cannot be started: {error}")))?;
    let version = String::from_utf8_lossy(&probe.stdout).trim().to_owned();
    if !new_enough(&version) {
        return Err(refused(format!("is version {version:?}, which is too old")));
    }
    if !probe.status.success() {
        return Err(refused("has no venv module".to_owned()));
    }
    Ok(Python { path, version })
}

fn new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) >= OLDEST)
}

/// Finds a program on a search path, as a shell does.
pub(crate) fn on_path(program: &str, search_path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(search_path?).map(|dir| dir.join(program)).find(|file| executable(file))
}

fn executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a folder whose `python3` is this shell script.
    fn fake(name: &str, script: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("tandem-python-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let file = dir.join("python3");
        // A shell writes it: another test that starts a process while this one has the file open for writing would make it
        // busy, and a busy file cannot be started.
        let write = r#"printf '#!/bin/sh\n%s\n' "$1" >"$0" && chmod 755 "$0""#;
        let written = Command::new("sh").args(["-c", write]).arg(&file).arg(script).status().unwrap();
        assert!(written.success());
        dir
    }

    #[test]
    fn no_python_is_said_with_what_to_install() {
        for nowhere in [None, Some("/nonexistent".into())] {
            let blocked = find(nowhere).unwrap_err();
            assert!(blocked.to_string().contains("python3 is missing"), "{blocked}");
            assert!(blocked.to_string().contains("apt install python3"), "{blocked}");
            assert_eq!(blocked.exit_code(), 3);
        }
    }

    #[test]
    fn a_python_that_will_not_do_is_said_with_the_reason() {
        for (script, reason) in
            [("echo 3.9.2", "too old"), ("echo 3.12.1; exit 1", "no venv module"), ("echo what", "too old")]
        {
            let dir = fake(reason.split(' ').next().unwrap_or_default(), script);
            let blocked = find(Some(dir.clone().into())).unwrap_err();
            assert!(blocked.to_string().contains(reason), "{blocked}");
            std::fs::remove_dir_all(&dir).unwrap();
        }
    }

    #[test]
    fn a_good_python_is_taken() {
        let dir = fake("good", "echo 3.14.0");
        assert_eq!(find(Some(dir.clone().into())).unwrap().version, "3.14.0");
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
