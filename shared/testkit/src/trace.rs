//! What use cases ask of their ports: the call that waits now, and all of them in order, as one number.

use std::sync::{Mutex, atomic::AtomicU64, atomic::Ordering};

use domain::Timestamp;

use crate::executor::lock;

/// FNV-1a: all that is asked of it is to be the same on every machine.
const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// The calls of a world.
pub(crate) struct Trace {
    /// The method that somebody called last, or was answered by.
    waits: Mutex<Option<&'static str>>,
    fingerprint: AtomicU64,
}

impl Default for Trace {
    fn default() -> Self {
        Self { waits: Mutex::default(), fingerprint: AtomicU64::new(OFFSET) }
    }
}

impl Trace {
    pub(crate) fn note(&self, method: &'static str, at: Timestamp) {
        *lock(&self.waits) = Some(method);
        self.mix(method.as_bytes());
        self.mix(&at.0.to_be_bytes());
    }

    fn mix(&self, bytes: &[u8]) {
        let before = self.fingerprint.load(Ordering::SeqCst);
        let mixed = bytes.iter().fold(before, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME));
        self.fingerprint.store(mixed, Ordering::SeqCst);
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint.load(Ordering::SeqCst)
    }

    /// An invocation begins: it waits nowhere yet.
    pub(crate) fn begins(&self) {
        *lock(&self.waits) = None;
    }

    pub(crate) fn waits(&self) -> Option<&'static str> {
        *lock(&self.waits)
    }
}
