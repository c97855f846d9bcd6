//! The reasons why the tool cannot start. Each kind has its own exit code, so that scripts can tell them apart.

/// Something on this machine prevents the start. Nothing is left running.
#[derive(Debug, thiserror::Error)]
pub enum Blocked {
    /// A program or the network is missing. Exit code 3.
    #[error("{0}")]
    Missing(String),
    /// Another run or another program uses a work folder or a port that this run needs. Exit code 4.
    #[error("{0}")]
    Busy(String),
}

impl Blocked {
    /// The exit code of a run that this reason prevented.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Missing(_) => 3,
            Self::Busy(_) => 4,
        }
    }
}
