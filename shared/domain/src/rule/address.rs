//! Who is told.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::MAX_RECIPIENTS;
use crate::{id::GroupId, side::Mistake, time::Timestamp};

/// An e-mail address: `name@host`, of characters that mean nothing in a mail header. Stricter than RFC 5321 on purpose:
/// no quotes, comments, blanks or line breaks, and no letters beyond ASCII, which SES does not take before the `@`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

impl Address {
    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as it may stand in a log: its first letter and its host.
    #[must_use]
    pub fn masked(&self) -> String {
        let (name, host) = self.0.split_once('@').unwrap_or(("", &self.0));
        format!("{}…@{host}", name.chars().next().unwrap_or_default())
    }
}

impl TryFrom<String> for Address {
    type Error = String;
    /// Hosts are told apart by their letters alone, so they are kept in lower case: one address is not told twice.
    fn try_from(text: String) -> Result<Self, String> {
        let wrong =
            || "must be an e-mail address like kim@example.com, of ASCII letters, digits and .!#$%&'*+/=?^_{|}~-";
        let (name, host) = text.rsplit_once('@').ok_or_else(wrong)?;
        let letter = |b: u8| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_{|}~-".contains(&b);
        let name_fits = (1..=64).contains(&name.len()) && name.bytes().all(letter);
        let dots_fit = !name.starts_with('.') && !name.ends_with('.') && !name.contains("..");
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let host_fits = host.len() <= 253 && host.split('.').all(label) && host.contains('.');
        if name_fits && dots_fit && host_fits {
            Ok(Self(format!("{name}@{}", host.to_ascii_lowercase())))
        } else {
            Err(wrong().to_owned())
        }
    }
}

impl FromStr for Address {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// People who are told together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub id: GroupId,
    /// Their addresses.
    pub members: BTreeSet<Address>,
    /// Counts changes; an update must name the version it read.
    pub version: u64,
    /// Who changed it last.
    pub actor: String,
    /// When.
    pub changed_at: Timestamp,
}

impl Group {
    /// What is wrong with its members.
    #[must_use]
    pub fn mistakes(members: &BTreeSet<Address>) -> Vec<Mistake> {
        let message = match members.len() {
            0 => "must name somebody".to_owned(),
            many if many > MAX_RECIPIENTS => format!("has {many} addresses; a group has at most {MAX_RECIPIENTS}"),
            _ => return Vec::new(),
        };
        vec![Mistake { field: "members".to_owned(), message }]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_is_plain_or_refused() {
        for good in ["kim@example.com", "a.b+c@mail.example.co", "o'neil@x-y.example"] {
            assert_eq!(good.parse::<Address>().unwrap().as_str(), good);
        }
        assert_eq!("Kim@EXAMPLE.com".parse::<Address>(), "Kim@example.com".parse());
        for wrong in [
            "",
            "kim",
            "kim@",
            "@example.com",
            "kim@localhost",
            "a@b@c.d e",
            "kim@example.com\r\nBcc: x@y.z",
            "\"k m\"@example.com",
            "kim@example..com",
            ".kim@example.com",
            "kim@-x.com",
            "Kim <kim@example.com>",
            "kim@exämple.com",
            "kim@example.com,alex@example.com",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn each_part_of_an_address_has_its_length() {
        let parsed = |text: &str| text.parse::<Address>().is_ok();
        let address = |name: usize, label: usize| format!("{}@{}.example", "n".repeat(name), "h".repeat(label));
        assert!(parsed(&address(64, 63)) && !parsed(&address(65, 63)) && !parsed(&address(64, 64)));
        let host = |labels: usize| format!("n@{}{}", "a.".repeat(labels), "b".repeat(253 - 2 * labels));
        assert!(parsed(&host(100)) && !parsed(&format!("{}b", host(100))));
        for wrong in ["k..m@x.y", "kim.@x.y", "kim@x-.y", "kim@.x.y", "kim@x.y."] {
            assert!(!parsed(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_shown_and_stored_as_it_is() {
        let address: Address = "kim@example.com".parse().unwrap();
        assert_eq!(address.to_string(), "kim@example.com");
        assert_eq!(serde_json::to_value(&address).unwrap(), "kim@example.com");
    }

    #[test]
    fn a_group_has_one_to_fifty_members() {
        let of = |count: usize| (0..count).map(|n| format!("p{n}@example.com").parse().unwrap()).collect();
        let mistakes = |count| Group::mistakes(&of(count)).len();
        assert_eq!([0, 1, MAX_RECIPIENTS, MAX_RECIPIENTS + 1].map(mistakes), [1, 0, 0, 1]);
        assert!(Group::mistakes(&of(51))[0].message.contains("51 addresses"));
    }

    #[test]
    fn a_log_has_no_whole_address() {
        assert_eq!("kim@example.com".parse::<Address>().unwrap().masked(), "k…@example.com");
    }

    proptest! {
        #[test]
        fn no_address_has_what_a_header_gives_a_meaning(text in "\\PC{0,40}@\\PC{0,40}") {
            if let Ok(address) = text.parse::<Address>() {
                prop_assert!(!address.as_str().contains(|c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\".contains(c)));
            }
        }
    }
}
