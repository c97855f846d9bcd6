//! A circuit breaker: keeps writes from an app that does not answer. Each of them would cost its caller the whole
//! deadline, and the app a connection.
//!
//! The breaker opens when [`OPEN_AFTER_CALLS`] writes in a row have failed for a reason of the whole side, over at
//! least [`OPEN_AFTER_MS`]. Then writes fail at once and are not sent, except for one every [`PROBE_EVERY_MS`], which
//! tests whether the app answers again. Each process has its own breaker. A 429 neither counts as a failure nor ends
//! the row.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{
    ErrorClass, Failure, SideId, Timestamp,
    failure::CallEffect,
    side::{CallEnding, Health, Trouble},
};

/// Failed writes in a row that open the breaker.
const OPEN_AFTER_CALLS: u32 = 10;
/// Shortest time from the first of them until the breaker opens, in milliseconds. A restart of an app takes less.
const OPEN_AFTER_MS: u64 = 10_000;
/// Time between two probes, in milliseconds: the longest delay until Tandem notices that the app answers again.
const PROBE_EVERY_MS: u64 = 2_000;

/// The breakers of all sides, with what this process has seen of each.
#[derive(Debug, Default)]
pub(crate) struct Breaker(Mutex<BTreeMap<SideId, Seen>>);

#[derive(Debug, Default)]
struct Seen {
    health: Health,
    probe_at: Timestamp,
}

impl Breaker {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<SideId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health(&self, side: &SideId) -> Health {
        self.seen().get(side).map(|seen| seen.health.clone()).unwrap_or_default()
    }

    /// Fails if a call must not be made. The failure says why.
    pub(crate) fn check(&self, side: &SideId, now: Timestamp) -> Result<(), Failure> {
        let mut all = self.seen();
        let Some(seen) = all.get_mut(side) else { return Ok(()) };
        let is_open = |trouble: &&Trouble| {
            trouble.calls >= OPEN_AFTER_CALLS && now.ms_since(trouble.since) >= OPEN_AFTER_MS && now < seen.probe_at
        };
        if let Some(trouble) = seen.health.trouble.as_ref().filter(is_open) {
            let says = format!("{}; this call was not made", trouble.describe(side));
            // No connection broke here. The class `network` would count against the record.
            let class = if trouble.class == ErrorClass::Network { ErrorClass::Unavailable } else { trouble.class };
            return Err(Failure::new(class, CallEffect::NotApplied, None, &says));
        }
        seen.probe_at = now.plus_ms(PROBE_EVERY_MS);
        Ok(())
    }

    pub(crate) fn note_report(&self, side: &SideId, is_own: bool, now: Timestamp) {
        self.seen().entry(side.clone()).or_default().health.reports.note(is_own, now);
    }

    pub(crate) fn note(&self, side: &SideId, ending: CallEnding<'_>, now: Timestamp) {
        self.seen().entry(side.clone()).or_default().health.note_call(ending, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crm() -> SideId {
        "crm".parse().unwrap()
    }

    fn down() -> Failure {
        Failure::new(ErrorClass::Network, CallEffect::NotApplied, None, "no connection")
    }

    /// A breaker after `calls` failed calls, one every `every_ms`, and the time of the last one.
    fn after(calls: u32, every_ms: u64) -> (Breaker, Timestamp) {
        let (breaker, mut now) = (Breaker::default(), Timestamp(1_000_000));
        for _ in 0..calls {
            now = now.plus_ms(every_ms);
            assert_eq!(breaker.check(&crm(), now), Ok(()));
            breaker.note(&crm(), CallEnding::Failed(&down()), now);
        }
        (breaker, now)
    }

    #[test]
    fn it_opens_after_enough_calls_and_enough_time_and_lets_one_call_through_now_and_then() {
        let (breaker, now) = after(OPEN_AFTER_CALLS, 1_200);
        let refused = breaker.check(&crm(), now).unwrap_err();
        assert_eq!((refused.class, refused.effect), (ErrorClass::Unavailable, CallEffect::NotApplied));
        assert!(refused.message.starts_with("crm has not answered since ") && refused.is_side_wide(), "{refused:?}");
        let later = now.plus_ms(PROBE_EVERY_MS);
        assert_eq!(breaker.check(&crm(), later), Ok(()), "one call");
        assert!(breaker.check(&crm(), later).is_err(), "no second one");
        breaker.note(&crm(), CallEnding::Taken("accounts"), later);
        assert!((0..3).all(|_| breaker.check(&crm(), later).is_ok()), "it answers again");
    }

    #[test]
    fn few_calls_or_little_time_do_not_open_it_and_other_sides_are_not_touched() {
        let (few, now) = after(OPEN_AFTER_CALLS - 1, 5_000);
        assert_eq!(few.check(&crm(), now), Ok(()));
        let (quick, now) = after(100, 10);
        assert_eq!(quick.check(&crm(), now), Ok(()));
        let (open, now) = after(OPEN_AFTER_CALLS, 1_200);
        assert_eq!(open.check(&"erp".parse().unwrap(), now), Ok(()));
    }
}
