//! The drain lease: which run drains a map.
//!
//! The lease is advisory. Correctness does not depend on it, because two concurrent runs produce the same writes; but each
//! run has its own idea of what the app can take, so two of them would overload it.

use domain::{Map, Owner, Timestamp};

use crate::ports::{Gauges, Ports};

/// A run that has not renewed its lease for so long is taken to be dead.
const LEASE_MS: u64 = 20_000;
/// A run renews its lease at this interval.
const RENEW_EVERY_MS: u64 = 5_000;

/// One run's lease of a map.
pub(super) struct DrainLease<'a, P: Ports> {
    ports: &'a P,
    map: &'a Map,
    /// The run's id.
    run: Owner,
    /// When the lease must be renewed; `None`: it was never taken.
    renew_at: Option<Timestamp>,
}

impl<'a, P: Ports> DrainLease<'a, P> {
    pub(super) fn new(ports: &'a P, map: &'a Map) -> Self {
        Self { ports, map, run: Owner(ports.fresh_id()), renew_at: None }
    }

    /// Whether another run of this epoch is alive. A run of a new epoch has other things to do, and takes over.
    pub(super) async fn is_held_by_another(&self) -> bool {
        match self.ports.lanes().drain_holder(self.map, self.ports.now()).await {
            Ok(holder) => holder.is_some_and(|holder| holder != self.run),
            Err(error) => {
                tracing::warn!(map.id = %self.map.id, %error, "could not read the drain lease; draining anyway");
                false
            }
        }
    }

    /// Takes or renews the lease when it is time to. Returns `false` if another run has it.
    pub(super) async fn renew(&mut self) -> bool {
        let now = self.ports.now();
        if self.renew_at.is_some_and(|renew_at| renew_at > now) {
            return true;
        }
        self.renew_at = Some(now.plus_ms(RENEW_EVERY_MS));
        match self.ports.lanes().acquire_drain(self.map, self.run, now, now.plus_ms(LEASE_MS)).await {
            Ok(held) => held,
            Err(error) => {
                tracing::warn!(map.id = %self.map.id, %error, "could not renew the drain lease; draining anyway");
                true
            }
        }
    }

    /// Gives the lease back, if it was taken.
    pub(super) async fn release(&self) {
        if self.renew_at.is_some()
            && let Err(error) = self.ports.lanes().release_drain(self.map, self.run).await
        {
            tracing::warn!(map.id = %self.map.id, %error, "could not release the drain lease; it expires within 20 s");
        }
    }
}
