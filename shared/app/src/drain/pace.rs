//! How many entries of a map are written at the same time: additive increase, multiplicative decrease.
//!
//! An app that has just come back gets one call, as a probe; then twice as many with every round, until it shows a
//! strain; from then on one more a round, and half as many at every further strain.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use domain::{Failure, Timestamp, failure::CallEffect};

/// Most calls at the same time. One function saturates an app with fewer; Dataverse refuses more than 52.
pub const MAX_AT_ONCE: usize = 50;
/// So many rounds in a row without a success: the app is down. The sweep tries again, and alert rules may pause the map.
const GIVE_UP_AFTER: u32 = 10;
/// So many failures of single records in a row, without a success: it may be the app after all.
const GIVE_UP_AFTER_RECORDS: u32 = 1_000;
/// Most calls at the same time once so many records have failed in a row.
const MAX_WITHOUT_SUCCESS: u32 = 8;
/// Eleven times an eleventh is not quite one.
const ROUNDING: f64 = 1e-6;
/// Longest `Retry-After` that a run waits out; a longer one ends it, and the sweep goes on.
const MAX_WAIT_MS: u64 = 60_000;

/// How many entries are written at the same time.
#[derive(Debug)]
pub struct Pace(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Calls that may be made at the same time. Grows by fractions.
    limit: f64,
    used: usize,
    /// No strain was seen yet: the limit doubles with every round.
    fresh: bool,
    /// Counts halvings: calls that were begun before the last one tell nothing new.
    round: u64,
    /// Rounds in a row that showed a strain.
    failures: u32,
    /// Records in a row on which the app failed, each perhaps for a reason of its own.
    failed_records: u32,
    not_before: Timestamp,
    waiting: Vec<Waker>,
}

impl State {
    fn grow(&mut self) {
        let more = if self.fresh { 1.0 } else { 1.0 / self.limit.floor() };
        #[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
        let most = MAX_AT_ONCE as f64;
        self.limit = (self.limit + more).min(most);
    }
}

/// The right to make one call.
pub(crate) struct Permit<'a> {
    pace: &'a Pace,
    round: u64,
}

impl Default for Pace {
    fn default() -> Self {
        let state = State {
            limit: 1.0,
            used: 0,
            fresh: true,
            round: 0,
            failures: 0,
            failed_records: 0,
            not_before: Timestamp(0),
            waiting: Vec::new(),
        };
        Self(Mutex::new(state))
    }
}

impl Pace {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub(crate) fn permit(&self) -> impl Future<Output = Permit<'_>> + Send {
        std::future::poll_fn(move |cx| {
            let mut state = self.state();
            #[expect(clippy::cast_precision_loss, reason = "a handful of calls")]
            if (state.used as f64) + 1.0 <= state.limit + ROUNDING {
                state.used += 1;
                return Poll::Ready(Permit { pace: self, round: state.round });
            }
            state.waiting.push(cx.waker().clone());
            Poll::Pending
        })
    }

    /// Before this time the app wants no calls.
    pub(crate) fn not_before(&self) -> Timestamp {
        self.state().not_before
    }

    /// The app does not get better: leave it alone for now.
    pub(crate) fn gives_up(&self, now: Timestamp) -> bool {
        let state = self.state();
        state.failures >= GIVE_UP_AFTER
            || state.failed_records >= GIVE_UP_AFTER_RECORDS
            || state.not_before > now.plus_ms(MAX_WAIT_MS)
    }

    /// Calls that may be made at the same time.
    #[must_use]
    pub fn limit(&self) -> f64 {
        self.state().limit
    }
}

impl Permit<'_> {
    /// Notes how the call ended.
    pub(crate) fn ended(self, failure: Option<&Failure>, now: Timestamp) {
        let mut state = self.pace.state();
        match failure {
            Some(failure) if failure.effect != CallEffect::Refused && failure.is_side_wide() => {
                state.fresh = false;
                if self.round == state.round {
                    state.failures += 1;
                    state.limit = (state.limit / 2.0).max(1.0);
                    state.round += 1;
                }
                if let Some(ms) = failure.retry_after_ms {
                    state.not_before = state.not_before.max(now.plus_ms(ms));
                }
            }
            // The app failed on this record, which says little about the others. When it fails on one after the other, it
            // may be the app after all: go carefully.
            Some(failure) if failure.effect != CallEffect::Refused => {
                state.failures = 0;
                state.failed_records += 1;
                state.grow();
                if state.failed_records >= MAX_WITHOUT_SUCCESS {
                    state.limit = state.limit.min(f64::from(MAX_WITHOUT_SUCCESS));
                }
            }
            // The app answered; that it refused this record says nothing about the others.
            Some(_) | None => {
                (state.failures, state.failed_records) = (0, 0);
                state.grow();
            }
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut state = self.pace.state();
            state.used -= 1;
            std::mem::take(&mut state.waiting)
        };
        waiting.into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests;
