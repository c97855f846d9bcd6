//! Field mappings: what a record of one side becomes on the other. One definition serves both directions.

mod check;
mod convert;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{check::mistakes, convert::FieldType};
use crate::{
    id::SideId,
    map::{MapConfig, SideIx},
    record::{Image, Record, number},
};

/// One field of the map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// The field's name on each side. A field that only one side has needs a `constant` there.
    pub names: BTreeMap<SideId, String>,
    /// The type on each side; values are converted. A side without a type takes the value as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<SideId, FieldType>,
    /// Pairs of equal meaning. A value in no pair is an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<BTreeMap<SideId, Value>>,
    /// Written to this side when the other has no value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub default: BTreeMap<SideId, Value>,
    /// Always written to this side, whatever the other has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constant: BTreeMap<SideId, Value>,
    /// A record without a value here is an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// Only written to this side; what that side reports of the field is not carried back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_to: Option<SideId>,
}

/// A condition on one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The field's name.
    pub field: String,
    /// The record passes when the field has one of these values.
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    pub any_of: Option<Vec<Value>>,
    /// The record passes when the field has none of these values.
    #[serde(default, rename = "not_in", skip_serializing_if = "Option::is_none")]
    pub none_of: Option<Vec<Value>>,
}

/// Why a record cannot be mapped. Names the field as the reporting side calls it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// The field.
    pub field: String,
    /// What is wrong with its value; the value itself is not repeated.
    pub message: String,
}

/// What an image of side `from` becomes on the other side.
///
/// # Errors
/// A required value is missing, a value is in no pair, or cannot be converted.
pub fn translate(map: &MapConfig, from: SideIx, image: &Image) -> Result<Image, MappingError> {
    let Image::Present(record) = image else { return Ok(Image::Absent) };
    let (source, target) = (&map.side(from).side, &map.side(from.other()).side);
    let mut out = Record::new();
    for field in &map.fields {
        let Some(target_name) = field.names.get(target) else { continue };
        if field.only_to.as_ref().is_some_and(|only| only != target) {
            continue;
        }
        let value = field.translate(source, target, record)?;
        out.insert(target_name.clone(), value);
    }
    Ok(Image::Present(out))
}

/// The part of an image that this map carries away from side `of`, in canonical form: what is hashed for the guards.
/// Values that the map would convert alike hash alike, so an app that answers `10.50` for `10.5` still is an echo.
#[must_use]
pub fn carried(map: &MapConfig, of: SideIx, image: &Image) -> Image {
    let Image::Present(record) = image else { return Image::Absent };
    let side = &map.side(of).side;
    let mut out = Record::new();
    for field in &map.fields {
        let Some(name) = field.names.get(side) else { continue };
        if field.only_to.as_ref() == Some(side) {
            continue;
        }
        let value = record.get(name).unwrap_or(&Value::Null);
        let canonical = match field.types.get(side) {
            Some(kind) => convert::canonical(*kind, value).unwrap_or_else(|_| value.clone()),
            None => value.clone(),
        };
        out.insert(name.clone(), canonical);
    }
    Image::Present(out)
}

/// Whether a record that an app answered has any of the fields that this map carries away from side `of`. Without one it is
/// another thing than the record, or the app hides them: copied, it would blank the fields of the other side.
#[must_use]
pub fn has_carried_field(map: &MapConfig, of: SideIx, record: &Record) -> bool {
    let side = &map.side(of).side;
    let mut carried = map.fields.iter().filter(|field| field.only_to.as_ref() != Some(side));
    carried.any(|field| field.names.get(side).is_some_and(|name| record.contains_key(name)))
}

/// Whether a side's filter lets a record through. A record that is gone always passes: its other half must go too.
#[must_use]
pub fn passes(filters: &[Filter], image: &Image) -> bool {
    let Image::Present(record) = image else { return true };
    filters.iter().all(|filter| {
        let value = record.get(&filter.field).unwrap_or(&Value::Null);
        filter.any_of.as_ref().is_none_or(|any| any.contains(value))
            && filter.none_of.as_ref().is_none_or(|none| !none.contains(value))
    })
}

impl FieldMapping {
    fn translate(&self, source: &SideId, target: &SideId, record: &Record) -> Result<Value, MappingError> {
        if let Some(constant) = self.constant.get(target) {
            return Ok(constant.clone());
        }
        let name = self.names.get(source).map_or("", String::as_str);
        let error = |message: &str| MappingError { field: name.to_owned(), message: message.to_owned() };
        let value = record.get(name).unwrap_or(&Value::Null);
        if value.is_null() {
            return match self.default.get(target) {
                Some(default) => Ok(default.clone()),
                None if self.required => Err(error("is required and has no value")),
                None => Ok(Value::Null),
            };
        }
        if self.required && value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Err(error("is required and is empty"));
        }
        let value = match self.types.get(source) {
            Some(kind) => convert::canonical(*kind, value).map_err(|says| error(&says))?,
            None => value.clone(),
        };
        let value = self.pair(source, target, value).map_err(|says| error(&says))?;
        let value = match self.types.get(target) {
            Some(kind) => convert::canonical(*kind, &value).map_err(|says| error(&says))?,
            None => value,
        };
        number::with_plain_numbers(value).ok_or_else(|| error("has a number of more digits than can be written"))
    }

    fn pair(&self, source: &SideId, target: &SideId, value: Value) -> Result<Value, String> {
        if self.values.is_empty() {
            return Ok(value);
        }
        let same = |known: &Value| match (known, &value) {
            (Value::Number(known), Value::Number(value)) => number::canonical(known) == number::canonical(value),
            (known, value) => known == value,
        };
        let pair = self.values.iter().find(|pair| pair.get(source).is_some_and(same));
        pair.and_then(|pair| pair.get(target))
            .cloned()
            .ok_or_else(|| "has a value that is in no pair of `values`".to_owned())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// The map of the sample apps.
    pub(crate) fn customers() -> MapConfig {
        serde_json::from_value(json!({
            "sides": [
                {"side": "finance", "entity": "CustomersV3", "key_field": "CustomerAccount"},
                {"side": "crm", "entity": "accounts", "key_field": "accountnumber"}],
            "fields": [
                {"names": {"finance": "Name", "crm": "name"}, "required": true},
                {"names": {"finance": "Limit", "crm": "limit"}, "types": {"finance": "decimal", "crm": "decimal"}},
                {"names": {"finance": "Group", "crm": "category"},
                 "values": [{"finance": "10", "crm": "Retail"}, {"finance": "20", "crm": "Wholesale"}]},
                {"names": {"finance": "OnHold", "crm": "hold"},
                 "values": [{"finance": "Yes", "crm": true}, {"finance": "No", "crm": false}], "default": {"finance": "No", "crm": false}},
                {"names": {"crm": "source"}, "constant": {"crm": "finance"}, "only_to": "crm"}]
        }))
        .unwrap()
    }

    fn image(value: Value) -> Image {
        Image::Present(value.as_object().unwrap().clone())
    }

    #[test]
    fn a_record_becomes_what_the_other_side_calls_it_and_back() {
        let finance = image(json!({"Name": "Ada", "Limit": 10.50, "Group": "20", "OnHold": "Yes", "Unmapped": 1}));
        let crm = translate(&customers(), SideIx::First, &finance).unwrap();
        assert_eq!(
            crm,
            image(json!({"name": "Ada", "limit": 10.5, "category": "Wholesale", "hold": true, "source": "finance"}))
        );
        let back = translate(&customers(), SideIx::Second, &crm).unwrap();
        assert_eq!(back, image(json!({"Name": "Ada", "Limit": 10.5, "Group": "20", "OnHold": "Yes"})));
    }

    #[test]
    fn a_mapping_failure_names_the_field_and_not_the_value() {
        for (record, field, says) in [
            (json!({"Limit": 1}), "Name", "required"),
            (json!({"Name": "  "}), "Name", "empty"),
            (json!({"Name": "x", "Group": "secret"}), "Group", "no pair"),
            (json!({"Name": "x", "Limit": "secret"}), "Limit", "decimal"),
        ] {
            let error = translate(&customers(), SideIx::First, &image(record)).unwrap_err();
            assert_eq!(error.field, field);
            assert!(error.message.contains(says) && !error.message.contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn digits_arrive_as_they_were_sent_in_plain_notation() {
        let mut map = customers();
        map.fields[1].types.clear();
        for (sent, arrives) in [
            ("1884518522.1684267241", "1884518522.1684267241"),
            ("12345678901234.5678", "12345678901234.5678"),
            ("123456789012345678901234", "123456789012345678901234"),
            ("1.10", "1.10"),
            ("8.675e-6", "0.000008675"),
            (r#"[{"deep": 1e3}]"#, r#"[{"deep":1000}]"#),
            (r#""1.10""#, r#""1.10""#),
        ] {
            let record = format!(r#"{{"Name": "x", "Limit": {sent}}}"#);
            let crm = translate(&map, SideIx::First, &image(serde_json::from_str(&record).unwrap())).unwrap();
            assert_eq!(serde_json::to_value(&crm).unwrap()["present"]["limit"].to_string(), arrives);
        }
        let too_long = image(serde_json::from_str(r#"{"Name": "x", "Limit": 1e999}"#).unwrap());
        assert_eq!(translate(&map, SideIx::First, &too_long).unwrap_err().field, "Limit");
    }

    #[test]
    fn pairs_tell_the_longest_numbers_apart_however_they_are_written() {
        let mut map = customers();
        map.fields[2].values = serde_json::from_str(
            r#"[{"finance": 9007199254740992, "crm": "even"}, {"finance": 9007199254740993, "crm": "odd"}]"#,
        )
        .unwrap();
        for (sent, wanted) in
            [("9007199254740992", "even"), ("9007199254740993.0", "odd"), ("9.007199254740993e15", "odd")]
        {
            let record = format!(r#"{{"Name": "x", "Group": {sent}}}"#);
            let crm = translate(&map, SideIx::First, &image(serde_json::from_str(&record).unwrap())).unwrap();
            assert_eq!(serde_json::to_value(&crm).unwrap()["present"]["category"], wanted);
        }
    }

    #[test]
    fn a_missing_value_takes_the_default_of_the_side_it_goes_to() {
        let Image::Present(crm) = translate(&customers(), SideIx::First, &image(json!({"Name": "x"}))).unwrap() else {
            panic!()
        };
        assert_eq!(crm["hold"], json!(false));
        assert_eq!(crm["limit"], Value::Null);
    }

    #[test]
    fn what_is_carried_ignores_what_is_not_mapped_and_how_numbers_are_written() {
        let map = customers();
        let one = carried(&map, SideIx::First, &image(json!({"Name": "x", "Limit": 10, "Other": 1})));
        let two = carried(&map, SideIx::First, &image(json!({"Name": "x", "Limit": "10.00", "Other": 2})));
        assert_eq!(crate::ContentHash::of(&one), crate::ContentHash::of(&two));
        let crm = carried(&map, SideIx::Second, &image(json!({"name": "x", "source": "import"})));
        assert!(matches!(crm, Image::Present(record) if !record.contains_key("source")), "only_to is not carried back");
    }

    #[test]
    fn a_record_has_a_carried_field_or_is_none() {
        let has = |side, value: Value| has_carried_field(&customers(), side, value.as_object().unwrap());
        assert!(has(SideIx::First, json!({"Limit": null})) && has(SideIx::Second, json!({"hold": true})));
        assert!(!has(SideIx::First, json!({"name": "x", "Other": 1})) && !has(SideIx::Second, json!({"source": "x"})));
    }

    #[test]
    fn a_filter_lets_matching_records_through_and_every_delete() {
        let filters: Vec<Filter> = serde_json::from_value(
            json!([{"field": "Group", "in": ["10", "20"]}, {"field": "Test", "not_in": [true]}]),
        )
        .unwrap();
        assert!(passes(&filters, &image(json!({"Group": "10"}))));
        assert!(!passes(&filters, &image(json!({"Group": "30"}))));
        assert!(!passes(&filters, &image(json!({"Group": "10", "Test": true}))));
        assert!(passes(&filters, &Image::Absent));
    }

    proptest! {
        /// What goes over and comes back is what the guards call the same content: no endless bouncing.
        #[test]
        fn there_and_back_again_is_the_same_content(name in "[a-zA-Z ]{0,8}x", limit in proptest::option::of(-1_000_000i64..1_000_000), group in 0..2usize, hold in any::<bool>()) {
            let map = customers();
            let limit = limit.map(|cents| json!(cents as f64 / 100.0)).unwrap_or(Value::Null);
            let (group, hold) = (["10", "20"][group], if hold { "Yes" } else { "No" });
            let finance = image(json!({"Name": name, "Limit": limit, "Group": group, "OnHold": hold}));
            let back = translate(&map, SideIx::Second, &translate(&map, SideIx::First, &finance).unwrap()).unwrap();
            let hash = |image: &Image| crate::ContentHash::of(&carried(&map, SideIx::First, image));
            prop_assert_eq!(hash(&finance), hash(&back));
        }
    }
}
