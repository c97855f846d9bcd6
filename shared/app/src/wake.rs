//! Waking the drain for one lane.

use domain::{lane::Head, limits::FIRST_BACKOFF_MS, side::Side};

use crate::ports::{Apps, LaneKey, Ports, SyncMap, WakeUps};

/// Calls in a row that may fail before Tandem takes it for an outage.
const BLIP_CALLS: u32 = 3;

/// Wakes the drain for a lane whose first attempt has just failed, so that the second one need not wait for
/// the next sweep. Does nothing once more than `BLIP_CALLS` calls in a row have failed: in an outage, each write would
/// wake a function.
pub(crate) async fn wake_for_second_attempt<P: Ports>(ports: &P, lane: &LaneKey, map: &SyncMap, head: &Head) {
    let (now, soon) = (ports.now(), ports.now().plus_ms(FIRST_BACKOFF_MS));
    let is_soon = head.due().is_some_and(|due| due > now && due <= soon);
    let is_outage =
        |side: &Side| ports.apps().health(&side.id).trouble.is_some_and(|trouble| trouble.calls > BLIP_CALLS);
    if is_soon && !map.sides.iter().any(is_outage) {
        wake(ports, lane).await;
    }
}

/// Wakes the drain for a lane that has something to do now. If the call is lost, the sweep finds the lane.
pub(crate) async fn wake_if_due<P: Ports>(ports: &P, lane: &LaneKey, head: &Head) {
    let due = head.due().is_some_and(|due| due <= ports.now());
    if due {
        wake(ports, lane).await;
    }
}

async fn wake<P: Ports>(ports: &P, lane: &LaneKey) {
    if let Err(error) = ports.wakes().wake_lane(lane).await {
        tracing::warn!(map.id = %lane.map, %error, "could not wake the drain for a waiting lane; the next sweep finds it");
    }
}
