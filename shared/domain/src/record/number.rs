//! Numbers as their digits: none is rounded, whatever their count.

use serde_json::{Number, Value};

/// Longest plain notation of a number that is written to an app, in characters. Every double-precision number fits.
pub const MAX_NUMBER_CHARS: usize = 400;

/// A number in plain notation: `1e3` is `1000`, and `8.675e-6` is `0.000008675`. Zeros at the end stay: `1.10`. `None`: it would
/// be longer than [`MAX_NUMBER_CHARS`].
#[must_use]
pub fn plain(number: &Number) -> Option<String> {
    let text = number.to_string();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        None => return Some(text).filter(|text| text.len() <= MAX_NUMBER_CHARS),
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
    };
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent);
    let after = i64::try_from(digits.len()).ok()? - point; // digits after the point; below 0: zeros to add
    if digits.len() > MAX_NUMBER_CHARS || point.unsigned_abs().max(after.unsigned_abs()) > MAX_NUMBER_CHARS as u64 {
        return None;
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let (whole, fraction) = match usize::try_from(point) {
        Ok(point) if point <= digits.len() => (digits[..point].to_owned(), digits[point..].to_owned()),
        Ok(_) => (digits.clone() + &zeros(-after), String::new()),
        Err(_) => (String::new(), zeros(-point) + &digits),
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}")).filter(|text| text.len() <= MAX_NUMBER_CHARS)
}

/// One text for equal numbers: `1.10`, `1.1` and `11e-1` have the same.
#[must_use]
pub fn canonical(number: &Number) -> String {
    let Some(text) = plain(number) else { return number.to_string() };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// The number with so many decimals; half is rounded away from zero. `None`: its plain notation is too long.
#[must_use]
pub fn rounded(number: &Number, decimals: u8) -> Option<Number> {
    let text = plain(number)?;
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = usize::from(decimals).min(fraction.len());
    let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes().take(kept)).collect();
    if fraction.as_bytes().get(kept).is_some_and(|next| *next >= b'5') {
        let nines = digits.iter().rev().take_while(|digit| **digit == b'9').count();
        let at = digits.len() - nines;
        digits[at..].fill(b'0');
        match at.checked_sub(1) {
            Some(before) => digits[before] += 1,
            None => digits.insert(0, b'1'),
        }
    }
    let digits = String::from_utf8(digits).ok()?;
    let (whole, fraction) = digits.split_at(digits.len() - kept);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{whole}{point}{fraction}").parse().ok()
}

/// The number that a text is, in plain notation: `10.50`, `+7`, `.5`, `007`.
#[must_use]
pub fn from_text(text: &str) -> Option<Number> {
    let text = text.trim();
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = rest.find(['e', 'E']).map_or((rest, ""), |at| rest.split_at(at));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // A second sign would be taken for the first one's digits.
    if whole.is_empty() && fraction.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let point = if fraction.is_empty() { "" } else { "." };
    // The parser decides about everything else: only digits, and an exponent that is one.
    let number: Number = format!("{sign}{whole}{point}{fraction}{exponent}").parse().ok()?;
    plain(&number)?.parse().ok()
}

/// A value with all its numbers in plain notation, as every app reads them. `None`: one of them is too long.
#[must_use]
pub fn with_plain_numbers(value: Value) -> Option<Value> {
    Some(match value {
        Value::Number(number) => Value::Number(plain(&number)?.parse().ok()?),
        Value::Array(items) => Value::Array(items.into_iter().map(with_plain_numbers).collect::<Option<_>>()?),
        Value::Object(fields) => {
            let plain = |(name, value)| Some((name, with_plain_numbers(value)?));
            Value::Object(fields.into_iter().map(plain).collect::<Option<_>>()?)
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> Number {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_is_its_digits_in_plain_notation() {
        for (text, wanted, equal) in [
            ("1884518522.1684267241", "1884518522.1684267241", "1884518522.1684267241"),
            ("123456789012345678901234", "123456789012345678901234", "123456789012345678901234"),
            ("18446744073709551616", "18446744073709551616", "18446744073709551616"),
            ("1.10", "1.10", "1.1"),
            ("10.0", "10.0", "10"),
            ("100", "100", "100"),
            ("1e3", "1000", "1000"),
            ("1.5E+2", "150", "150"),
            ("8.675e-6", "0.000008675", "0.000008675"),
            ("12.50e-1", "1.250", "1.25"),
            ("-2.5e0", "-2.5", "-2.5"),
            ("0e7", "0", "0"),
            ("-0.0", "-0.0", "0"),
            ("0.10e1", "1.0", "1"),
        ] {
            assert_eq!((plain(&number(text)).as_deref(), &*canonical(&number(text))), (Some(wanted), equal), "{text}");
        }
    }

    #[test]
    fn a_number_that_is_too_long_has_no_plain_notation() {
        let digits = |count: usize| "7".repeat(count);
        assert!(plain(&number(&digits(MAX_NUMBER_CHARS))).is_some());
        for text in [
            digits(MAX_NUMBER_CHARS + 1),
            "1e400".into(),
            "1e-400".into(),
            "1e99999999999".into(),
            "1e-2147483648".into(),
        ] {
            assert_eq!(plain(&number(&text)), None, "{text}");
            assert_eq!(canonical(&number(&text)), number(&text).to_string());
            assert_eq!(with_plain_numbers(serde_json::json!([{"a": number(&text)}])), None);
        }
        for text in ["1.7976931348623157e308", "5e-324", "2.2250738585072014e-308"] {
            let shown = plain(&number(text)).unwrap();
            assert_eq!(shown.parse::<f64>().unwrap(), text.parse::<f64>().unwrap(), "{text}");
        }
    }

    #[test]
    fn a_text_is_read_as_people_write_numbers() {
        for (text, wanted) in [
            (" 10.50 ", Some("10.50")),
            ("+7", Some("7")),
            (".5", Some("0.5")),
            ("5.", Some("5")),
            ("007", Some("7")),
            ("-0012.340", Some("-12.340")),
            ("1e3", Some("1000")),
            ("12345678901234567890.123", Some("12345678901234567890.123")),
            ("", None),
            (".", None),
            ("-", None),
            ("1,5", None),
            ("1.2.3", None),
            ("NaN", None),
            ("inf", None),
            ("0x10", None),
            ("1e", None),
            ("1e400", None),
            ("--1", None),
            ("1 000", None),
        ] {
            assert_eq!(from_text(text).map(|number| number.to_string()).as_deref(), wanted, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn notation_changes_no_value(number in any::<f64>().prop_filter("JSON has no others", |n| n.is_finite()), exponent in -30i32..30) {
            let plainly = plain(&format!("{number:e}").parse().unwrap()).unwrap();
            prop_assert_eq!(plainly.parse::<f64>().unwrap(), number);
            prop_assert!(!plainly.contains(['e', 'E']));
            let shifted = format!("{}e{exponent}", plainly.split('.').next().unwrap());
            if let Some(plainly) = plain(&shifted.parse().unwrap()) {
                prop_assert_eq!(plainly.parse::<f64>().unwrap(), shifted.parse::<f64>().unwrap());
            }
        }
    }

    #[test]
    fn a_number_is_rounded_by_its_digits() {
        for (text, decimals, wanted) in [
            ("10.004", 2, "10"),
            ("10.005", 2, "10.01"),
            ("-10.005", 2, "-10.01"),
            ("9.995", 2, "10"),
            ("99.5", 0, "100"),
            ("0.4", 0, "0"),
            ("1.5", 30, "1.5"),
            ("12345678901234567890.12345", 3, "12345678901234567890.123"),
            ("8.675e-6", 7, "0.0000087"),
        ] {
            let number: Number = text.parse().unwrap();
            assert_eq!(canonical(&rounded(&number, decimals).unwrap()), wanted, "{text}");
        }
    }
}
