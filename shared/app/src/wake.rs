//! Waking the drain for one lane.

use domain::lane::Head;

use crate::ports::{LaneKey, Ports, WakeUps};

/// Wakes the drain for a lane that has something to do now. If the call is lost, the sweep finds the lane.
pub(crate) async fn wake_if_due<P: Ports>(ports: &P, lane: &LaneKey, head: &Head) {
    let due = head.due().is_some_and(|due| due <= ports.now());
    if due && let Err(error) = ports.wakes().wake_lane(lane).await {
        tracing::warn!(map.id = %lane.map, %error, "could not wake the drain for a waiting lane; the next sweep finds it");
    }
}
