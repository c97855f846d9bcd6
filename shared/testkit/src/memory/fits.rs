//! What one transaction takes.

use app::ports::{Commit, JournalOp, PortError};
use domain::lane::Entry;

/// Most bytes in a transaction of DynamoDB.
const MAX_TRANSACTION_BYTES: usize = 4 * 1024 * 1024;
/// Most actions in a transaction of DynamoDB.
const MAX_TRANSACTION_ACTIONS: usize = 100;

/// Refuses what one transaction does not take. Nothing is deflated here: records are as large as if they could not be.
pub(super) fn fits(commit: &Commit) -> Result<(), PortError> {
    let size = |entry: &Entry| serde_json::to_vec(entry).map_or(0, |json| json.len());
    let (mut actions, mut bytes) = (1, 0);
    for op in &commit.ops {
        let (more, record) = match op {
            JournalOp::Append(entry, _) | JournalOp::Update(entry, _) => (2, size(entry)),
            // Deleted as an entry, put as an archived one.
            JournalOp::Archive(archived, _) => (3, 2 * size(&archived.entry)),
            JournalOp::Keep(archived) | JournalOp::Recover(archived) => (1, size(&archived.entry)),
            JournalOp::Finish { .. } => (2, 0),
            JournalOp::Conflict(_) | JournalOp::Reverse(_) => (1, 0),
            JournalOp::Log(_) => (0, 0),
        };
        (actions, bytes) = (actions + more, bytes + record);
    }
    if actions > MAX_TRANSACTION_ACTIONS || bytes > MAX_TRANSACTION_BYTES {
        return Err(PortError::Permanent(format!("simulated: a transaction of {actions} actions, {bytes} bytes")));
    }
    Ok(())
}
