//! The version of an entry, as the apps are told it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Grows with every entry of a record. A head that is made anew begins a new generation, so that a version is never
/// given twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneVersion {
    /// When the head was made, in milliseconds since 1970.
    pub generation: u64,
    /// The entry's place in the lane.
    pub seq: u64,
}

impl fmt::Display for LaneVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.generation, self.seq)
    }
}

impl FromStr for LaneVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| part.parse().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
        text.split_once('.')
            .and_then(|(generation, seq)| Some(Self { generation: number(generation)?, seq: number(seq)? }))
            .ok_or_else(|| "must be a version that Tandem sent, like 1795428000000.7".to_owned())
    }
}

impl Serialize for LaneVersion {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LaneVersion {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_they_are_printed_and_ordered_by_generation_first() {
        let version = LaneVersion { generation: 2, seq: 9 };
        assert_eq!(version.to_string().parse(), Ok(version));
        assert!(version < LaneVersion { generation: 3, seq: 1 });
        for wrong in ["", "1", "1.", ".1", "1.2.3", "+1.2", "a.b"] {
            assert!(wrong.parse::<LaneVersion>().is_err(), "{wrong}");
        }
    }
}
