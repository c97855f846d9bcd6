//! Remembers who was woken.

use std::sync::Mutex;

use app::ports::{LaneKey, PortError, WakeUps};
use domain::MapId;

/// Remembers who was woken.
#[derive(Default)]
pub(super) struct Woken(pub(super) Mutex<Vec<String>>);

impl WakeUps for Woken {
    async fn wake_lane(&self, lane: &LaneKey) -> Result<(), PortError> {
        self.0.lock().unwrap().push(format!("{}/{}", lane.map, lane.key));
        Ok(())
    }
    async fn wake_map(&self, map: &MapId) -> Result<(), PortError> {
        self.0.lock().unwrap().push(map.to_string());
        Ok(())
    }
}
