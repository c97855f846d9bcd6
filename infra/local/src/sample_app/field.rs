//! One property of a record: its type, and the business rules a value must meet.

use serde_json::{Number, Value};

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
    },
    /// A decimal number, not negative.
    Amount {
        /// Highest amount that the app takes.
        max: Option<u32>,
    },
    /// One of these texts; the first is the default.
    Choice(&'static [&'static str]),
    /// Yes or no as a boolean.
    Flag,
}

/// Why a value or a record is refused, in the app's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The app's code, stable.
    pub(super) code: &'static str,
    /// The property, when it is about one.
    pub(super) target: Option<String>,
    /// What to tell a person.
    pub(super) message: String,
}

impl Refusal {
    /// A refusal about one property.
    pub(super) fn of(code: &'static str, target: &str, message: String) -> Self {
        Self { code, target: Some(target.to_owned()), message }
    }
}

impl Field {
    /// The value a new record gets when none is given; a required field has none.
    pub(super) fn default(&self) -> Option<Value> {
        match self.kind {
            Kind::Name { .. } => None,
            Kind::Note { .. } => Some(Value::Null),
            Kind::Amount { .. } => Some(Value::from(0)),
            Kind::Choice(choices) => choices.first().map(|first| Value::from(*first)),
            Kind::Flag => Some(Value::Bool(false)),
        }
    }

    /// Says whether the app takes this value.
    pub(super) fn check(&self, value: &Value) -> Result<(), Refusal> {
        match (self.kind, value) {
            (Kind::Name { max_chars }, Value::String(text)) if !text.trim().is_empty() => self.fits(text, max_chars),
            (Kind::Name { .. }, Value::String(_) | Value::Null) => {
                Err(self.refused("FieldRequired", format!("{} must not be empty", self.label)))
            }
            (Kind::Note { .. }, Value::Null) | (Kind::Flag, Value::Bool(_)) => Ok(()),
            (Kind::Note { max_chars }, Value::String(text)) => self.fits(text, max_chars),
            (Kind::Amount { max }, Value::Number(number)) => self.in_range(number, max),
            (Kind::Choice(choices), Value::String(text)) => match choices.contains(&text.as_str()) {
                true => Ok(()),
                false => {
                    Err(self.refused("InvalidChoice", format!("{} must be one of {}", self.label, choices.join(", "))))
                }
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
            Kind::Flag => "true or false",
        }
    }
}

/// `1000000` as people write it: `1,000,000`.
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
    use super::*;

    #[test]
    fn thousands_are_grouped_from_the_right() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(12_345), "12,345");
        assert_eq!(thousands(1_000_000), "1,000,000");
    }
}
