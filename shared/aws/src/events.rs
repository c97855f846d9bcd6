//! Events for other programs, over EventBridge.

use app::ports::{Event, Events, PortError};
use aws_sdk_eventbridge::{Client, error::DisplayErrorContext, types::PutEventsRequestEntry};

/// Most events of one request.
const AT_ONCE: usize = 10;

/// Events over EventBridge.
#[derive(Clone, Debug)]
pub struct EventBridgeEvents {
    events: Client,
    bus: String,
}

impl EventBridgeEvents {
    /// Events over this bus.
    #[must_use]
    pub fn new(events: Client, bus: &str) -> Self {
        Self { events, bus: bus.to_owned() }
    }
}

impl Events for EventBridgeEvents {
    async fn publish(&self, events: &[Event]) -> Result<(), PortError> {
        for some in events.chunks(AT_ONCE) {
            let entries = some.iter().map(|event| {
                PutEventsRequestEntry::builder()
                    .event_bus_name(&self.bus)
                    .source(event.source)
                    .detail_type(event.kind)
                    .detail(event.detail.to_string())
                    .build()
            });
            let sent = self.events.put_events().set_entries(Some(entries.collect())).send().await;
            let sent = sent.map_err(|error| PortError::Transient(DisplayErrorContext(error).to_string()))?;
            if let Some(code) = sent.entries().iter().find_map(|entry| entry.error_code()) {
                return Err(PortError::Transient(format!("EventBridge refused an event: {code}")));
            }
        }
        Ok(())
    }
}
