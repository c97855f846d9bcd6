//! One request to an app, and how it goes wrong.

use std::sync::{Arc, atomic::Ordering};

use app::ports::{Applied, Call};
use domain::{
    EntryId, Failure,
    failure::{CallEffect, ErrorClass},
    record::Image,
    side::Side,
};

use super::{FakeApps, REFUSED_FIELD};
use crate::{bug::Bug, executor::lock};

/// What must be so for a request to have its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing.
    Always,
    /// The row has this version still: `If-Match`.
    Unchanged(u64),
    /// There is no record: `If-None-Match: *`, or a POST.
    Missing,
}

pub(crate) enum End {
    NotApplied,
    Without,
    With,
    Late,
}

pub(super) fn failed(class: ErrorClass, effect: CallEffect, says: &str) -> Failure {
    Failure::new(class, effect, None, says)
}

/// How long an app is down before its supervisor has started it again.
const DOWN_MS: u64 = 5_000;

impl FakeApps {
    pub(crate) fn roll(&self) -> Option<End> {
        let faults = *lock(&self.faults);
        let mut roll = self.world.chance(|rng| rng.below(1_000));
        for (end, per_mille) in [
            (End::NotApplied, faults.not_applied),
            (End::Without, faults.unknown_without_effect),
            (End::With, faults.unknown_with_effect),
            (End::Late, faults.unknown_late),
        ] {
            if roll < per_mille {
                return Some(end);
            }
            roll -= per_mille;
        }
        None
    }

    /// One request that writes.
    pub(super) async fn request(&self, side: &Side, call: &Call, condition: Condition) -> Result<Applied, Failure> {
        let capability = side.config.capability;
        let app = Arc::clone(&self.apps[&side.id]);
        self.world.turn_at("Apps.write").await;
        let fresh = || EntryId(u128::from(self.world.chance(crate::rng::Rng::bits)));
        let entry = if self.world.has(Bug::FreshKeyPerAttempt) { fresh() } else { call.entry };
        let call = &Call { entry, ..call.clone() };
        let began = self.world.now();
        while lock(&app).locked.contains(&call.record.key) {
            if self.world.now().ms_since(began) >= side.config.request_timeout_ms {
                return Err(failed(ErrorClass::Timeout, CallEffect::Unknown, "simulated: the record is locked"));
            }
            self.world.sleep(100).await;
        }
        let slow_ms = lock(&self.faults).slow_ms;
        let slow_ms = if slow_ms > 0 { self.world.chance(|rng| rng.below(slow_ms)) } else { 0 };
        let latency_ms = self.latency_ms.load(Ordering::SeqCst) + slow_ms;
        let busy_for_ms = self.busy_for_ms.load(Ordering::SeqCst);
        if latency_ms > 0 {
            self.world.sleep(latency_ms).await;
        }
        if busy_for_ms > 0 {
            let failure = failed(ErrorClass::Throttled, CallEffect::NotApplied, "simulated: 429");
            return Err(Failure { retry_after_ms: Some(busy_for_ms), ..failure });
        }
        let asks_for_it =
            matches!(&call.image, Image::Present(record) if record.get(REFUSED_FIELD).is_some_and(|v| v == true));
        if asks_for_it || lock(&app).refuses.contains(&call.record.key) {
            return Err(failed(ErrorClass::Application, CallEffect::Refused, "simulated: refused"));
        }
        if lock(&app).down_until > self.world.now() {
            return Err(failed(ErrorClass::Network, CallEffect::NotApplied, "simulated: refused to connect"));
        }
        if lock(&app).dies_of.contains(&call.record.key) {
            lock(&app).down_until = self.world.now().plus_ms(DOWN_MS);
            return Err(failed(ErrorClass::Network, CallEffect::Unknown, "simulated: reset"));
        }
        if lock(&app).conflicts.contains(&call.record.key) {
            return Err(failed(ErrorClass::Conflict, CallEffect::NotApplied, "simulated: 409"));
        }
        if lock(&app).fails.contains(&call.record.key) {
            return Err(failed(ErrorClass::OtherHttp, CallEffect::Unknown, "simulated: 500"));
        }
        match self.roll() {
            Some(End::NotApplied) if self.world.has(Bug::NotAppliedIsDone) => Ok(Applied::default()),
            Some(End::NotApplied) => {
                Err(failed(ErrorClass::Network, CallEffect::NotApplied, "simulated: refused to connect"))
            }
            Some(End::Without) => Err(failed(ErrorClass::Unavailable, CallEffect::Unknown, "simulated: 503")),
            Some(End::With) => {
                lock(&app).apply(call, condition, capability, self.world.now(), self.world.bug())?;
                Err(failed(ErrorClass::Network, CallEffect::Unknown, "simulated: reset after the effect"))
            }
            Some(End::Late) => {
                let (world, call) = (Arc::clone(&self.world), call.clone());
                // All of it lies within the call's life, the waits before included: a call that outlives it is nobody's.
                let dies = began.plus_ms(side.config.call_life_ms.saturating_sub(side.config.request_timeout_ms));
                let lands_in = self.world.chance(|rng| rng.below(dies.ms_since(world.now()).max(1)));
                self.world.spawn(async move {
                    world.sleep(lands_in).await;
                    while lock(&app).locked.contains(&call.record.key) {
                        if world.now() >= dies {
                            return;
                        }
                        world.sleep(100).await;
                    }
                    let _ = lock(&app).apply(&call, condition, capability, world.now(), world.bug());
                });
                Err(failed(ErrorClass::Timeout, CallEffect::Unknown, "simulated: no answer in time"))
            }
            None => {
                let version = lock(&app).apply(call, condition, capability, self.world.now(), self.world.bug())?;
                let etag = (call.image != Image::Absent).then(|| version.to_string());
                let stored = lock(&app).stored(&call.record.key);
                self.world.turn_at("Apps.write").await;
                Ok(Applied { etag, stored, unchanged: false })
            }
        }
    }
}
