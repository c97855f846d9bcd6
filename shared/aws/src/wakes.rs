//! Wake-up calls over EventBridge. Others may listen too.

use app::ports::{LaneKey, PortError, WakeUps};
use aws_sdk_eventbridge::{Client, error::DisplayErrorContext, types::PutEventsRequestEntry};
use domain::MapId;

/// The event that wakes `resume-drain`; its rule in the template names both.
pub const SOURCE: &str = "tandem.write";
/// See [`SOURCE`].
pub const LANE_WAITING: &str = "Lane Waiting";

/// The event that has `resume-drain` replay a map's backlog.
pub const MAP_SOURCE: &str = "tandem.map";
/// See [`MAP_SOURCE`].
pub const MAP_WAITING: &str = "Map Waiting";

/// Wake-up calls over EventBridge.
#[derive(Clone, Debug)]
pub struct EventBridgeWakeUps {
    events: Client,
    bus: String,
}

impl EventBridgeWakeUps {
    /// Wake-up calls over this bus.
    #[must_use]
    pub fn new(events: Client, bus: &str) -> Self {
        Self { events, bus: bus.to_owned() }
    }
}

impl WakeUps for EventBridgeWakeUps {
    async fn wake_lane(&self, lane: &LaneKey) -> Result<(), PortError> {
        self.put(SOURCE, LANE_WAITING, &serde_json::json!({ "map": lane.map, "key": lane.key })).await
    }

    async fn wake_map(&self, map: &MapId) -> Result<(), PortError> {
        self.put(MAP_SOURCE, MAP_WAITING, &serde_json::json!({ "map": map })).await
    }
}

impl EventBridgeWakeUps {
    async fn put(&self, source: &str, kind: &str, detail: &serde_json::Value) -> Result<(), PortError> {
        let event = PutEventsRequestEntry::builder().event_bus_name(&self.bus).source(source).detail_type(kind);
        let sent = self.events.put_events().entries(event.detail(detail.to_string()).build()).send().await;
        let sent = sent.map_err(|error| PortError::Transient(DisplayErrorContext(error).to_string()))?;
        match sent.entries().iter().find_map(|entry| entry.error_code()) {
            Some(code) => Err(PortError::Transient(format!("EventBridge refused the event: {code}"))),
            None => Ok(()),
        }
    }
}
