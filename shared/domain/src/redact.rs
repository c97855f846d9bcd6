//! What is not shown: values of fields that a map names.

use serde_json::Value;

use crate::{
    map::{MapConfig, SideIx},
    record::{Image, Record},
};

/// Stands where a value is not shown.
pub const REDACTED: &str = "•••";

/// A record of one side, as people may see it.
#[must_use]
pub fn redacted(map: &MapConfig, of: SideIx, record: &Record) -> Record {
    let hidden = |name: &str| {
        map.redact.iter().any(|redacted| {
            redacted == name
                || map.fields.iter().any(|field| {
                    field.names.get(&map.side(of).side).is_some_and(|own| own == name)
                        && field.names.values().any(|other| other == redacted)
                })
        })
    };
    let show = |(name, value): (&String, &Value)| {
        let value = if hidden(name) && !value.is_null() { Value::String(REDACTED.to_owned()) } else { value.clone() };
        (name.clone(), value)
    };
    record.iter().map(show).collect()
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

    #[test]
    fn a_field_is_hidden_on_both_sides_under_either_name() {
        let mut map = customers();
        let first = map.fields[0].names.clone();
        let (finance, crm) = (map.sides[0].side.clone(), map.sides[1].side.clone());
        map.redact = vec![first[&crm].clone()];
        let record = json!({&first[&finance]: "Kim", "other": 1, "none": null});
        let shown = redacted(&map, SideIx::First, record.as_object().unwrap());
        assert_eq!(shown[&first[&finance]], REDACTED);
        assert_eq!(shown["other"], 1);
        let record = json!({&first[&crm]: "Kim"});
        assert_eq!(redacted(&map, SideIx::Second, record.as_object().unwrap())[&first[&crm]], REDACTED);
    }
}
