//! Row locks: one holder for each record key, as a database locks a row that a transaction has changed.
//!
//! `SQLite` locks the whole file, so an edit cannot keep only its row locked while it asks Tandem. These locks stand in
//! for the row locks in the databases of real apps, and for the deadlocks that those could cause.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

type Held = Mutex<HashMap<String, Arc<AsyncMutex<()>>>>;

/// The locks of the records that tasks hold or wait for.
#[derive(Debug, Default)]
pub(super) struct RecordLocks {
    held: Arc<Held>,
}

/// A held lock. Dropping it gives the lock to the next task, in order of arrival.
#[derive(Debug)]
pub(super) struct RecordLock {
    // The order matters: the lock must be released before the ticket checks whether another task wants it.
    _guard: OwnedMutexGuard<()>,
    _ticket: Ticket,
}

/// A task's interest in a lock that it holds or waits for. The last one removes the lock from the map.
#[derive(Debug)]
struct Ticket {
    held: Arc<Held>,
    key: String,
    lock: Arc<AsyncMutex<()>>,
}

impl RecordLocks {
    /// Waits for the record's lock.
    pub(super) async fn lock(&self, key: &str) -> RecordLock {
        let lock = {
            let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            held.entry(key.to_owned()).or_default().clone()
        };
        let ticket = Ticket { held: self.held.clone(), key: key.to_owned(), lock };
        let guard = ticket.lock.clone().lock_owned().await;
        RecordLock { _guard: guard, _ticket: ticket }
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        self.held.lock().unwrap().len()
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // The two references are the map's and ours. Getting another one takes the map's mutex, which we hold.
        if Arc::strong_count(&self.lock) == 2 {
            held.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_record_has_one_holder_and_another_record_is_free() {
        let locks = RecordLocks::default();
        let first = locks.lock("a").await;
        assert!(locks.lock("a").now_or_never().is_none());
        assert!(locks.lock("b").now_or_never().is_some());
        drop(first);
        assert!(locks.lock("a").now_or_never().is_some());
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_lock_that_nobody_wants() {
        let locks = RecordLocks::default();
        let first = locks.lock("a").await;
        let mut waiting = Box::pin(locks.lock("a"));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(first);
        assert_eq!(locks.count(), 1);
        drop(waiting);
        assert_eq!(locks.count(), 0);
    }
}
