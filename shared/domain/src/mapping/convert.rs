//! Types of fields, and the one form a value of each takes.

use jiff::{SignedDuration, civil};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

use super::Zone;
use crate::record::number;

/// The type of a field on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// Text. Numbers and booleans become their text.
    Text,
    /// A whole number of any length.
    Integer,
    /// A number of any length. Text like `10.50` is read.
    Decimal,
    /// `true` or `false`. The texts `true`, `false`, and the numbers 1 and 0 are read.
    Boolean,
    /// A calendar date, `2026-11-23`. Of a date and time, the date is taken as it is written, whatever the offset.
    Date,
    /// A time after RFC 3339, in UTC. A time without a zone is one of the side's `time_zone`.
    Datetime,
    /// A time of the clock on the wall, without a zone, in the side's `time_zone`: `2026-11-23T11:00:00`.
    LocalDatetime,
}

/// The value in the one form its type has. Null stays null.
pub(super) fn canonical(kind: FieldType, zone: Option<&Zone>, value: &Value) -> Result<Value, String> {
    if value.is_null() {
        return Ok(Value::Null);
    }
    match kind {
        FieldType::Text => text(value),
        FieldType::Integer => integer(value).ok_or("is not a whole number"),
        FieldType::Decimal => decimal(value).ok_or("is not a decimal number"),
        FieldType::Boolean => boolean(value).ok_or("is not a boolean"),
        FieldType::Date => date(value).ok_or("is not a date like 2026-11-23"),
        FieldType::Datetime => datetime(zone, value),
        FieldType::LocalDatetime => local_datetime(zone, value),
    }
    .map_err(str::to_owned)
}

fn text(value: &Value) -> Result<Value, &'static str> {
    match value {
        Value::String(_) => Ok(value.clone()),
        Value::Bool(b) => Ok(Value::String(b.to_string())),
        Value::Number(number) => number::plain(number).map(Value::String).ok_or("is too long a number"),
        Value::Null | Value::Array(_) | Value::Object(_) => Err("is not a text"),
    }
}

fn integer(value: &Value) -> Option<Value> {
    let whole = number::canonical(&number(value)?);
    let is_whole = whole.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_whole { whole.parse().ok().map(Value::Number) } else { None }
}

fn decimal(value: &Value) -> Option<Value> {
    number::plain(&number(value)?)?.parse().ok().map(Value::Number)
}

/// The number that a value is, or that a text says.
fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => number::from_text(text),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
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

/// The calendar date as it is written. Converted to UTC, midnight east of Greenwich would lose a day with every round trip.
fn date(value: &Value) -> Option<Value> {
    let text = value.as_str()?;
    let date = text.get(..10)?.parse::<civil::Date>().ok()?;
    if text.len() > 10 {
        split_time(text).map(|(time, _)| time).or_else(|| text.parse::<civil::DateTime>().ok())?;
    }
    Some(Value::String(date.to_string()))
}

const NO_TIME: &str = "is not a time after RFC 3339";
pub(super) const NO_ZONE: &str = "is a time without a zone, and the map has no time_zone for this side";

fn datetime(zone: Option<&Zone>, value: &Value) -> Result<Value, &'static str> {
    let text = value.as_str().ok_or(NO_TIME)?;
    match (local_time(text), zone) {
        (Some(local), Some(zone)) => Ok(Value::String(format!("{}Z", zone.to_utc(local)))),
        (Some(_), None) => Err(NO_ZONE),
        (None, _) => utc(text).map(Value::String).ok_or(NO_TIME),
    }
}

/// A time with a zone becomes what the clocks of the side show then.
fn local_datetime(zone: Option<&Zone>, value: &Value) -> Result<Value, &'static str> {
    let text = value.as_str().ok_or(NO_TIME)?;
    let local = local_time(text).or_else(|| {
        // What lies beyond the calendar in UTC stays as it is written.
        let utc = utc(text).and_then(|utc| utc.strip_suffix('Z')?.parse().ok());
        zone.zip(utc).map(|(zone, utc)| zone.to_local(utc)).or_else(|| split_time(text).map(|(time, _)| time))
    });
    Ok(Value::String(local.ok_or(NO_TIME)?.to_string()))
}

/// A time of the zone in UTC; any other value as it is.
pub(super) fn in_utc(zone: &Zone, value: Value) -> Value {
    match value.as_str().and_then(local_time) {
        Some(local) => Value::String(format!("{}Z", zone.to_utc(local))),
        None => value,
    }
}

pub(super) fn is_local(value: &Value) -> bool {
    value.as_str().and_then(local_time).is_some()
}

/// A time that says no zone.
fn local_time(text: &str) -> Option<civil::DateTime> {
    if text.get(10..)?.contains(['Z', 'z', '+', '-', '[']) { None } else { clock_time(text) }
}

fn utc(text: &str) -> Option<String> {
    let (time, offset) = split_time(text)?;
    // The last hours of the year 9999 are "never" in many apps: west of Greenwich they lie beyond the calendar, and stay.
    Some(match time.checked_sub(offset) {
        Ok(utc) => format!("{utc}Z"),
        Err(_) => text.to_owned(),
    })
}

/// A date with hours and minutes at least. Java and `OData` leave out seconds that are zero.
fn clock_time(text: &str) -> Option<civil::DateTime> {
    let has_minutes = text.as_bytes().get(13) == Some(&b':');
    text.parse().ok().filter(|_| has_minutes)
}

/// A time with an offset from UTC: the time as it is written, and the offset. Salesforce writes offsets without a colon.
fn split_time(text: &str) -> Option<(civil::DateTime, SignedDuration)> {
    let at = text.rfind(['Z', 'z', '+', '-']).filter(|at| *at > 10)?;
    let (time, offset) = text.split_at(at);
    let minutes = match offset {
        "Z" | "z" => 0,
        _ => {
            let digits = offset.get(1..)?;
            let (hours, minutes) = digits.split_once(':').or_else(|| digits.split_at_checked(2))?;
            let two = |text: &str| text.parse::<i64>().ok().filter(|_| text.len() == 2);
            let (hours, minutes) = (two(hours)?, two(minutes)?);
            let minutes = (hours < 24 && minutes < 60).then_some(60 * hours + minutes)?;
            if offset.starts_with('-') { -minutes } else { minutes }
        }
    };
    Some((clock_time(time)?, SignedDuration::from_secs(60 * minutes)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_reads_what_it_can_and_has_one_form() {
        let parsed = |number: &str| serde_json::from_str::<Value>(number).unwrap();
        use FieldType::{Boolean, Date, Datetime, Decimal, Integer, LocalDatetime, Text};
        for (kind, from, to) in [
            (Text, json!("a"), Some(json!("a"))),
            (Text, json!(12), Some(json!("12"))),
            (Text, parsed("12.50"), Some(json!("12.50"))),
            (Text, parsed("1e3"), Some(json!("1000"))),
            (Text, parsed("1e999"), None),
            (Text, json!(true), Some(json!("true"))),
            (Text, json!([1]), None),
            (Integer, json!(7), Some(json!(7))),
            (Integer, json!(7.0), Some(json!(7))),
            (Integer, json!("7"), Some(json!(7))),
            (Integer, json!(7.5), None),
            (Integer, json!("x"), None),
            (Integer, json!(""), None),
            (Integer, json!("-12"), Some(json!(-12))),
            (Integer, parsed("123456789012345678901234"), Some(parsed("123456789012345678901234"))),
            (Integer, json!("18446744073709551616"), Some(parsed("18446744073709551616"))),
            (Integer, parsed("1.5e1"), Some(json!(15))),
            (Decimal, json!("10.50"), Some(parsed("10.50"))),
            (Decimal, parsed("10.0"), Some(parsed("10.0"))),
            (Decimal, json!("1884518522.1684267241"), Some(parsed("1884518522.1684267241"))),
            (Decimal, parsed("8.675e-6"), Some(parsed("0.000008675"))),
            (Decimal, json!("NaN"), None),
            (Decimal, json!("inf"), None),
            (Decimal, json!("1e3"), Some(json!(1000))),
            (Decimal, json!(true), None),
            (Boolean, json!("TRUE"), Some(json!(true))),
            (Boolean, json!(0), Some(json!(false))),
            (Boolean, json!(1), Some(json!(true))),
            (Boolean, json!("False"), Some(json!(false))),
            (Boolean, json!(2), None),
            (Boolean, json!("yes"), None),
            (Date, json!("2026-11-23"), Some(json!("2026-11-23"))),
            (Date, json!("2026-11-24T00:00:00+01:00"), Some(json!("2026-11-24"))),
            (Date, json!("2026-11-23T23:30:00-02:00"), Some(json!("2026-11-23"))),
            (Date, json!("2026-11-23T23:30:00"), Some(json!("2026-11-23"))),
            (Date, json!("9999-12-31T23:59:59Z"), Some(json!("9999-12-31"))),
            (Date, json!("2026-11-23 or so"), None),
            (Date, json!("2026-02-30"), None),
            (Date, json!("2026-1-1"), None),
            (Date, json!("23.11.2026"), None),
            (Datetime, json!("2026-11-23T11:00:00+01:00"), Some(json!("2026-11-23T10:00:00Z"))),
            (Datetime, json!("2026-11-23T10:00:00.5Z"), Some(json!("2026-11-23T10:00:00.5Z"))),
            (Datetime, json!("2026-11-23t10:00:00z"), Some(json!("2026-11-23T10:00:00Z"))),
            (Datetime, json!("2026-11-23T00:30:00+05:45"), Some(json!("2026-11-22T18:45:00Z"))),
            (Datetime, json!("9999-12-31T23:59:59Z"), Some(json!("9999-12-31T23:59:59Z"))),
            (Datetime, json!("9999-12-31T23:59:59-01:00"), Some(json!("9999-12-31T23:59:59-01:00"))),
            (Datetime, json!("0001-01-01T00:00:00Z"), Some(json!("0001-01-01T00:00:00Z"))),
            (Datetime, json!("2026-11-23"), None),
            (Datetime, json!("2026-11-23T10:00:00"), None),
            (Datetime, json!("2026-11-23T10:00:00.000+0000"), Some(json!("2026-11-23T10:00:00Z"))),
            (Datetime, json!("2026-11-23T10:00:00-0330"), Some(json!("2026-11-23T13:30:00Z"))),
            (Datetime, json!("2026-11-23T10:00Z"), Some(json!("2026-11-23T10:00:00Z"))),
            (Datetime, json!("2026-11-23T10:00+01:00"), Some(json!("2026-11-23T09:00:00Z"))),
            (Date, json!("2026-11-24T00:00:00.000+0100"), Some(json!("2026-11-24"))),
            (Date, json!("2026-11-24T00:00Z"), Some(json!("2026-11-24"))),
            (Integer, parsed("-0"), Some(json!(0))),
            (Integer, parsed("1e30"), Some(parsed("1000000000000000000000000000000"))),
            (Integer, parsed("1E+400"), None),
            (Integer, json!("\u{ff11}\u{ff12}"), None), // full-width digits
            (Decimal, json!("\u{2212}1.5"), None),      // a typographic minus
            (Decimal, json!("1_000"), None),
            (Text, json!("a\u{0}b \u{202e}c e\u{301}"), Some(json!("a\u{0}b \u{202e}c e\u{301}"))),
            (Text, json!(" \r\n\t"), Some(json!(" \r\n\t"))),
            (Date, json!("0000-01-01"), Some(json!("0000-01-01"))),
            (Date, json!("0001-01-01T00:00:00+14:00"), Some(json!("0001-01-01"))),
            (Date, json!("10000-01-01"), None),
            (Date, json!("+002026-01-01"), None),
            (Datetime, json!("0000-01-01T00:00:00Z"), Some(json!("0000-01-01T00:00:00Z"))),
            (Datetime, json!("2026-11-23T10:00:00.1234567Z"), Some(json!("2026-11-23T10:00:00.1234567Z"))),
            (Datetime, json!("2026-11-23T10:00:00.1234567890123Z"), None),
            (Datetime, json!("2026-11-23T10:00:00+01:00:30"), None),
            (Datetime, json!("2026-11-23T10:00:00+01:00[Europe/Berlin]"), None),
            (Datetime, json!("/Date(1320825600000)/"), None),
            (Datetime, json!(1_795_428_000_000_u64), None),
            (Datetime, json!("2026-11-23T10Z"), None),
            (Datetime, json!("2026-11-23T10:00:00+01000"), None),
            (Datetime, json!("2026-11-23T10:00:00+01"), None),
            (Datetime, json!("2026-11-23T10:00:00+25:00"), None),
            (Datetime, json!("2026-11-23T10:00:00+1:00"), None),
        ] {
            assert_eq!(canonical(kind, None, &from).ok(), to, "{kind:?} {from}");
        }
        assert!(canonical(Datetime, None, &json!("2026-11-23T10:00:00")).unwrap_err().contains("time_zone"));
        let berlin = Zone::try_from("Europe/Berlin".to_owned()).unwrap();
        for (kind, from, to) in [
            (Datetime, "2026-11-23T10:00:00", Some("2026-11-23T09:00:00Z")),
            (Datetime, "2026-11-23 10:00:00.50", Some("2026-11-23T09:00:00.5Z")),
            (Datetime, "2026-11-23T10:00:00Z", Some("2026-11-23T10:00:00Z")),
            (Datetime, "2026-11-23", None),
            (Datetime, "2026-11-23T10:00", Some("2026-11-23T09:00:00Z")),
            (LocalDatetime, "2026-07-23T10:00", Some("2026-07-23T10:00:00")),
            (LocalDatetime, "2026-07-23T10:00:00.000+0000", Some("2026-07-23T12:00:00")),
            (Datetime, "2026-11-23T10", None),
            (Datetime, "2026-11-23T10:00:00+25:00", None),
            (LocalDatetime, "2026-07-23T10:00:00", Some("2026-07-23T10:00:00")),
            (LocalDatetime, "2026-07-23T10:00:00Z", Some("2026-07-23T12:00:00")),
            (LocalDatetime, "2026-07-23T10:00:00-04:00", Some("2026-07-23T16:00:00")),
            (LocalDatetime, "2026-03-29T02:30:00", Some("2026-03-29T02:30:00")), // as it is written
            (LocalDatetime, "9999-12-31T23:59:59Z", Some("9999-12-31T23:59:59")),
            (LocalDatetime, "9999-12-31T23:59:59-01:00", Some("9999-12-31T23:59:59")),
            (LocalDatetime, "2026-07-23T10:00:00+1", None),
            (LocalDatetime, "noon", None),
        ] {
            let told = canonical(kind, Some(&berlin), &json!(from)).ok();
            assert_eq!(told, to.map(|to| json!(to)), "{kind:?} {from}");
        }
        assert_eq!(canonical(Integer, None, &Value::Null), Ok(Value::Null));
    }
}
