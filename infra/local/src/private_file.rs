//! Files with secrets: only their owner can read them, and they are removed when the run ends.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// A file of the run. Dropping this removes it.
#[derive(Debug)]
pub(crate) struct PrivateFile(PathBuf);

impl PrivateFile {
    /// Names a file in a folder, and removes the one that a killed run left there.
    pub(crate) fn in_dir(dir: &Path, name: &str) -> Self {
        let file = Self(dir.join(name));
        file.remove();
        file
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes the file. Only its owner can read it.
    pub(crate) fn write(&self, text: &str) -> anyhow::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let about = || format!("{} cannot be written", self.0.display());
        // Renamed into place when it is complete, because scripts wait for it to appear.
        let partial = self.0.with_added_extension("partial");
        let file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial);
        file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(about)?;
        fs::rename(&partial, &self.0).with_context(about)
    }

    fn remove(&self) {
        // The file may be absent already. The next write reports any other failure.
        let _absent = fs::remove_file(&self.0);
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_private_file_is_its_owners_alone_and_goes_with_the_run() {
        let dir = std::env::temp_dir().join(format!("tandem-private-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("admin.env"), "of a killed run").unwrap();
        let file = PrivateFile::in_dir(&dir, "admin.env");
        assert!(!file.path().exists());
        file.write("A=1\n").unwrap();
        assert_eq!(fs::read_to_string(file.path()).unwrap(), "A=1\n");
        assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
        fs::remove_dir_all(&dir).unwrap();
    }
}
