//! Reads stored JSON.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads JSON text in two steps. serde buffers the fields of an enum that is tagged by one of them (`"kind"`), and finds no
/// number in that buffer when `serde_json` keeps numbers as their digits; in a [`Value`] it does.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_value(serde_json::from_str::<Value>(text)?)
}

#[cfg(test)]
mod tests {
    use domain::log::ActivityKind;

    use super::*;

    #[test]
    fn numbers_of_a_tagged_enum_are_read() {
        let stored = r#"{"kind": "state_changed", "from": "Running", "to": "Paused", "epoch": 4}"#;
        assert!(matches!(read::<ActivityKind>(stored), Ok(ActivityKind::StateChanged { epoch: 4, .. })));
    }
}
