//! The outbox: what is to be logged stands in the very item whose change makes it true, until its next change. The
//! table's stream brings it to `log-ingest`, through a filter that lets nothing else pass.

use app::ports::PortError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::log::LogEvent;

use crate::json;

/// The attribute. The filter of the event source mapping names it.
pub(crate) const OUTBOX: &str = "outbox";

/// Events as the attribute has them: JSON text, so that the filter can ask for a text.
pub(crate) fn attribute(events: &[LogEvent]) -> Result<Option<AttributeValue>, PortError> {
    if events.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_string(events).map_err(|error| PortError::Permanent(error.to_string()))?;
    Ok(Some(AttributeValue::S(json)))
}

/// Reads the attribute as a stream's record has it.
///
/// # Errors
/// Says what is wrong with it; never a value.
pub fn read(text: &str) -> Result<Vec<LogEvent>, String> {
    json::read(text).map_err(|error| format!("the outbox cannot be read: {error}"))
}
