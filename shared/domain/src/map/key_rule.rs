//! Which spellings of a key name the same record.

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Which spellings of a key name the same record. Apps on most SQL databases take `C-1a`, `C-1A` and `c-1a ` for one; told
/// apart, they would be changed out of order. The default tells all spellings apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyRule {
    /// Spaces at both ends do not count.
    #[serde(skip_serializing_if = "is_false")]
    pub trim: bool,
    /// Upper and lower case do not count; keys go to the apps in this case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case: Option<KeyCase>,
    /// A GUID counts the same in braces and in either case; it goes to the apps in lower case, without braces.
    #[serde(skip_serializing_if = "is_false")]
    pub guid: bool,
    /// Letters count the same whether an accent is a character of its own or not; they go to the apps composed (NFC).
    #[serde(skip_serializing_if = "is_false")]
    pub compose: bool,
}

/// The case in which keys go to the apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyCase {
    /// `C-1A`.
    Upper,
    /// `c-1a`.
    Lower,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl KeyRule {
    /// Whether it tells all spellings apart.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        *self == Self::default()
    }

    /// The one spelling of a key, or of a part of it, that stands for all of them.
    #[must_use]
    pub fn canonical_text(&self, text: &str) -> String {
        let mut text = if self.trim { text.trim() } else { text }.to_owned();
        if self.compose {
            text = text.nfc().collect();
        }
        if self.guid
            && let Some(guid) = guid(&text)
        {
            return guid;
        }
        let text = match self.case {
            Some(KeyCase::Upper) => text.to_uppercase(),
            Some(KeyCase::Lower) => text.to_lowercase(),
            None => return text,
        };
        // Some letters can be composed only in the other case: `ſ` with an accent cannot, `S` can.
        if self.compose { text.nfc().collect() } else { text }
    }
}

/// A GUID in its usual form, if the text is one.
pub(super) fn guid(text: &str) -> Option<String> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let groups: Vec<_> = bare.split('-').collect();
    let lengths = groups.iter().map(|group| group.len());
    let is_guid = lengths.eq([8, 4, 4, 4, 12]) && bare.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    is_guid.then(|| bare.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::map::MapConfig;

    fn canonical(rule: Value, key: &str) -> Result<String, String> {
        let map = MapConfig { key_rule: serde_json::from_value(rule).unwrap(), ..crate::mapping::tests::customers() };
        map.canonical_key(&key.parse().unwrap()).map(String::from)
    }

    #[test]
    fn spellings_of_one_record_have_one_canonical_key() {
        let guid = "0f8fad5b-d9cb-469f-a165-70867728950e";
        let braces = format!("{{{}}}", guid.to_uppercase());
        for (rule, spellings, wanted) in [
            (json!({"case": "upper"}), ["C-1a", "c-1A"], "C-1A"),
            (json!({"case": "lower"}), ["C-1a", "c-1A"], "c-1a"),
            (json!({"case": "lower"}), ["ÄÖ", "äö"], "äö"),
            (json!({"trim": true}), ["C-1 ", "\u{a0}C-1"], "C-1"),
            (json!({"trim": true, "case": "upper"}), [" c-1", "C-1"], "C-1"),
            (json!({"compose": true}), ["Ame\u{301}lie", "Am\u{e9}lie"], "Am\u{e9}lie"),
            (json!({"guid": true}), [guid, &braces], guid),
            (json!({"guid": true, "case": "upper"}), [&braces, guid], guid),
        ] {
            for spelling in spellings {
                assert_eq!(canonical(rule.clone(), spelling).as_deref(), Ok(wanted), "{rule}");
            }
        }
    }

    #[test]
    fn a_rule_changes_nothing_that_it_does_not_name() {
        for (rule, key) in [
            (json!({}), " C-1a "),
            (json!({"trim": true}), "C 1a"),
            (json!({"guid": true}), "C-1A"),
            (json!({"guid": true}), "{C-1A}"),
            (json!({"guid": true}), "0F8FAD5B-D9CB-469F-A165-70867728950Z"),
            (json!({"compose": true}), "Straße"),
        ] {
            assert_eq!(canonical(rule.clone(), key).as_deref(), Ok(key), "{rule}");
        }
        assert!(serde_json::from_value::<KeyRule>(json!({})).unwrap().is_exact());
        assert_eq!(serde_json::to_value(KeyRule::default()).unwrap(), json!({}));
    }

    #[test]
    fn a_rule_is_stored_with_its_map_unless_it_is_exact() {
        let mut map = crate::mapping::tests::customers();
        assert!(serde_json::to_value(&map).unwrap().get("key_rule").is_none());
        map.key_rule = KeyRule { trim: true, guid: true, ..KeyRule::default() };
        assert_eq!(serde_json::to_value(&map).unwrap()["key_rule"], json!({"trim": true, "guid": true}));
    }

    #[test]
    fn a_key_of_which_nothing_is_left_is_refused() {
        let says = canonical(json!({"trim": true}), "  ").unwrap_err();
        assert!(says.contains("key_rule"), "{says}");
    }
}
