//! `$filter`: comparisons of properties with values, joined by `and` and `or`.

use std::cmp::Ordering;

use serde_json::Value;

/// Most levels of parentheses in a filter.
const DEPTH_MAX: usize = 16;

/// A condition.
#[derive(Debug, PartialEq)]
pub(super) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Compare { property: String, operator: Operator, value: Value },
}

/// How a property is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Filter {
    /// Parses a condition. The error says what is wrong with it.
    pub(super) fn parse(text: &str, is_property: impl Fn(&str) -> bool) -> Result<Self, String> {
        let words = words(text)?;
        let mut rest = &words[..];
        let filter = any(&mut rest, &is_property, DEPTH_MAX)?;
        match rest.first() {
            None => Ok(filter),
            Some(word) => Err(format!("The filter has {word} where it should end")),
        }
    }

    /// Whether an entity meets the condition.
    pub(super) fn holds(&self, entity: &Value) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(entity)),
            Self::All(parts) => parts.iter().all(|part| part.holds(entity)),
            Self::Compare { property, operator, value } => operator.holds(&entity[property], value),
        }
    }
}

impl Operator {
    fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            other => return Err(format!("The filter has {other} where eq, ne, gt, ge, lt or le should be")),
        })
    }

    /// Nothing is less or greater than null.
    fn holds(self, own: &Value, value: &Value) -> bool {
        let order = compare(own, value);
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        }
    }
}

/// Compares two values. Text is compared without regard to case, as the SQL Server behind both products does.
fn compare(own: &Value, value: &Value) -> Option<Ordering> {
    match (own, value) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Bool(own), Value::Bool(value)) => Some(own.cmp(value)),
        (Value::Number(own), Value::Number(value)) => own.as_f64()?.partial_cmp(&value.as_f64()?),
        (Value::String(own), Value::String(value)) => Some(own.to_lowercase().cmp(&value.to_lowercase())),
        _ => None,
    }
}

/// Splits a filter into names, operators, parentheses and values. A text keeps its quotes.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            '\'' => text_length(rest).ok_or("The filter has a text without a closing quote")?,
            _ => rest.find([' ', '(', ')', '\'']).unwrap_or(rest.len()),
        };
        let (word, left) = rest.split_at(length);
        words.push(word.to_owned());
        rest = left.trim_start();
    }
    Ok(words)
}

/// The length in bytes of the quoted text at the beginning, with both quotes. A quote within the text is doubled.
fn text_length(text: &str) -> Option<usize> {
    let mut from = 1;
    loop {
        let end = from + text[from..].find('\'')?;
        if !text[end + 1..].starts_with('\'') {
            return Some(end + 1);
        }
        from = end + 2;
    }
}

type Words<'a, 'b> = &'a mut &'b [String];

fn any(rest: Words<'_, '_>, is_property: &impl Fn(&str) -> bool, depth: usize) -> Result<Filter, String> {
    let mut parts = vec![all(rest, is_property, depth)?];
    while take_if(rest, "or") {
        parts.push(all(rest, is_property, depth)?);
    }
    Ok(Filter::Any(parts))
}

fn all(rest: Words<'_, '_>, is_property: &impl Fn(&str) -> bool, depth: usize) -> Result<Filter, String> {
    let mut parts = vec![one(rest, is_property, depth)?];
    while take_if(rest, "and") {
        parts.push(one(rest, is_property, depth)?);
    }
    Ok(Filter::All(parts))
}

fn one(rest: Words<'_, '_>, is_property: &impl Fn(&str) -> bool, depth: usize) -> Result<Filter, String> {
    let depth = depth.checked_sub(1).ok_or("The filter is nested too deep")?;
    if take_if(rest, "(") {
        let inner = any(rest, is_property, depth)?;
        return if take_if(rest, ")") { Ok(inner) } else { Err("The filter lacks a closing parenthesis".to_owned()) };
    }
    let property = take(rest)?;
    if !is_property(property) {
        return Err(format!("Could not find a property named '{property}'."));
    }
    let property = property.to_owned();
    let operator = Operator::parse(take(rest)?)?;
    Ok(Filter::Compare { property, operator, value: literal(take(rest)?)? })
}

fn take<'b>(rest: Words<'_, 'b>) -> Result<&'b str, String> {
    let (word, left) = rest.split_first().ok_or("The filter ends too early")?;
    *rest = left;
    Ok(word)
}

fn take_if(rest: Words<'_, '_>, wanted: &str) -> bool {
    let is_next = rest.first().is_some_and(|word| word == wanted);
    if is_next {
        *rest = &rest[1..];
    }
    is_next
}

/// Reads a value. A word that is neither quoted nor a number, a boolean or null must be a time or a GUID.
fn literal(word: &str) -> Result<Value, String> {
    if let Some(text) = word.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        return Ok(Value::String(text.replace("''", "'")));
    }
    match serde_json::from_str(word) {
        Ok(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => Ok(value),
        _ if word.starts_with(|c: char| c.is_ascii_hexdigit()) && word.contains('-') => {
            Ok(Value::String(word.to_owned()))
        }
        _ => Err(format!("The filter has {word} where a value should be")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn holds(text: &str) -> Result<bool, String> {
        let entity = json!({"no": "C-1", "name": "O'Neil (x)", "limit": 12.5, "hold": false, "phone": null,
                            "id": "5f1c0a52-6a0b-4a8e-9d5e-0c1d2e3f4a01", "at": "2026-12-31T12:00:00Z"});
        Filter::parse(text, |name| entity.get(name).is_some()).map(|filter| filter.holds(&entity))
    }

    #[test]
    fn properties_are_compared_with_values() {
        for (text, wanted) in [
            ("no eq 'c-1'", true),
            ("no ne 'C-1'", false),
            ("name eq 'O''Neil (x)'", true),
            ("limit gt 12 and limit lt 13", true),
            ("limit ge 12.5 and limit le 12.5", true),
            ("hold eq true or hold eq false", true),
            ("phone eq null", true),
            ("phone ne null", false),
            ("phone gt 1", false),
            ("no gt 'B'", true),
            ("id eq 5F1C0A52-6a0b-4a8e-9d5e-0c1d2e3f4a01", true),
            ("at lt 2027-01-01T00:00:00Z", true),
            ("no eq 'x' and limit eq 1 or hold eq false", true),
            ("no eq 'x' and (limit eq 1 or hold eq false)", false),
            ("((no eq 'C-1'))and(limit eq 12.5)", true),
        ] {
            assert_eq!(holds(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let deep = format!("{}no eq 'C-1'{}", "(".repeat(40), ")".repeat(40));
        for text in [
            "",
            "no",
            "no eq",
            "no is 'x'",
            "shoe eq 1",
            "no eq 'x",
            "(no eq 'x'",
            "no eq 'x')",
            "no eq x",
            "no eq 'x' no",
            &deep,
        ] {
            assert!(holds(text).is_err(), "{text}");
        }
    }
}
