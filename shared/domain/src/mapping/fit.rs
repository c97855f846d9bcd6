//! Whether the values of a field can become what the app of the other side stores, by the types that both apps tell.

use serde_json::Value;

use super::{FieldMapping, FieldType};
use crate::id::SideId;

/// What kind of value a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueKind {
    Text,
    Integer,
    Decimal,
    Boolean,
    Date,
    Datetime,
    LocalDatetime,
}

impl ValueKind {
    /// By the name of a type in `OData`. `None`: a type that says nothing about the form of its values, such as an enumeration.
    fn of_edm(name: &str) -> Option<Self> {
        Some(match name {
            "Edm.String" | "Edm.Guid" => Self::Text,
            "Edm.Byte" | "Edm.SByte" | "Edm.Int16" | "Edm.Int32" | "Edm.Int64" => Self::Integer,
            "Edm.Decimal" | "Edm.Double" | "Edm.Single" => Self::Decimal,
            "Edm.Boolean" => Self::Boolean,
            "Edm.Date" => Self::Date,
            "Edm.DateTimeOffset" => Self::Datetime,
            _ => return None,
        })
    }

    fn of_type(kind: FieldType) -> Self {
        match kind {
            FieldType::Text => Self::Text,
            FieldType::Integer => Self::Integer,
            FieldType::Decimal => Self::Decimal,
            FieldType::Boolean => Self::Boolean,
            FieldType::Date => Self::Date,
            FieldType::Datetime => Self::Datetime,
            FieldType::LocalDatetime => Self::LocalDatetime,
        }
    }

    fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(_) => Some(Self::Text),
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(number) if number.is_i64() || number.is_u64() => Some(Self::Integer),
            Value::Number(_) => Some(Self::Decimal),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Decimal => "a decimal number",
            Self::Boolean => "a boolean",
            Self::Date => "a date",
            Self::Datetime => "a date and time",
            Self::LocalDatetime => "a date and time without a zone",
        }
    }

    /// Whether some value of this kind converts to the type: see `convert::canonical`.
    fn converts_to(self, to: FieldType) -> bool {
        use FieldType as T;
        match self {
            Self::Text => true,
            Self::Integer | Self::Decimal => matches!(to, T::Text | T::Integer | T::Decimal | T::Boolean),
            Self::Boolean => matches!(to, T::Text | T::Boolean),
            Self::Date => matches!(to, T::Text | T::Date),
            Self::Datetime | Self::LocalDatetime => matches!(to, T::Text | T::Date | T::Datetime | T::LocalDatetime),
        }
    }

    /// Whether an app may take such a value for a property of this type. A constant or a pair may be the text of a date.
    fn is_taken_as(self, edm: &str) -> bool {
        let Some(wanted) = Self::of_edm(edm) else { return true };
        match (self, wanted) {
            (one, other) if one == other => true,
            (Self::Integer | Self::Decimal, Self::Integer | Self::Decimal) => true,
            (Self::Date | Self::Datetime | Self::LocalDatetime, Self::Text) => true,
            // With `IEEE754Compatible`, these are written as text.
            (Self::Text, _) => matches!(edm, "Edm.Int64" | "Edm.Decimal"),
            _ => false,
        }
    }
}

/// Says why no value of a field can be written to side `target`, by the names of the field's types in both apps, such as
/// `Edm.String`. `None`: some can, or it is not known.
#[must_use]
pub fn find_type_mistake(
    field: &FieldMapping,
    (source, source_type): (&SideId, Option<&str>),
    (target, target_type): (&SideId, Option<&str>),
) -> Option<String> {
    let mut kind = None;
    if let Some(constant) = field.constant.get(target) {
        return refused(plain_kind(constant)?, target, target_type);
    }
    if !field.lookup.contains_key(source) {
        kind = source_type.and_then(ValueKind::of_edm);
    }
    for side in [source, target] {
        if side == target
            && let Some(pair) = field.values.first()
        {
            kind = pair.get(target).and_then(plain_kind);
        }
        let Some(wanted) = field.types.get(side) else { continue };
        if let Some(kind) = kind
            && !kind.converts_to(*wanted)
        {
            let wanted = ValueKind::of_type(*wanted).name();
            return Some(format!("{} cannot be read as {wanted}, as types.{side} says", kind.name()));
        }
        kind = Some(ValueKind::of_type(*wanted));
    }
    if field.lookup.contains_key(target) { None } else { refused(kind?, target, target_type) }
}

/// The kind of a value that stands in the map. A text may be one of a date or a time, so it says nothing.
fn plain_kind(value: &Value) -> Option<ValueKind> {
    ValueKind::of_value(value).filter(|kind| *kind != ValueKind::Text)
}

fn refused(kind: ValueKind, target: &SideId, target_type: Option<&str>) -> Option<String> {
    let edm = target_type.filter(|edm| !kind.is_taken_as(edm))?;
    Some(format!("{} is written to {target}, which stores it as {edm}", kind.name()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::{Zone, convert::canonical};

    #[test]
    fn a_kind_converts_to_a_type_if_one_of_its_values_does() {
        let zone = Zone::try_from("Europe/Berlin".to_owned()).unwrap();
        let texts = json!(["a", "7", "7.5", "true", "2026-11-23", "2026-11-23T10:00:00Z"]);
        for (kind, values) in [
            (ValueKind::Text, texts),
            (ValueKind::Integer, json!([0, 1, 7])),
            (ValueKind::Decimal, json!([0, 1.5, 7])),
            (ValueKind::Boolean, json!([true, false])),
            (ValueKind::Date, json!(["2026-11-23"])),
            (ValueKind::Datetime, json!(["2026-11-23T10:00:00Z"])),
            (ValueKind::LocalDatetime, json!(["2026-11-23T10:00:00"])),
        ] {
            for to in [
                FieldType::Text,
                FieldType::Integer,
                FieldType::Decimal,
                FieldType::Boolean,
                FieldType::Date,
                FieldType::Datetime,
                FieldType::LocalDatetime,
            ] {
                let does = values.as_array().unwrap().iter().any(|value| canonical(to, Some(&zone), value).is_ok());
                assert_eq!(kind.converts_to(to), does, "{kind:?} {to:?}");
            }
        }
    }

    #[test]
    fn a_field_whose_types_do_not_meet_is_named_with_the_reason() {
        let (finance, crm): (SideId, SideId) = ("finance".parse().unwrap(), "crm".parse().unwrap());
        for (field, from, to, says) in [
            (json!({}), "Edm.String", "Edm.String", None),
            (
                json!({}),
                "Edm.Int32",
                "Edm.String",
                Some("a whole number is written to crm, which stores it as Edm.String"),
            ),
            (json!({"types": {"crm": "text"}}), "Edm.Int32", "Edm.String", None),
            (json!({}), "Edm.Date", "Edm.DateTimeOffset", Some("a date is written to crm")),
            (json!({"types": {"crm": "datetime"}}), "Edm.Date", "Edm.DateTimeOffset", Some("a date cannot be read as")),
            (json!({"types": {"finance": "boolean"}}), "Edm.Date", "Edm.Boolean", Some("as types.finance says")),
            (json!({}), "Edm.Boolean", "Edm.Int32", Some("a boolean is written")),
            (json!({}), "Edm.Int32", "Edm.Decimal", None),
            (json!({}), "Edm.String", "Edm.Int32", Some("a text is written")),
            (json!({}), "Edm.String", "Edm.Int64", None),
            (json!({}), "App.Colour", "Edm.Int32", None),
            (json!({}), "Edm.String", "App.Colour", None),
            (json!({"values": [{"finance": "No", "crm": false}]}), "App.NoYes", "Edm.Boolean", None),
            (json!({"values": [{"finance": "No", "crm": 0}]}), "App.NoYes", "Edm.Boolean", Some("a whole number")),
            (json!({"constant": {"crm": "2026-01-01"}}), "Edm.Int32", "Edm.Date", None),
            (json!({"constant": {"crm": 7}}), "Edm.String", "Edm.Date", Some("a whole number is written")),
            (json!({"lookup": {"crm": {"entity": "contacts"}}}), "Edm.String", "Edm.Int32", None),
        ] {
            let mut given = json!({"names": {"finance": "A", "crm": "a"}});
            given.as_object_mut().unwrap().extend(field.as_object().unwrap().clone());
            let mapping: FieldMapping = serde_json::from_value(given).unwrap();
            let found = find_type_mistake(&mapping, (&finance, Some(from)), (&crm, Some(to)));
            match says {
                None => assert_eq!(found, None, "{field} {from} {to}"),
                Some(says) => assert!(found.as_ref().is_some_and(|found| found.contains(says)), "{field}: {found:?}"),
            }
        }
    }
}
