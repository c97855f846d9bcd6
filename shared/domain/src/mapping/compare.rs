//! When two values of a field count as equal: apps tidy what they store, and report that as a change.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::{record::number, time::Timestamp};

/// The comparison rules of a field. They decide what is an echo, what is a conflict, and whether there is anything to do. What
/// is written is never altered by them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Compare {
    /// A text without a character equals no value at all.
    pub blank_is_null: bool,
    /// Blanks at both ends of a text do not count.
    pub trim: bool,
    /// Capital letters equal small ones.
    pub ignore_case: bool,
    /// Numbers are rounded to so many decimals. A text that is a number counts as that number: apps that take exact numbers as
    /// text answer `1.50` for `1.5`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// Times are cut to seconds.
    pub seconds: bool,
}

impl Default for Compare {
    /// F&O has no null text, and other apps store no empty one: most cannot tell the two apart.
    fn default() -> Self {
        Self { blank_is_null: true, trim: false, ignore_case: false, decimals: None, seconds: false }
    }
}

impl Compare {
    /// Whether it is the default.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The value in the form in which equal ones are alike.
    #[must_use]
    pub fn normalize(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.normalize_text(text),
            Value::Number(number) => Value::Number(self.round(&number).unwrap_or(number)),
            other => other,
        }
    }

    fn round(&self, number: &Number) -> Option<Number> {
        self.decimals.and_then(|decimals| number::rounded(number, decimals))
    }

    fn normalize_text(&self, mut text: String) -> Value {
        if self.trim {
            text = text.trim().to_owned();
        }
        if let Some(rounded) = number::from_text(&text).and_then(|number| self.round(&number)) {
            return Value::Number(rounded);
        }
        if self.seconds
            && let Ok(at) = Timestamp::parse(&text)
        {
            text = Timestamp(at.0 / 1_000 * 1_000).to_string();
        }
        if self.ignore_case {
            text = text.to_lowercase();
        }
        if text.is_empty() && self.blank_is_null { Value::Null } else { Value::String(text) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::record::ContentHash;

    fn equal(compare: &Compare, one: Value, other: Value) -> bool {
        // By the fingerprint: 10 and 10.00 are the same number.
        ContentHash::of_value(&compare.normalize(one)) == ContentHash::of_value(&compare.normalize(other))
    }

    #[test]
    fn blank_text_equals_no_value_unless_the_field_says_otherwise() {
        assert!(equal(&Compare::default(), json!(""), json!(null)));
        assert!(!equal(&Compare { blank_is_null: false, ..Compare::default() }, json!(""), json!(null)));
        assert!(!equal(&Compare::default(), json!(" "), json!(null)));
        assert!(equal(&Compare { trim: true, ..Compare::default() }, json!(" "), json!(null)));
    }

    #[test]
    fn a_time_is_cut_to_its_second() {
        let rule = Compare { seconds: true, ..Compare::default() };
        assert_eq!(rule.normalize(json!("2026-11-24T10:00:00.987Z")), json!("2026-11-24T10:00:00Z"));
    }

    #[test]
    fn only_a_rule_that_differs_from_the_default_is_stored() {
        assert!(Compare::default().is_default());
        assert!(!Compare { trim: true, ..Compare::default() }.is_default());
    }

    #[test]
    fn each_rule_levels_what_it_names_and_nothing_else() {
        let exact = Compare::default();
        let rules = [
            (Compare { trim: true, ..exact.clone() }, json!(" Ada\t"), json!("Ada"), json!("A da")),
            (Compare { ignore_case: true, ..exact.clone() }, json!("ÄDA"), json!("äda"), json!("ada")),
            (Compare { decimals: Some(2), ..exact.clone() }, json!(10.004), json!(10), json!(10.01)),
            (Compare { decimals: Some(2), ..exact.clone() }, json!("10.0040"), json!("10"), json!("10.01")),
            (Compare { decimals: Some(2), ..exact.clone() }, json!("10.00"), json!(10), json!("ten")),
            (
                Compare { seconds: true, ..exact.clone() },
                json!("2026-11-24T10:00:00.987Z"),
                json!("2026-11-24T11:00:00+01:00"),
                json!("2026-11-24T10:00:01Z"),
            ),
        ];
        for (rule, one, alike, other) in rules {
            assert!(equal(&rule, one.clone(), alike.clone()), "{rule:?}");
            assert!(!equal(&rule, one.clone(), other), "{rule:?}");
            assert!(!equal(&exact, one, alike), "{rule:?}");
        }
    }
}
