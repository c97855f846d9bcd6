//! Why the tool did not even begin, with an exit code for each kind, so that scripts can tell them apart.

/// Something on this machine stands in the way; nothing was left behind.
#[derive(Debug, thiserror::Error)]
pub enum Blocked {
    /// A program or the network is missing. Exit code 3.
    #[error("{0}")]
    Missing(String),
    /// Another run or another program has what this one needs. Exit code 4.
    #[error("{0}")]
    Busy(String),
}

impl Blocked {
    /// The exit code of a run that ended so.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Missing(_) => 3,
            Self::Busy(_) => 4,
        }
    }
}
