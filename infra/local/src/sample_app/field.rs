//! One property of a record: its type, and the business rules a value must meet.

use jiff::Timestamp;
use serde_json::{Number, Value};

use super::contacts;

/// The date that stands for "no date" in Finance & Operations.
pub(super) const NO_DATE: &str = "1900-01-01T00:00:00Z";

/// A property other than the key.
#[derive(Debug)]
pub(super) struct Field {
    /// Its name in the data API.
    pub(super) name: &'static str,
    /// Its name on the page.
    pub(super) label: &'static str,
    /// Its type.
    pub(super) kind: Kind,
}

/// The type of a property, and its rule.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Text that must be there.
    Name {
        /// Longest text, in characters.
        max_chars: usize,
    },
    /// Text that may be missing.
    Note {
        /// Longest text, in characters.
        max_chars: usize,
        /// The text that stands for none, or `None` for null: Finance & Operations has no null text, and Dataverse no
        /// blank one.
        nothing: Option<&'static str>,
    },
    /// A decimal number, not negative.
    Amount {
        /// Highest amount that the app takes.
        max: Option<u32>,
    },
    /// One of these texts; the first is the default.
    Choice(&'static [&'static str]),
    /// The number of one of these options; the first is the default.
    Options(&'static [(i64, &'static str)]),
    /// Yes or no as a boolean.
    Flag,
    /// A point in time that may be missing.
    Moment {
        /// The date that stands for none, or `None` for null.
        nothing: Option<&'static str>,
    },
    /// The GUID of a contact, or null.
    Contact,
}

/// Why the app refuses a value or a record, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The app's code. It never changes.
    pub(super) code: &'static str,
    /// The property that it is about, if any.
    pub(super) target: Option<String>,
    /// The message for a person.
    pub(super) message: String,
}

impl Refusal {
    /// A refusal about one property.
    pub(super) fn of(code: &'static str, target: &str, message: String) -> Self {
        Self { code, target: Some(target.to_owned()), message }
    }
}

impl Field {
    /// The value that a new record gets when the change names none. A required field has no default.
    pub(super) fn default(&self) -> Option<Value> {
        match self.kind {
            Kind::Name { .. } => None,
            Kind::Note { nothing, .. } | Kind::Moment { nothing } => Some(nothing.map_or(Value::Null, Value::from)),
            Kind::Amount { .. } => Some(Value::from(0)),
            Kind::Choice(choices) => choices.first().map(|first| Value::from(*first)),
            Kind::Options(options) => options.first().map(|(first, _)| Value::from(*first)),
            Kind::Flag => Some(Value::Bool(false)),
            Kind::Contact => Some(Value::Null),
        }
    }

    /// The form in which the app stores a value that it accepts.
    pub(super) fn stored(&self, value: &Value) -> Value {
        match (self.kind, value) {
            (Kind::Note { nothing, .. }, Value::Null) => nothing.map_or(Value::Null, Value::from),
            (Kind::Note { nothing, .. }, Value::String(text)) if text.is_empty() => {
                nothing.map_or(Value::Null, Value::from)
            }
            (Kind::Moment { nothing }, Value::Null) => nothing.map_or(Value::Null, Value::from),
            (Kind::Moment { .. }, Value::String(text)) => {
                moment(text).map_or_else(|| value.clone(), |at| at.to_string().into())
            }
            _ => value.clone(),
        }
    }

    /// The value without blanks at its ends and without fractions of a second, as an app that tidies stores it.
    pub(super) fn tidied(&self, value: &Value) -> Value {
        match (self.kind, value) {
            (Kind::Name { .. } | Kind::Note { .. }, Value::String(text)) => self.stored(&text.trim().into()),
            (Kind::Moment { .. }, Value::String(text)) => {
                let second = moment(text).and_then(|at| Timestamp::from_second(at.as_second()).ok());
                second.map_or_else(|| value.clone(), |at| at.to_string().into())
            }
            _ => value.clone(),
        }
    }

    /// Fails if the app does not accept this value.
    pub(super) fn check(&self, value: &Value) -> Result<(), Refusal> {
        match (self.kind, value) {
            (Kind::Name { max_chars }, Value::String(text)) if !text.trim().is_empty() => self.fits(text, max_chars),
            (Kind::Name { .. }, Value::String(_) | Value::Null) => {
                Err(self.refused("FieldRequired", format!("{} must not be empty", self.label)))
            }
            (Kind::Note { .. } | Kind::Moment { .. } | Kind::Contact, Value::Null) | (Kind::Flag, Value::Bool(_)) => {
                Ok(())
            }
            (Kind::Note { max_chars, .. }, Value::String(text)) => self.fits(text, max_chars),
            (Kind::Amount { max }, Value::Number(number)) => self.in_range(number, max),
            (Kind::Choice(choices), Value::String(text)) => match choices.contains(&text.as_str()) {
                true => Ok(()),
                false => {
                    Err(self.refused("InvalidChoice", format!("{} must be one of {}", self.label, choices.join(", "))))
                }
            },
            (Kind::Options(options), Value::Number(number)) => {
                match options.iter().any(|(known, _)| number.as_i64() == Some(*known)) {
                    true => Ok(()),
                    false => Err(self.refused("InvalidChoice", format!("{number} is no option of {}", self.label))),
                }
            }
            (Kind::Moment { .. }, Value::String(text)) if moment(text).is_some() => Ok(()),
            (Kind::Contact, Value::String(id)) => match contacts::by_id(id) {
                Some(_) => Ok(()),
                None => Err(self.refused("ContactNotFound", format!("Contact With Id = {id} Does Not Exist"))),
            },
            _ => Err(self.refused("WrongType", format!("{} must be {}", self.label, self.expects()))),
        }
    }

    fn fits(&self, text: &str, max_chars: usize) -> Result<(), Refusal> {
        match text.chars().count() <= max_chars {
            true => Ok(()),
            false => {
                Err(self
                    .refused("ValueTooLong", format!("{} must not be longer than {max_chars} characters", self.label)))
            }
        }
    }

    fn in_range(&self, number: &Number, max: Option<u32>) -> Result<(), Refusal> {
        let amount = number.as_f64().unwrap_or(f64::INFINITY);
        match max {
            _ if amount < 0.0 => Err(self.refused("ValueOutOfRange", format!("{} must not be negative", self.label))),
            Some(max) if amount > f64::from(max) => {
                Err(self.refused("CreditLimitExceeded", format!("{} above {}", self.label, thousands(max))))
            }
            _ => Ok(()),
        }
    }

    fn refused(&self, code: &'static str, message: String) -> Refusal {
        Refusal::of(code, self.name, message)
    }

    fn expects(&self) -> &'static str {
        match self.kind {
            Kind::Name { .. } => "text",
            Kind::Note { .. } => "text or null",
            Kind::Amount { .. } => "a number",
            Kind::Choice(_) => "text, one of a list",
            Kind::Options(_) => "the number of an option",
            Kind::Flag => "true or false",
            Kind::Moment { .. } => "a time like 2026-12-31T12:00:00Z or null",
            Kind::Contact => "the id of a contact or null",
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// Formats a number for people: `1,000,000`.
fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nothing_is_stored_as_the_app_has_it() {
        let field = |kind| Field { name: "a", label: "A", kind };
        let blank = field(Kind::Note { max_chars: 9, nothing: Some("") });
        let null = field(Kind::Note { max_chars: 9, nothing: None });
        let date = field(Kind::Moment { nothing: Some(NO_DATE) });
        for (field, value, stored) in [
            (&blank, json!(null), json!("")),
            (&null, json!(""), json!(null)),
            (&null, json!(" "), json!(" ")),
            (&date, json!(null), json!(NO_DATE)),
            (&date, json!("2026-12-31T13:00:00.50+01:00"), json!("2026-12-31T12:00:00.5Z")),
        ] {
            assert_eq!(field.stored(&value), stored, "{value}");
        }
    }

    #[test]
    fn what_is_tidied_has_no_blanks_at_its_ends_and_no_fractions_of_a_second() {
        let field = |kind| Field { name: "a", label: "A", kind };
        let note = field(Kind::Note { max_chars: 9, nothing: None });
        assert_eq!((note.tidied(&json!(" a b ")), note.tidied(&json!("  "))), (json!("a b"), json!(null)));
        let moment = field(Kind::Moment { nothing: None });
        assert_eq!(moment.tidied(&json!("2026-12-31T12:00:00.987Z")), json!("2026-12-31T12:00:00Z"));
        assert_eq!(field(Kind::Choice(&[" x"])).tidied(&json!(" x")), json!(" x"));
    }

    #[test]
    fn thousands_are_grouped_from_the_right() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(12_345), "12,345");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }
}
