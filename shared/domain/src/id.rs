//! Names and ids, each checked where it enters.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    limits::{MAX_ID_SKEW_MS, MAX_KEY_BYTES, MAX_NAME_BYTES},
    time::Timestamp,
};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl TryFrom<String> for $name {
            type Error = String;
            fn try_from(text: String) -> Result<Self, String> {
                $check(&text).map(|()| Self(text))
            }
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::try_from(text.to_owned())
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// The name of a map, e.g. `customers`.
    MapId, check_name
}
text_id! {
    /// The name of a side (one of the two apps of a map), e.g. `finance`.
    SideId, check_name
}
text_id! {
    /// The name of an alert setting, e.g. `crm-refuses`.
    RuleId, check_name
}
text_id! {
    /// The name of a group of recipients, e.g. `on-call`.
    GroupId, check_name
}
text_id! {
    /// The integration key of a record, the same on both sides.
    RecordKey, check_key
}

impl RecordKey {
    /// Stands for the key of an item that cannot be read.
    #[must_use]
    pub fn unknown() -> Self {
        Self("?".to_owned())
    }
}

fn check_name(text: &str) -> Result<(), String> {
    let shape = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let first = text.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if shape && first && text.len() <= MAX_NAME_BYTES {
        Ok(())
    } else {
        Err(format!("must be 1 to {MAX_NAME_BYTES} characters of a-z, 0-9 and -, and not begin with -"))
    }
}

fn check_key(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if text.len() > MAX_KEY_BYTES {
        return Err(format!("has {} bytes; a record key has at most {MAX_KEY_BYTES}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err("must not contain control characters".to_owned());
    }
    Ok(())
}

/// The caller's id of one write: a ULID or a `UUIDv7`. Both begin with their time of birth, and that is how a late
/// duplicate is told from a new write once the lane has forgotten the answer it gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId {
    value: u128,
    uuid: bool,
}

impl WriteId {
    /// An id of Tandem's own making: a ULID.
    #[must_use]
    pub fn made(value: u128) -> Self {
        Self { value, uuid: false }
    }

    /// The 128 bits: what ids are compared by.
    #[must_use]
    pub fn value(self) -> u128 {
        self.value
    }

    /// When the caller made this id.
    #[must_use]
    pub fn born(self) -> Timestamp {
        Timestamp(u64::try_from(self.value >> 80).unwrap_or(u64::MAX))
    }

    /// Refuses an id from the future.
    ///
    /// # Errors
    /// The id's time lies more than [`MAX_ID_SKEW_MS`] ahead.
    pub fn check_age(self, now: Timestamp) -> Result<(), String> {
        if self.born() > now.plus_ms(MAX_ID_SKEW_MS) {
            return Err(format!("was made at {}, which is in the future: check the caller's clock", self.born()));
        }
        Ok(())
    }
}

impl FromStr for WriteId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        const WANTED: &str = "must be a ULID or a UUIDv7 (ids that carry their time)";
        if text.len() == 26 {
            // 26 characters hold 130 bits: a first character above 7 would be cut off silently.
            let fits = text.as_bytes().first().is_some_and(|first| *first <= b'7');
            let id = ulid::Ulid::from_string(text).ok().filter(|_| fits).ok_or_else(|| WANTED.to_owned())?;
            return Ok(Self { value: id.0, uuid: false });
        }
        let id = uuid::Uuid::try_parse(text).map_err(|_| WANTED.to_owned())?;
        if text.len() != 36 || id.get_version_num() != 7 {
            return Err(WANTED.to_owned());
        }
        Ok(Self { value: id.as_u128(), uuid: true })
    }
}

impl fmt::Display for WriteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.uuid {
            write!(f, "{}", uuid::Uuid::from_u128(self.value))
        } else {
            write!(f, "{}", ulid::Ulid(self.value))
        }
    }
}

impl Serialize for WriteId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WriteId {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

macro_rules! made_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", ulid::Ulid(self.0))
            }
        }
        impl FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                let id = ulid::Ulid::from_string(text).map_err(|_| "is not an id of Tandem's, 26 letters and digits")?;
                Ok(Self(id.0))
            }
        }
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                ulid::Ulid::from_string(&text).map(|id| Self(id.0)).map_err(serde::de::Error::custom)
            }
        }
    };
}

made_id! {
    /// Tandem's own id of an entry. It goes to the apps as `Idempotency-Key` and stays the same over all attempts.
    EntryId
}

impl EntryId {
    /// When it was made, if its first half is a time.
    #[must_use]
    pub fn at(self) -> Timestamp {
        Timestamp(ulid::Ulid(self.0).timestamp_ms())
    }
}

made_id! {
    /// Who holds a lease. New for every attempt, so that a slow attempt cannot pass for the one that replaced it.
    Owner
}
made_id! {
    /// Tells a map from an earlier one of the same name: a lane's memory must not outlive its map.
    MapUid
}
made_id! {
    /// The id of a line in a log: time first, so that the log is in order.
    LogId
}
made_id! {
    /// The id of an incident: time first.
    IncidentId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_id_is_a_ulid_or_a_uuid_of_version_7() {
        let ulid: WriteId = "01KAQ5Z3S8XYZABCDEFGHJKMNP".parse().unwrap();
        assert_eq!(ulid.to_string(), "01KAQ5Z3S8XYZABCDEFGHJKMNP");
        let uuid: WriteId = "019aae5f-8f28-7c3e-8f00-0123456789ab".parse().unwrap();
        assert_eq!(uuid.to_string(), "019aae5f-8f28-7c3e-8f00-0123456789ab");
        for wrong in [
            "",
            "x",
            "9f0c5a52-5b0e-4f0e-9a53-0123456789ab",
            "81KAQ5Z3S8XYZABCDEFGHJKMNP",
            "019aae5f8f287c3e8f000123456789ab",
        ] {
            assert!(wrong.parse::<WriteId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_entry_id_begins_with_its_time() {
        assert_eq!(EntryId((1_795_428_000_000 << 80) + 7).at(), Timestamp(1_795_428_000_000));
    }

    #[test]
    fn an_id_from_the_future_is_refused() {
        let id: WriteId = "01KAQ5Z3S8XYZABCDEFGHJKMNP".parse().unwrap();
        assert!(id.check_age(id.born().minus_ms(MAX_ID_SKEW_MS)).is_ok());
        assert!(id.check_age(id.born().minus_ms(MAX_ID_SKEW_MS + 1)).unwrap_err().contains("future"));
    }

    #[test]
    fn a_record_key_takes_any_text_but_control_characters() {
        for good in ["C-1", "a#b/c'd\"e", "Müller 北京", &"x".repeat(256)] {
            assert!(good.parse::<RecordKey>().is_ok(), "{good}");
        }
        for (wrong, says) in [("", "empty"), (&*"x".repeat(257), "257 bytes"), ("a\nb", "control"), ("a\0", "control")]
        {
            assert!(wrong.parse::<RecordKey>().unwrap_err().contains(says), "{wrong:?}");
        }
    }

    #[test]
    fn a_name_is_lower_case_and_short() {
        assert!("customers-2".parse::<MapId>().is_ok());
        for wrong in ["", "-a", "A", "a b", "a/b", "ä", &"x".repeat(64)] {
            assert!(wrong.parse::<MapId>().is_err(), "{wrong}");
        }
    }
}
made_id! {
    /// The id of a sync run: time first.
    SyncRunId
}
