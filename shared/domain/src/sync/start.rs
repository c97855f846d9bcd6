//! How a run was started.

use serde::{Deserialize, Serialize};

/// How a run was started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunStart {
    /// Codes of problems that stood against it, and that whoever started it has accepted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub despite: Vec<String>,
}
