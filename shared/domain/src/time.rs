//! Points in time, as numbers: the clock itself is a port.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// The largest time that DynamoDB's numbers and JavaScript's both hold exactly: "never".
    pub const NEVER: Self = Self(9_007_199_254_740_991);

    /// This time plus some milliseconds.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms).min(Self::NEVER.0))
    }

    /// This time minus some milliseconds, not before 1970.
    #[must_use]
    pub fn minus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_sub(ms))
    }

    /// Milliseconds from `earlier` to this time, 0 if it lies after it.
    #[must_use]
    pub fn ms_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads RFC 3339, e.g. `2026-11-23T10:00:00Z`.
    ///
    /// # Errors
    /// The text is not RFC 3339, or lies before 1970.
    pub fn parse(text: &str) -> Result<Self, String> {
        let at: jiff::Timestamp =
            text.parse().map_err(|_| format!("`{text}` is not a time after RFC 3339, e.g. 2026-11-23T10:00:00Z"))?;
        u64::try_from(at.as_millisecond()).map(Self).map_err(|_| format!("`{text}` lies before 1970"))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok()) {
            Some(at) => write!(f, "{at}"),
            None => write!(f, "{} ms", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_printed_as_rfc_3339() {
        let at = Timestamp::parse("2026-11-23T10:00:00.250Z").unwrap();
        assert_eq!(at.to_string(), "2026-11-23T10:00:00.25Z");
        assert_eq!(Timestamp::parse("2026-11-23T11:00:00.250+01:00").unwrap(), at);
        assert_eq!((at.minus_ms(250).plus_ms(250), Timestamp(5).minus_ms(6)), (at, Timestamp(0)));
        assert!(Timestamp::parse("yesterday").unwrap_err().contains("RFC 3339"));
        assert!(Timestamp::parse("1969-01-01T00:00:00Z").unwrap_err().contains("1970"));
    }
}
