//! Field mappings: what a record of one side becomes on the other. One definition serves both directions.

mod check;
mod compare;
mod convert;
mod fit;
mod form;
mod lookup;
mod winners;
mod zone;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::{
    check::mistakes, compare::Compare, convert::FieldType, fit::find_type_mistake, form::in_stored_form,
    lookup::Lookup, winners::FieldWinners, zone::Zone,
};
use crate::{
    id::SideId,
    map::{MapConfig, MapSide, SideIx},
    record::{ContentHash, Image, Record, number},
};

/// One field of the map.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldMapping {
    /// The field's name on each side. A field that only one side has needs a `constant` there.
    pub names: BTreeMap<SideId, String>,
    /// What the field was called on a side before it was renamed: changes that have waited since then have that name. It counts where
    /// a record lacks the new name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub former_names: BTreeMap<SideId, String>,
    /// The type on each side; values are converted. A side without a type takes the value as it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<SideId, FieldType>,
    /// Pairs of equal meaning. A value in no pair is an error.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<BTreeMap<SideId, Value>>,
    /// On a side where the field refers to another record: what it refers to. `names` has the lookup's name, e.g.
    /// `primarycontactid`; it is written as `primarycontactid@odata.bind`, and read as `_primarycontactid_value`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lookup: BTreeMap<SideId, Lookup>,
    /// Written to this side when the other has no value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub default: BTreeMap<SideId, Value>,
    /// What a side has where there is no value: Finance & Operations has a blank text, and 1900-01-01T00:00:00Z for no date. It
    /// is read as no value, and written for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nothing: BTreeMap<SideId, Value>,
    /// Always written to this side, whatever the other has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub constant: BTreeMap<SideId, Value>,
    /// A record without a value here is an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// When two values of the field count as equal.
    #[serde(default, skip_serializing_if = "Compare::is_default")]
    pub compare: Compare,
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

const TOO_LONG: &str = "has a number of more digits than can be written";

/// What an image of side `from` becomes on the other side.
///
/// # Errors
/// A required value is missing, a value is in no pair, or cannot be converted.
pub fn translate(map: &MapConfig, from: SideIx, image: &Image) -> Result<Image, MappingError> {
    let Image::Present(record) = image else { return Ok(Image::Absent) };
    translate_fields(map, from, record, |_, _| true).map(Image::Present)
}

/// What some fields of a record of side `from` become on the other side.
fn translate_fields(
    map: &MapConfig,
    from: SideIx,
    record: &Record,
    wanted: impl Fn(usize, &FieldMapping) -> bool,
) -> Result<Record, MappingError> {
    let (source, target) = (&map.side(from).side, &map.side(from.other()).side);
    let mut out = Record::new();
    for (_, field) in map.fields.iter().enumerate().filter(|(at, field)| wanted(*at, field)) {
        let Some(target_name) = field.names.get(target) else { continue };
        if field.only_to.as_ref().is_some_and(|only| only != target) {
            continue;
        }
        let value = field.translate(map, from, record)?;
        match field.lookup.get(target) {
            None => drop(out.insert(target_name.clone(), value)),
            Some(lookup) => {
                let wrong = |message| MappingError { field: field.name_on(source), message };
                out.insert(lookup::bind_name(target_name), lookup.bind(&value).map_err(wrong)?);
            }
        }
    }
    Ok(out)
}

/// The part of an image that this map carries away from side `of`, in canonical form: what is hashed for the guards.
/// Values that the map would convert alike hash alike, so an app that answers `10.50` for `10.5` still is an echo.
#[must_use]
pub fn carried(map: &MapConfig, of: SideIx, image: &Image) -> Image {
    let Image::Present(record) = image else { return Image::Absent };
    let side = &map.side(of).side;
    Image::Present(canonical_fields(map, of, record, |_, field| field.only_to.as_ref() != Some(side)))
}

/// Some fields of a record of side `of`, in canonical form.
fn canonical_fields(
    map: &MapConfig,
    of: SideIx,
    record: &Record,
    wanted: impl Fn(usize, &FieldMapping) -> bool,
) -> Record {
    let side = &map.side(of).side;
    let mut out = Record::new();
    for (_, field) in map.fields.iter().enumerate().filter(|(at, field)| wanted(*at, field)) {
        let Some(name) = field.names.get(side) else { continue };
        let value = field.value_on(map.side(of), record);
        let canonical = field.canonical(map.side(of), &value).unwrap_or(value);
        out.insert(name.clone(), canonical);
    }
    out
}

/// The carried part of an image as it is compared: values that the rules of their fields call equal are alike.
#[must_use]
pub fn compared(map: &MapConfig, of: SideIx, image: &Image) -> Image {
    match carried(map, of, image) {
        Image::Present(record) => Image::Present(normalized(map, of, record)),
        Image::Absent => Image::Absent,
    }
}

/// Canonical fields of side `of` as they are compared.
fn normalized(map: &MapConfig, of: SideIx, mut record: Record) -> Record {
    let side = &map.side(of).side;
    for field in &map.fields {
        if let Some(value) = field.names.get(side).and_then(|name| record.get_mut(name)) {
            *value = field.compare.normalize(value.take());
        }
    }
    record
}

/// A record of a side as it is written to that side itself, with the fields that are only written there.
///
/// # Errors
/// A value cannot be written.
pub fn rewritten(map: &MapConfig, to: SideIx, record: &Record) -> Result<Record, MappingError> {
    as_written(map, to, canonical_fields(map, to, record, |_, field| field.is_written_to(&map.side(to).side)))
}

/// The canonical fields of a side as they are written to that side itself: with its constants, and with its lookups bound.
///
/// # Errors
/// A value cannot be written.
pub fn as_written(map: &MapConfig, to: SideIx, mut own: Record) -> Result<Record, MappingError> {
    let side = &map.side(to).side;
    for field in &map.fields {
        let Some(name) = field.names.get(side) else { continue };
        if let Some(constant) = field.constant.get(side) {
            own.insert(name.clone(), constant.clone());
        }
        let wrong = |message: String| MappingError { field: name.clone(), message };
        let Some(value) = own.remove(name).map(|value| field.or_nothing(side, value)) else { continue };
        let value = number::with_plain_numbers(value).ok_or_else(|| wrong(TOO_LONG.to_owned()))?;
        match field.lookup.get(side) {
            None => own.insert(name.clone(), value),
            Some(lookup) => own.insert(lookup::bind_name(name), lookup.bind(&value).map_err(wrong)?),
        };
    }
    Ok(own)
}

/// Whether a record that an app answered has any of the fields that this map carries away from side `of`. Without one it is
/// another thing than the record, or the app hides them: copied, it would blank the fields of the other side.
#[must_use]
pub fn has_carried_field(map: &MapConfig, of: SideIx, record: &Record) -> bool {
    let side = &map.side(of).side;
    let mut carried = map.fields.iter().filter(|field| field.only_to.as_ref() != Some(side));
    carried.any(|field| record.keys().any(|name| field.is_called(side, name)))
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
    fn translate(&self, map: &MapConfig, from: SideIx, record: &Record) -> Result<Value, MappingError> {
        let (here, there) = (map.side(from), map.side(from.other()));
        let (source, target) = (&here.side, &there.side);
        if let Some(constant) = self.constant.get(target) {
            return Ok(constant.clone());
        }
        let error = |message: &str| MappingError { field: self.name_on(source), message: message.to_owned() };
        let value = &self.value_on(here, record);
        if value.is_null() {
            return match self.default.get(target) {
                Some(default) => Ok(default.clone()),
                None if self.required => Err(error("is required and has no value")),
                None => Ok(self.or_nothing(target, Value::Null)),
            };
        }
        if self.required && value.as_str().is_some_and(|text| text.trim().is_empty()) {
            return Err(error("is required and is empty"));
        }
        let value = self.canonical(here, value).map_err(|says| error(&says))?;
        let value = self.pair(source, target, value).map_err(|says| error(&says))?;
        let is_time = |side| matches!(self.types.get(side), Some(FieldType::Datetime | FieldType::LocalDatetime));
        let value = match &here.time_zone {
            // As it is written, if the clocks of both sides show the same.
            Some(zone) if is_time(target) && there.time_zone.as_ref() != Some(zone) => convert::in_utc(zone, value),
            Some(zone) if self.types.get(target) == Some(&FieldType::Datetime) => convert::in_utc(zone, value),
            None if self.types.get(target) == Some(&FieldType::Datetime) && convert::is_local(&value) => {
                return Err(error(convert::NO_ZONE));
            }
            _ => value,
        };
        let value = self.canonical(there, &value).map_err(|says| error(&says))?;
        number::with_plain_numbers(value).ok_or_else(|| error(TOO_LONG))
    }

    /// The value of a side in the one form that its type has there; as it is, without a type.
    fn canonical(&self, end: &MapSide, value: &Value) -> Result<Value, String> {
        match self.types.get(&end.side) {
            Some(kind) => convert::canonical(*kind, end.time_zone.as_ref(), value),
            None => Ok(value.clone()),
        }
    }

    /// Whether the field is written to a side: it has a name there, and is not of the other direction alone.
    fn is_written_to(&self, side: &SideId) -> bool {
        self.names.contains_key(side) && self.only_to.as_ref().is_none_or(|only| only == side)
    }

    fn name_on(&self, side: &SideId) -> String {
        self.names.get(side).cloned().unwrap_or_default()
    }

    /// The member in which a side answers the field, if the side has it: a lookup is read from another one than it is written to.
    #[must_use]
    pub fn member_on(&self, side: &SideId) -> Option<String> {
        let name = self.names.get(side)?;
        Some(if self.lookup.contains_key(side) { lookup::value_name(name) } else { name.clone() })
    }

    /// The field's value in a record of a side; null if there is none.
    fn value_on(&self, end: &MapSide, record: &Record) -> Value {
        let side = &end.side;
        let Some(name) = self.names.get(side) else { return Value::Null };
        let value = match self.lookup.get(side) {
            Some(lookup) => lookup.value(name, record),
            None => record.get(name).or_else(|| record.get(self.former_names.get(side)?)).cloned().unwrap_or_default(),
        };
        match self.nothing.get(side) {
            Some(nothing) if self.fingerprint(end, nothing) == self.fingerprint(end, &value) => Value::Null,
            _ => value,
        }
    }

    /// The value to write to the side: null becomes what stands for no value there.
    fn or_nothing(&self, side: &SideId, value: Value) -> Value {
        if value.is_null() { self.nothing.get(side).cloned().unwrap_or_default() } else { value }
    }

    /// Values of a side that its type calls equal have the same.
    fn fingerprint(&self, end: &MapSide, value: &Value) -> ContentHash {
        ContentHash::of_value(self.canonical(end, value).as_ref().unwrap_or(value))
    }

    /// Whether a member of a side's record is this field.
    #[must_use]
    pub fn is_called(&self, side: &SideId, member: &str) -> bool {
        let former = self.former_names.get(side).is_some_and(|name| name == member);
        former
            || self.names.get(side).is_some_and(|name| match self.lookup.get(side) {
                None => name == member,
                Some(_) => member == lookup::bind_name(name) || member == lookup::value_name(name) || member == name,
            })
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
mod fuzz;
#[cfg(test)]
pub(crate) mod tests;
