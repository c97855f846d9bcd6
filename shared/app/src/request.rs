//! The request of one write: read strictly, so that a caller's mistake is named and nothing is guessed.

use domain::{
    ContentHash, MapConfig, Record, RecordKey, SideId, SideIx, Timestamp, WriteId,
    id::MapId,
    lane::{Arrival, LaneVersion, Mode},
    limits::MAX_NESTING,
    map::KeyTemplate,
    record::{Image, find_too_deep},
    side::Mistake,
};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A write as a caller sends it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WriteRequest {
    /// The caller's id: a ULID or a `UUIDv7`.
    pub id: WriteId,
    /// The map.
    pub map: MapId,
    /// The record.
    pub key: RecordKey,
    /// Upsert (default) or delete.
    #[serde(default)]
    pub op: Op,
    /// The side that has the change already. Absent: neither has it, both are written.
    #[serde(default)]
    pub origin: Option<SideId>,
    /// Without `origin`: whose field names `record` uses. Default: the map's first side.
    #[serde(default)]
    pub shape: Option<SideId>,
    /// Whether the caller can still roll back.
    #[serde(default, deserialize_with = "caller_mode")]
    pub mode: Mode,
    /// The whole record.
    #[serde(default)]
    pub record: Option<Record>,
    /// The record before the change; `null`: it did not exist. Absent: not told.
    #[serde(default, deserialize_with = "told")]
    pub before: Option<Option<Record>>,
    /// The newest `Tandem-Version` that the caller had received for this record.
    #[serde(default)]
    pub base: Option<LaneVersion>,
    /// The caller's own version of the record: grows with every change.
    #[serde(default, deserialize_with = "counter")]
    pub version: Option<u64>,
    /// When the caller committed the change, RFC 3339.
    #[serde(default, deserialize_with = "rfc3339")]
    pub committed_at: Option<Timestamp>,
    /// Fingerprint of the request without its id.
    #[serde(skip, default = "no_hash")]
    pub body: ContentHash,
}

/// What is done to the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It is made or changed.
    #[default]
    Upsert,
    /// It is deleted.
    Delete,
}

/// The modes that a caller may choose.
fn caller_mode<'de, D: Deserializer<'de>>(from: D) -> Result<Mode, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum CallerMode {
        Sync,
        Committed,
    }
    Ok(match CallerMode::deserialize(from)? {
        CallerMode::Sync => Mode::Sync,
        CallerMode::Committed => Mode::Committed,
    })
}

fn no_hash() -> ContentHash {
    ContentHash(0)
}

fn told<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Option<Record>>, D::Error> {
    Option::<Record>::deserialize(from).map(Some)
}

fn counter<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let number = Option::<serde_json::Number>::deserialize(from)?;
    let fits = |number: serde_json::Number| number.as_u64();
    number
        .map(|number| fits(number).ok_or("must be a whole number from 0 to 18446744073709551615"))
        .transpose()
        .map_err(serde::de::Error::custom)
}

fn rfc3339<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    text.map(|text| Timestamp::parse(&text)).transpose().map_err(serde::de::Error::custom)
}

/// One mistake, as a list.
pub(crate) fn mistake(field: &str, message: impl Into<String>) -> Vec<Mistake> {
    vec![Mistake { field: field.to_owned(), message: message.into() }]
}

impl WriteRequest {
    /// Reads a request from JSON.
    ///
    /// # Errors
    /// Names the field and what is wrong with it.
    pub fn from_value(mut value: Value) -> Result<Self, Vec<Mistake>> {
        if !value.is_object() {
            return Err(mistake("", "must be an object")); // serde would take a list for a struct's fields
        }
        let mut request: Self = serde_path_to_error::deserialize(&value).map_err(|error| {
            let path = error.path().to_string();
            let field = if path == "." { String::new() } else { path };
            mistake(&field, error.into_inner().to_string())
        })?;
        let records = [("record", &request.record), ("before", request.before.as_ref().unwrap_or(&None))];
        for (at, record) in records {
            if let Some(field) = record.as_ref().and_then(find_too_deep) {
                let says = format!("nests lists and objects deeper than {MAX_NESTING} levels");
                return Err(mistake(&format!("{at}.{field}"), says));
            }
        }
        if let Some(fields) = value.as_object_mut() {
            fields.remove("id");
        }
        request.body = ContentHash::of_value(&value);
        Ok(request)
    }

    /// The write in terms of its map.
    ///
    /// # Errors
    /// Names the fields that do not fit the map, or each other.
    pub fn arrival(&self, map: &MapConfig) -> Result<Arrival, Vec<Mistake>> {
        let known = |field: &str, side: &SideId| {
            map.side_ix(side).ok_or_else(|| {
                let (one, two) = (&map.sides[0].side, &map.sides[1].side);
                mistake(field, format!("is no side of map {}: it joins {one} and {two}", self.map))
            })
        };
        let origin = self.origin.as_ref().map(|side| known("origin", side)).transpose()?;
        let shape = self.shape.as_ref().map(|side| known("shape", side)).transpose()?;
        let shape = match (origin, shape) {
            (Some(origin), Some(shape)) if origin != shape => {
                return Err(mistake("shape", "must be the origin, whose record this is; leave it out"));
            }
            (Some(side), _) | (None, Some(side)) => side,
            (None, None) => SideIx::First,
        };
        if origin.is_none() {
            for (field, given) in [
                ("before", self.before.is_some()),
                ("base", self.base.is_some()),
                ("version", self.version.is_some()),
                ("committed_at", self.committed_at.is_some()),
            ] {
                if given {
                    return Err(mistake(field, "is told by the app that has the change: it needs `origin`"));
                }
            }
        }
        let image = match (self.op, &self.record) {
            (Op::Delete, None) => Image::Absent,
            (Op::Delete, Some(_)) => return Err(mistake("record", "must be left out when `op` is delete")),
            (Op::Upsert, None) => {
                return Err(mistake("record", "is missing: the whole record, in the origin's field names"));
            }
            (Op::Upsert, Some(record)) => Image::Present(self.without_key("record", (map, shape), record)?),
        };
        let before = match &self.before {
            None => None,
            Some(None) => Some(Image::Absent),
            Some(Some(record)) => Some(Image::Present(self.without_key("before", (map, shape), record)?)),
        };
        let Self { id, body, mode, base, version, committed_at, .. } = *self;
        Ok(Arrival { id, body, origin, shape, mode, image, before, base, version, committed_at })
    }

    /// The record without the fields of its key, which must say what `key` and the map say.
    fn without_key(
        &self,
        at: &str,
        (map, shape): (&MapConfig, SideIx),
        record: &Record,
    ) -> Result<Record, Vec<Mistake>> {
        let end = map.side(shape);
        let mut record = record.clone();
        let says = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        let key = map.canonical_key(&self.key).map_err(|says| mistake("key", says))?;
        let template = KeyTemplate::of(&end.key_field);
        let parts = template.split(key.as_str()).map_err(|says| mistake("key", says))?;
        for (name, part) in template.fields.iter().zip(parts) {
            let kind = end.key_types.get(*name).copied().unwrap_or_default();
            let spelled = |text: &str| {
                let text = map.key_rule.canonical_text(text);
                kind.canonical(&text).unwrap_or(text)
            };
            let same = |value: &Value| says(value).is_some_and(|text| spelled(&text) == part);
            if record.remove(*name).is_some_and(|value| !same(&value)) {
                return Err(mistake(&format!("{at}.{name}"), "is another key than `key`"));
            }
        }
        for (name, fixed) in &end.fixed_key {
            if record.remove(name).is_some_and(|value| says(&value) != says(fixed)) {
                return Err(mistake(
                    &format!("{at}.{name}"),
                    "is another key than the map's: this record is not one of its",
                ));
            }
        }
        Ok(record)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map() -> MapConfig {
        serde_json::from_value(json!({
            "sides": [{"side": "finance", "entity": "Customers", "key_field": "Account"},
                      {"side": "crm", "entity": "accounts", "key_field": "number"}],
            "fields": [{"names": {"finance": "Name", "crm": "name"}}]}))
        .unwrap()
    }

    fn good() -> Value {
        json!({"id": "01KAQ5Z3S8XYZABCDEFGHJKMNP", "map": "customers", "key": "C-1", "origin": "finance",
               "record": {"Name": "Ada", "Account": "C-1"}, "before": null, "committed_at": "2026-11-23T10:00:00Z"})
    }

    fn with(changes: Value) -> Value {
        let mut request = good();
        for (field, value) in changes.as_object().unwrap() {
            if value == "-" {
                request.as_object_mut().unwrap().remove(field);
            } else {
                request[field] = value.clone();
            }
        }
        request
    }

    #[test]
    fn a_write_is_read_in_terms_of_its_map() {
        let arrival = WriteRequest::from_value(good()).unwrap().arrival(&map()).unwrap();
        assert_eq!((arrival.origin, arrival.shape, arrival.mode), (Some(SideIx::First), SideIx::First, Mode::Sync));
        assert_eq!(arrival.image, Image::Present(json!({"Name": "Ada"}).as_object().unwrap().clone()));
        assert_eq!(arrival.before, Some(Image::Absent));
        assert_eq!(arrival.committed_at, Some(Timestamp(1_795_428_000_000)));
    }

    #[test]
    fn a_record_of_another_company_is_not_one_of_the_map() {
        let mut map = map();
        map.sides[0].fixed_key.insert("dataAreaId".to_owned(), json!("usmf"));
        let arrival = |company: Value| {
            let record = json!({"Name": "Ada", "Account": "C-1", "dataAreaId": company});
            WriteRequest::from_value(with(json!({"record": record}))).unwrap().arrival(&map)
        };
        assert_eq!(
            arrival(json!("usmf")).unwrap().image,
            Image::Present(json!({"Name": "Ada"}).as_object().unwrap().clone())
        );
        assert_eq!(arrival(json!("demf")).unwrap_err()[0].field, "record.dataAreaId");
    }

    #[test]
    fn a_key_of_several_fields_is_what_the_fields_of_the_record_say() {
        let mut map = map();
        map.sides[0].key_field = "{dataAreaId}|{Account}|{Line}".to_owned();
        map.sides[0].key_types = serde_json::from_value(json!({"Line": "number"})).unwrap();
        let arrival = |key: &str, record: Value| {
            WriteRequest::from_value(with(json!({"key": key, "record": record}))).unwrap().arrival(&map)
        };
        let record = json!({"Name": "Ada", "dataAreaId": "usmf", "Account": "C-1", "Line": 7});
        let image = arrival("usmf|C-1|7", record.clone()).unwrap().image;
        assert_eq!(image, Image::Present(json!({"Name": "Ada"}).as_object().unwrap().clone()));
        assert!(arrival("usmf|C-1|7", json!({"Name": "Ada"})).is_ok(), "a record need not repeat its key");
        for (key, field) in [
            ("demf|C-1|7", "record.dataAreaId"),
            ("usmf|C-2|7", "record.Account"),
            ("usmf|C-1|8", "record.Line"),
            ("usmf|C-1", "key"),
            ("usmf|C|1|7", "key"),
        ] {
            assert_eq!(arrival(key, record.clone()).unwrap_err()[0].field, field, "{key}");
        }
    }

    #[test]
    fn the_fingerprint_is_of_everything_but_the_id() {
        let body = |value| WriteRequest::from_value(value).unwrap().body;
        assert_eq!(body(good()), body(with(json!({"id": "01KAQ5Z3S8XYZABCDEFGHJKMNQ"}))));
        assert_ne!(body(good()), body(with(json!({"key": "C-2"}))));
        assert_ne!(body(good()), body(with(json!({"mode": "committed"}))));
    }

    #[test]
    fn every_mistake_names_its_field() {
        let deep = (0..=MAX_NESTING).fold(json!(1), |inner, _| json!([inner]));
        for (request, field, says) in [
            (json!(["01KAQ5Z3S8XYZABCDEFGHJKMNP", "customers", "C-1"]), "", "must be an object"),
            (with(json!({"id": "-"})), "", "missing field `id`"),
            (with(json!({"id": 5})), "id", "expected"),
            (with(json!({"id": "x"})), "id", "ULID"),
            (with(json!({"map": "Customers"})), "map", "a-z"),
            (with(json!({"key": ""})), "key", "empty"),
            (with(json!({"key": "x".repeat(257)})), "key", "257 bytes"),
            (with(json!({"colour": 1})), "colour", "unknown field"),
            (with(json!({"op": "merge"})), "op", "unknown variant"),
            (with(json!({"record": "x"})), "record", "map"),
            (with(json!({"record": {"Tags": deep.clone()}})), "record.Tags", "deeper than 64 levels"),
            (with(json!({"before": {"Tags": deep}})), "before.Tags", "deeper than 64 levels"),
            (with(json!({"version": -1})), "version", "whole number"),
            (with(json!({"version": 1.5})), "version", "whole number"),
            (with(json!({"version": "1"})), "version", "number"),
            (with(json!({"base": "7"})), "base", "version that Tandem sent"),
            (with(json!({"committed_at": "now"})), "committed_at", "RFC 3339"),
            (with(json!({"origin": "erp"})), "origin", "no side of map customers"),
            (with(json!({"shape": "crm"})), "shape", "must be the origin"),
            (with(json!({"origin": "-"})), "before", "needs `origin`"),
            (with(json!({"record": "-"})), "record", "is missing"),
            (with(json!({"op": "delete"})), "record", "left out"),
            (with(json!({"record": {"Account": "C-2"}})), "record.Account", "another key"),
        ] {
            let errors =
                WriteRequest::from_value(request.clone()).and_then(|r| r.arrival(&map()).map(|_| ())).unwrap_err();
            assert_eq!(errors[0].field, field, "{request} {errors:?}");
            assert!(errors[0].message.contains(says), "{request} {errors:?}");
        }
    }
}
