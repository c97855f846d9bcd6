//! Where a list goes on.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::MAX_CURSOR_BYTES;

/// Where a list goes on. Only the connector that made it knows what it means; it may be stored, sent, and used by another
/// process. It may hold what an app put into its link: treat it as data of the app, not as a secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor(String);

impl Cursor {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Cursor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.len() {
            0 => Err("must not be empty".to_owned()),
            1..=MAX_CURSOR_BYTES if !text.contains(char::is_control) => Ok(Self(text)),
            1..=MAX_CURSOR_BYTES => Err("must not contain control characters".to_owned()),
            long => Err(format!("has {long} bytes; a cursor has at most {MAX_CURSOR_BYTES}")),
        }
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> String {
        cursor.0
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_a_bounded_text_and_is_read_back_as_it_was_stored() {
        let cursor = Cursor::try_from("link:accounts?$skiptoken=ü".to_owned()).unwrap();
        let stored = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<Cursor>(&stored).unwrap(), cursor);
        assert!(Cursor::try_from("x".repeat(MAX_CURSOR_BYTES)).is_ok());
        for wrong in [String::new(), "a\nb".to_owned(), "x".repeat(MAX_CURSOR_BYTES + 1)] {
            assert!(Cursor::try_from(wrong).is_err());
        }
        assert!(serde_json::from_str::<Cursor>("\"\"").is_err());
    }
}
