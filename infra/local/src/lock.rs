//! Locks between processes. The operating system releases a lock when its holder ends, however it ends.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use crate::blocked::Blocked;

const POLL: Duration = Duration::from_millis(200);

/// A lock, held until this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a work folder. If another run has it, fails with [`Blocked::Busy`], which names its process.
    pub(crate) fn of_work_dir(dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be created", dir.display()))?;
        let path = dir.join("lock");
        Ok(attempt(&path)?.map_err(|holder| {
            Blocked::Busy(format!(
                "the local tool runs already (process {holder}); stop it there with Ctrl-C first. \
                 Its addresses are in {}",
                dir.join("endpoints.json").display()
            ))
        })?)
    }

    /// Waits until the lock is free.
    pub(crate) async fn wait(path: &Path) -> anyhow::Result<Self> {
        loop {
            match attempt(path)? {
                Ok(lock) => return Ok(lock),
                Err(_holder) => tokio::time::sleep(POLL).await,
            }
        }
    }
}

/// Tries to take the lock. The inner error is the process id of its holder.
fn attempt(path: &Path) -> anyhow::Result<Result<Lock, String>> {
    let about = || format!("{} cannot be locked", path.display());
    let options = File::options().read(true).write(true).create(true).truncate(false).to_owned();
    let mut file = options.open(path).with_context(about)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0).and_then(|()| write!(file, "{}", std::process::id())).with_context(about)?;
            Ok(Ok(Lock { _file: file }))
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            file.rewind().and_then(|()| file.read_to_string(&mut holder)).with_context(about)?;
            Ok(Err(if holder.is_empty() { "unknown".to_owned() } else { holder }))
        }
        Err(TryLockError::Error(error)) => Err(error).with_context(about),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_in_the_same_folder_is_told_who_is_there() {
        let dir = std::env::temp_dir().join(format!("tandem-lock-{}", std::process::id()));
        let first = Lock::of_work_dir(&dir).unwrap();
        let refused = Lock::of_work_dir(&dir).unwrap_err();
        assert!(refused.to_string().contains(&format!("process {}", std::process::id())), "{refused}");
        assert_eq!(refused.downcast_ref::<Blocked>().unwrap().exit_code(), 4);
        drop(first);
        drop(Lock::of_work_dir(&dir).unwrap());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
