//! Key predicates: `('C-1')`, `(dataAreaId='usmf',CustomerAccount='C-1')`, `(0f8fad5b-…)`.

/// One part of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The name of its property, if the key gives it.
    pub(super) name: Option<String>,
    /// Its value.
    pub(super) value: Literal,
}

/// The value of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// Text between quotes.
    Text(String),
    /// A number or a GUID.
    Bare(String),
}

/// Parses the decoded text between the parentheses.
pub(super) fn parts(mut rest: &str) -> Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    loop {
        let name = name(&mut rest);
        let value = match rest.strip_prefix('\'') {
            Some(text) => {
                let (value, left) = quoted(text)?;
                rest = left;
                Literal::Text(value)
            }
            None => {
                let (value, _) = rest.split_once(',').unwrap_or((rest, ""));
                if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
                    return Err("A text must stand between single quotes");
                }
                rest = &rest[value.len()..];
                Literal::Bare(value.to_owned())
            }
        };
        parts.push(Part { name, value });
        rest = match rest.strip_prefix(',') {
            Some(more) => more,
            None if rest.is_empty() => return Ok(parts),
            None => return Err("A quote within a key must be doubled"),
        };
    }
}

/// Takes a name and the equals sign after it from the text, if it begins with them.
fn name(rest: &mut &str) -> Option<String> {
    let (name, value) = rest.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| {
        *rest = value;
        name.to_owned()
    })
}

/// Splits off the text up to its closing quote. Returns it and the rest.
fn quoted(text: &str) -> Result<(String, &str), &'static str> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (part, left) = rest.split_once('\'').ok_or("The key has no closing quote")?;
        value.push_str(part);
        match left.strip_prefix('\'') {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Ok((value, left)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: Option<&str>, value: &str) -> Part {
        Part { name: name.map(str::to_owned), value: Literal::Text(value.to_owned()) }
    }

    #[test]
    fn parts_may_be_named_quoted_and_bare() {
        for (inner, wanted) in [
            ("'C-1'", vec![text(None, "C-1")]),
            ("a='C-1'", vec![text(Some("a"), "C-1")]),
            ("a='x,y=''z''',b='('", vec![text(Some("a"), "x,y='z'"), text(Some("b"), "(")]),
            ("''", vec![text(None, "")]),
            ("''''", vec![text(None, "'")]),
            ("'a=1'", vec![text(None, "a=1")]),
            ("n=7", vec![Part { name: Some("n".to_owned()), value: Literal::Bare("7".to_owned()) }]),
            ("0f8fad5b-d9cb", vec![Part { name: None, value: Literal::Bare("0f8fad5b-d9cb".to_owned()) }]),
        ] {
            assert_eq!(parts(inner), Ok(wanted), "{inner}");
        }
        for wrong in ["", "'", "'''", "'O'Neil'", "a=", "a='x',", "a b", "'x'y", "=7"] {
            assert!(parts(wrong).is_err(), "{wrong}");
        }
    }
}
