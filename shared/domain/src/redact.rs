//! What is not shown: values of fields that a map names, and fields that it does not carry.

use serde_json::Value;

use crate::{
    map::{MapConfig, SideIx},
    record::{Image, Record},
};

/// Stands where a value is not shown.
pub const REDACTED: &str = "•••";

/// Shorter values are not looked for in messages: they stand there by accident.
const MIN_CHARS: usize = 3;

/// Whether a field of one side is shown to nobody.
pub(crate) fn is_hidden(map: &MapConfig, of: SideIx, name: &str) -> bool {
    map.redact.iter().any(|redacted| {
        redacted == name
            || map.fields.iter().any(|field| {
                field.is_called(&map.side(of).side, name) && field.names.values().any(|other| other == redacted)
            })
    })
}

/// What an app says about a record of its own, without the values that are shown to nobody.
#[must_use]
pub fn redacted_text(map: &MapConfig, of: SideIx, image: &Image, text: &str) -> String {
    let Image::Present(record) = image else { return text.to_owned() };
    if map.redact.is_empty() {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for (_, value) in record.iter().filter(|(name, _)| is_hidden(map, of, name)) {
        let said = match value {
            Value::String(said) => said.clone(),
            Value::Number(number) => number.to_string(),
            _ => continue,
        };
        if said.chars().count() >= MIN_CHARS {
            text = text.replace(&said, REDACTED);
        }
    }
    text
}

/// Whether a map has to do with a field of one side: it is the key, or mapped.
fn mapped(map: &MapConfig, of: SideIx, name: &str) -> bool {
    let side = map.side(of);
    side.is_key(name) || map.fields.iter().any(|field| field.is_called(&side.side, name))
}

/// The part of an image that a map has to do with. An app may send, and has, more than that: nobody asked Tandem to keep
/// or show it, and nobody can name it as redacted.
#[must_use]
pub fn mapped_image(map: &MapConfig, of: SideIx, image: &Image) -> Image {
    let Image::Present(record) = image else { return Image::Absent };
    let mapped = record.iter().filter(|(name, _)| mapped(map, of, name));
    Image::Present(mapped.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A record of one side, as people may see it: what the map has to do with, without the values that are shown to nobody.
#[must_use]
pub fn redacted(map: &MapConfig, of: SideIx, record: &Record) -> Record {
    let hidden = |name: &str| is_hidden(map, of, name);
    let show = |(name, value): (&String, &Value)| {
        let value = if hidden(name) && !value.is_null() { Value::String(REDACTED.to_owned()) } else { value.clone() };
        (name.clone(), value)
    };
    record.iter().filter(|(name, _)| mapped(map, of, name)).map(show).collect()
}

/// An image of one side, as people may see it.
#[must_use]
pub fn redacted_image(map: &MapConfig, of: SideIx, image: &Image) -> Image {
    match image {
        Image::Present(record) => Image::Present(redacted(map, of, record)),
        Image::Absent => Image::Absent,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::tests::customers;

    fn record_of(value: Value) -> Image {
        Image::Present(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_field_is_hidden_on_both_sides_under_either_name() {
        let mut map = customers();
        let first = map.fields[0].names.clone();
        let (finance, crm) = (map.sides[0].side.clone(), map.sides[1].side.clone());
        map.redact = vec![first[&crm].clone()];
        let record = json!({&first[&finance]: "Kim", "other": 1, "none": null});
        let shown = redacted(&map, SideIx::First, record.as_object().unwrap());
        assert_eq!(Value::from(shown), json!({&first[&finance]: REDACTED}), "what is not mapped is nobody's business");
        let key = &map.side(SideIx::First).key_field;
        let kept = Image::Present(json!({&first[&finance]: "Kim", key: "C-1"}).as_object().unwrap().clone());
        let all = json!({&first[&finance]: "Kim", key: "C-1", "other": 1});
        assert_eq!(mapped_image(&map, SideIx::First, &Image::Present(all.as_object().unwrap().clone())), kept);
        let record = json!({&first[&crm]: "Kim"});
        assert_eq!(redacted(&map, SideIx::Second, record.as_object().unwrap())[&first[&crm]], REDACTED);
        let image = Image::Present(record.as_object().unwrap().clone());
        let says = |text: &str| redacted_text(&map, SideIx::Second, &image, text);
        assert_eq!(says("the name Kim is taken"), format!("the name {REDACTED} is taken"));
        let mut more = record_of(json!({&first[&crm]: "Kim", "limit": 12345, "n": 7, "yes": true}));
        assert_eq!(redacted_text(&map, SideIx::Second, &more, "Kim 12345"), format!("{REDACTED} 12345"));
        map.redact.push("limit".to_owned());
        assert_eq!(redacted_text(&map, SideIx::Second, &more, "Kim 12345 7"), format!("{REDACTED} {REDACTED} 7"));
        more = record_of(json!({"limit": 12}));
        let short = redacted_text(&map, SideIx::Second, &more, "12 are too many");
        assert_eq!(short, "12 are too many", "two characters stand there by accident");
        let empty = redacted(&map, SideIx::Second, json!({&first[&crm]: null}).as_object().unwrap());
        assert_eq!(empty[&first[&crm]], Value::Null, "that a field is empty is no secret");
        map.redact.clear();
        assert_eq!(redacted_text(&map, SideIx::Second, &image, "Kim"), "Kim");
    }
}
