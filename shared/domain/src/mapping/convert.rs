//! Types of fields, and the one form a value of each takes.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use crate::record::canonical_number;

/// The type of a field on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text. Numbers and booleans become their text.
    Text,
    /// A whole number.
    Integer,
    /// A number. Text like `10.50` is read.
    Decimal,
    /// `true` or `false`. The texts `true`, `false`, and the numbers 1 and 0 are read.
    Boolean,
    /// A calendar date, `2026-11-23`. The date of a time in UTC is taken.
    Date,
    /// A time after RFC 3339, in UTC.
    Datetime,
}

/// The value in the one form its type has. Null stays null.
pub(super) fn canonical(kind: FieldType, value: &Value) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match kind {
        FieldType::Text => text(value),
        FieldType::Integer => integer(value).ok_or("is not a whole number"),
        FieldType::Decimal => decimal(value).ok_or("is not a decimal number"),
        FieldType::Boolean => boolean(value).ok_or("is not a boolean"),
        FieldType::Date => date(value).ok_or("is not a date like 2026-11-23"),
        FieldType::Datetime => datetime(value).ok_or("is not a time after RFC 3339"),
    }
    .map_err(str::to_owned)
}

fn text(value: &Value) -> Result<Value, &'static str> {
    match value {
        Value::String(_) => Ok(value.clone()),
        Value::Bool(b) => Ok(Value::String(b.to_string())),
        Value::Number(number) => Ok(Value::String(canonical_number(number))),
        Value::Null | Value::Array(_) | Value::Object(_) => Err("is not a text"),
    }
}

fn integer(value: &Value) -> Option<Value> {
    match value {
        Value::Number(n) if n.is_i64() || n.is_u64() => Some(value.clone()),
        Value::Number(n) => canonical_number(n).parse::<i64>().ok().map(Value::from),
        Value::String(s) => s.trim().parse::<i64>().ok().map(Value::from),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn decimal(value: &Value) -> Option<Value> {
    let number = match value {
        Value::Number(number) => number.clone(),
        Value::String(s) => {
            let s = s.trim();
            match s.parse::<i64>() {
                Ok(int) => int.into(),
                Err(_) if s.contains(|c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E')) => return None,
                Err(_) => Number::from_f64(s.parse().ok()?)?,
            }
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let whole = canonical_number(&number).parse::<i64>().ok();
    Some(whole.map_or(Value::Number(number), Value::from))
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::Number(n) if n.as_u64() == Some(1) => Some(Value::Bool(true)),
        Value::Number(n) if n.as_u64() == Some(0) => Some(Value::Bool(false)),
        Value::String(s) if s.eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Value::String(s) if s.eq_ignore_ascii_case("false") => Some(Value::Bool(false)),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn date(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(Value::String(at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()));
    }
    text.parse::<jiff::civil::Date>().ok().filter(|_| text.len() == 10).map(|date| Value::String(date.to_string()))
}

fn datetime(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    text.parse::<jiff::Timestamp>().ok().map(|at| Value::String(at.to_string()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_reads_what_it_can_and_has_one_form() {
        use FieldType::{Boolean, Date, Datetime, Decimal, Integer, Text};
        for (kind, from, to) in [
            (Text, json!("a"), Some(json!("a"))),
            (Text, json!(12), Some(json!("12"))),
            (Text, json!(12.50), Some(json!("12.5"))),
            (Text, json!(true), Some(json!("true"))),
            (Text, json!([1]), None),
            (Integer, json!(7), Some(json!(7))),
            (Integer, json!(7.0), Some(json!(7))),
            (Integer, json!("7"), Some(json!(7))),
            (Integer, json!(7.5), None),
            (Integer, json!("x"), None),
            (Decimal, json!("10.50"), Some(json!(10.5))),
            (Decimal, json!(10.0), Some(json!(10))),
            (Decimal, json!("NaN"), None),
            (Decimal, json!("inf"), None),
            (Decimal, json!("1e3"), Some(json!(1000))),
            (Decimal, json!(true), None),
            (Boolean, json!("TRUE"), Some(json!(true))),
            (Boolean, json!(0), Some(json!(false))),
            (Boolean, json!(2), None),
            (Boolean, json!("yes"), None),
            (Date, json!("2026-11-23"), Some(json!("2026-11-23"))),
            (Date, json!("2026-11-23T23:30:00-02:00"), Some(json!("2026-11-24"))),
            (Date, json!("23.11.2026"), None),
            (Datetime, json!("2026-11-23T11:00:00+01:00"), Some(json!("2026-11-23T10:00:00Z"))),
            (Datetime, json!("2026-11-23"), None),
        ] {
            assert_eq!(canonical(kind, &from).ok(), to, "{kind:?} {from}");
        }
        assert_eq!(canonical(Integer, &Value::Null), Ok(Value::Null));
    }
}
