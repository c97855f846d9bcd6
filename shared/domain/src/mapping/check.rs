//! Mistakes in a map's fields, found before they meet a record.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{FieldMapping, FieldType};
use crate::{
    id::SideId,
    limits::{MAX_FIELDS, MAX_VALUES},
    map::{KeyTemplate, MapConfig},
    side::Mistake,
};

/// Every mistake in the fields and filters of a map, each with the field it is in.
#[must_use]
pub fn mistakes(map: &MapConfig) -> Vec<Mistake> {
    let sides = [&map.sides[0].side, &map.sides[1].side];
    let mut findings = Findings(Vec::new());
    if map.fields.is_empty() || map.fields.len() > MAX_FIELDS {
        findings.add("fields", &format!("must be 1 to {MAX_FIELDS} fields"));
    }
    let mut names = BTreeSet::new();
    for (i, field) in map.fields.iter().enumerate().take(MAX_FIELDS) {
        let at = format!("fields[{i}]");
        known_sides(&mut findings, &at, field, &sides);
        for (side, name) in &field.names {
            if name.is_empty() || name.len() > 128 || name.contains(char::is_control) {
                findings.add(&format!("{at}.names.{side}"), "must be 1 to 128 characters");
            }
            if map.sides.iter().any(|end| end.side == *side && end.is_key(name)) {
                findings.add(&format!("{at}.names.{side}"), "is the key field: the record key is carried anyway");
            }
            if name.contains('@') {
                findings.add(&format!("{at}.names.{side}"), "is an annotation and no field: a reference is a `lookup`");
            }
            if !names.insert((side, name)) {
                findings.add(&format!("{at}.names.{side}"), "is mapped twice");
            }
        }
        if field.compare.decimals.is_some_and(|decimals| decimals > 30) {
            findings.add(&format!("{at}.compare.decimals"), "must be 0 to 30");
        }
        directions(&mut findings, &at, field, map);
        for end in map.sides.iter().filter(|end| end.time_zone.is_none()) {
            if field.types.get(&end.side) == Some(&FieldType::LocalDatetime) {
                findings.add(&format!("{at}.types.{}", end.side), "needs the time_zone of that side");
            }
        }
        values(&mut findings, &at, field, &sides);
    }
    former_names(&mut findings, map);
    for (i, end) in map.sides.iter().enumerate() {
        for (j, filter) in end.filter.iter().enumerate() {
            if filter.any_of.is_none() == filter.none_of.is_none() {
                findings.add(&format!("sides[{i}].filter[{j}]"), "must have either `in` or `not_in`");
            }
        }
    }
    findings.0
}

struct Findings(Vec<Mistake>);

impl Findings {
    fn add(&mut self, field: &str, message: &str) {
        self.0.push(Mistake { field: field.to_owned(), message: message.to_owned() });
    }
}

/// A former name that another field has now would give its value to both.
fn former_names(findings: &mut Findings, map: &MapConfig) {
    for (i, field) in map.fields.iter().enumerate().take(MAX_FIELDS) {
        for (side, former) in &field.former_names {
            let at = format!("fields[{i}].former_names.{side}");
            if field.lookup.contains_key(side) {
                findings.add(&at, "is of a lookup: rename it when nothing waits");
            }
            let taken = |other: &FieldMapping| other.names.get(side) == Some(former);
            let twice = |other: &FieldMapping| other.former_names.get(side) == Some(former);
            if map.fields.iter().any(taken) || map.fields.iter().filter(|other| twice(other)).count() > 1 {
                findings.add(&at, "is the name of another field, too");
            }
        }
    }
}

fn known_sides(findings: &mut Findings, at: &str, field: &FieldMapping, sides: &[&SideId; 2]) {
    let mut check = |part: &str, side: &SideId| {
        if !sides.contains(&side) {
            findings.add(&format!("{at}.{part}.{side}"), "is not one of the map's two sides");
        }
    };
    field.names.keys().for_each(|side| check("names", side));
    field.former_names.keys().for_each(|side| check("former_names", side));
    field.types.keys().for_each(|side| check("types", side));
    field.default.keys().for_each(|side| check("default", side));
    field.nothing.keys().for_each(|side| check("nothing", side));
    field.constant.keys().for_each(|side| check("constant", side));
    field.lookup.keys().for_each(|side| check("lookup", side));
    field.only_to.iter().for_each(|side| check("only_to", side));
    field.values.iter().flat_map(|pair| pair.keys()).for_each(|side| check("values", side));
}

/// Each direction in which the field is written must know where the value comes from.
fn directions(findings: &mut Findings, at: &str, field: &FieldMapping, map: &MapConfig) {
    let sides = [&map.sides[0].side, &map.sides[1].side];
    if field.names.is_empty() {
        findings.add(&format!("{at}.names"), "must name the field on at least one side");
    }
    if let Some(only) = field.only_to.as_ref().filter(|only| !field.names.contains_key(*only)) {
        findings.add(&format!("{at}.only_to"), &format!("has no name on {only}: the field would never be written"));
    }
    for (source, target) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        let written = field.names.contains_key(target) && field.only_to.as_ref().is_none_or(|only| only == target);
        if written && !field.names.contains_key(source) && !field.constant.contains_key(target) {
            findings.add(&format!("{at}.names"), &format!("has no name on {source} and no constant for {target}"));
        }
    }
    for (side, lookup) in &field.lookup {
        let path = format!("{at}.lookup.{side}");
        let is_name = |text: &str| {
            (1..=128).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        };
        let is_key = |key: &str| {
            KeyTemplate::parse(key).is_ok_and(|template| {
                template.fields.iter().all(|field| is_name(field))
                    && lookup.key_types.keys().all(|field| template.fields.contains(&field.as_str()))
            })
        };
        if !field.names.contains_key(side) {
            findings.add(&path, "is of a side on which the field has no name");
        }
        if !is_name(&lookup.entity) || lookup.key.as_deref().is_some_and(|key| !is_key(key)) {
            findings
                .add(&path, "must have names of 1 to 128 letters, digits, `_`, `-` and `.`, and key_types of these");
        }
        if lookup.key.is_some() && field.only_to.as_ref() != Some(side) {
            findings.add(
                &path,
                &format!("is by an alternate key, which {side} does not answer: it cannot be read back. Set only_to"),
            );
        }
    }
    for (part, given) in [("default", &field.default), ("nothing", &field.nothing), ("constant", &field.constant)] {
        for (side, value) in given {
            let end = map.sides.iter().find(|end| end.side == *side);
            if end.is_some_and(|end| field.canonical(end, value).is_err()) {
                findings.add(&format!("{at}.{part}.{side}"), "is not of the field's type");
            }
        }
    }
}

/// A value map must be readable in each direction it is used in.
fn values(findings: &mut Findings, at: &str, field: &FieldMapping, sides: &[&SideId; 2]) {
    if field.values.len() > MAX_VALUES {
        findings.add(&format!("{at}.values"), &format!("has more than {MAX_VALUES} pairs"));
        return;
    }
    for (i, pair) in field.values.iter().enumerate() {
        if sides.iter().any(|side| pair.get(side).is_none_or(Value::is_null)) {
            findings.add(&format!("{at}.values[{i}]"), "must have a value for both sides");
        }
    }
    for (source, target) in [(sides[0], sides[1]), (sides[1], sides[0])] {
        if field.only_to.as_ref().is_some_and(|only| only != target) {
            continue;
        }
        let mut seen = BTreeSet::new();
        for value in field.values.iter().filter_map(|pair| pair.get(source)) {
            if !seen.insert(value.to_string()) {
                findings.add(
                    &format!("{at}.values"),
                    &format!("has {value} of {source} twice: it cannot be read back (or set only_to)"),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::tests::customers;

    #[test]
    fn the_sample_map_has_no_mistakes() {
        assert_eq!(customers().mistakes(), []);
    }

    #[test]
    fn every_mistake_in_a_field_is_named() {
        for (field, at, says) in [
            (json!({"names": {}}), "fields[0].names", "at least one"),
            (json!({"names": {"finance": "A"}, "only_to": "finance"}), "fields[0].names", "no constant"),
            (json!({"names": {"finance": "A", "erp": "b"}}), "fields[0].names.erp", "two sides"),
            (json!({"names": {"finance": "", "crm": "b"}}), "fields[0].names.finance", "1 to 128"),
            (json!({"names": {"finance": "CustomerAccount", "crm": "b"}}), "fields[0].names.finance", "key field"),
            (json!({"names": {"finance": "A", "crm": "b"}, "values": [{"finance": 1}]}), "fields[0].values[0]", "both"),
            (
                json!({"names": {"finance": "A", "crm": "b"}, "values": [{"finance": 1, "crm": 2}, {"finance": 3, "crm": 2}]}),
                "fields[0].values",
                "twice",
            ),
            (
                json!({"names": {"finance": "A", "crm": "b"}, "types": {"crm": "integer"}, "default": {"crm": "x"}}),
                "fields[0].default.crm",
                "type",
            ),
            (
                json!({"names": {"finance": "A", "crm": "b"}, "types": {"crm": "datetime"}, "nothing": {"crm": "never"}}),
                "fields[0].nothing.crm",
                "type",
            ),
        ] {
            let mut map = customers();
            map.fields = vec![serde_json::from_value(field.clone()).unwrap()];
            let findings = mistakes(&map);
            assert!(findings.iter().any(|m| m.field == at && m.message.contains(says)), "{field}: {findings:?}");
        }
    }

    #[test]
    fn each_number_has_its_limit() {
        let with_fields = |count: usize| {
            let mut map = customers();
            let field =
                |n| serde_json::from_value(json!({"names": {"finance": format!("F{n}"), "crm": format!("c{n}")}}));
            map.fields = (0..count).map(|n| field(n).unwrap()).collect();
            mistakes(&map)
        };
        assert_eq!(with_fields(MAX_FIELDS), []);
        assert!(with_fields(MAX_FIELDS + 1).iter().any(|m| m.field == "fields" && m.message.contains("200")));
        let with_field = |field: Value| {
            let mut map = customers();
            map.fields = vec![serde_json::from_value(field).unwrap()];
            mistakes(&map)
        };
        let named = |name: &str| with_field(json!({"names": {"finance": name, "crm": "b"}}));
        assert_eq!(named(&"n".repeat(128)), []);
        assert_eq!((named(&"n".repeat(129)).len(), named("a\nb").len()), (1, 1));
        let valued = |count: usize| {
            let values: Vec<_> = (0..count).map(|n| json!({"finance": n, "crm": n})).collect();
            with_field(json!({"names": {"finance": "A", "crm": "b"}, "values": values}))
        };
        assert_eq!(valued(MAX_VALUES), []);
        assert!(valued(MAX_VALUES + 1)[0].message.contains("500"));
    }

    #[test]
    fn a_filter_says_what_passes_or_what_does_not_and_not_both() {
        let filtered = |filter: Value| {
            let mut map = customers();
            map.sides[1].filter = vec![serde_json::from_value(filter).unwrap()];
            mistakes(&map).into_iter().map(|mistake| mistake.field).collect::<Vec<_>>()
        };
        assert_eq!(filtered(json!({"field": "a", "in": [1]})), [""; 0]);
        assert_eq!(filtered(json!({"field": "a", "not_in": [1]})), [""; 0]);
        for wrong in [json!({"field": "a"}), json!({"field": "a", "in": [1], "not_in": [2]})] {
            assert_eq!(filtered(wrong), ["sides[1].filter[0]"]);
        }
    }

    #[test]
    fn each_direction_needs_a_source_and_readable_values() {
        for field in [
            json!({"names": {"finance": "A"}, "only_to": "finance", "constant": {"finance": 1}}),
            json!({"names": {"finance": "A", "crm": "b"}, "only_to": "crm", "values": [{"finance": 1, "crm": 2}, {"finance": 3, "crm": 2}]}),
            json!({"names": {"finance": "A", "crm": "b"}, "types": {"crm": "integer"}, "default": {"crm": 7}}),
        ] {
            let mut map = customers();
            map.fields = vec![serde_json::from_value(field.clone()).unwrap()];
            assert_eq!(mistakes(&map), [], "{field}");
        }
        let mut map = customers();
        let constant =
            json!({"names": {"finance": "A", "crm": "b"}, "types": {"crm": "integer"}, "constant": {"crm": "x"}});
        map.fields = vec![serde_json::from_value(constant).unwrap()];
        assert_eq!(mistakes(&map)[0].field, "fields[0].constant.crm");
        map.fields = vec![serde_json::from_value(json!({"names": {"finance": "A"}, "only_to": "crm"})).unwrap()];
        assert_eq!(mistakes(&map).into_iter().map(|m| m.field).collect::<Vec<_>>(), ["fields[0].only_to"]);
        for (field, at) in [
            (json!({"names": {"finance": "A", "crm": "b@odata.bind"}}), "fields[0].names.crm"),
            (
                json!({"names": {"finance": "A", "crm": "b"}, "lookup": {"crm": {"entity": "c", "key": "n"}}}),
                "fields[0].lookup.crm",
            ),
            (
                json!({"names": {"finance": "A", "crm": "b"}, "lookup": {"crm": {"entity": "c(1)"}}}),
                "fields[0].lookup.crm",
            ),
            (
                json!({"names": {"finance": "A", "crm": "b"}, "lookup": {"erp": {"entity": "c"}}}),
                "fields[0].lookup.erp",
            ),
        ] {
            map.fields = vec![serde_json::from_value(field.clone()).unwrap()];
            assert!(mistakes(&map).iter().any(|m| m.field == at), "{field}: {:?}", mistakes(&map));
        }
        let one_way = json!({"names": {"finance": "A", "crm": "b"}, "only_to": "crm", "lookup": {"crm": {"entity": "c", "key": "n"}}});
        map.fields = vec![serde_json::from_value(one_way).unwrap()];
        assert_eq!(mistakes(&map), []);
        for part in ["types", "default", "nothing", "constant", "values", "only_to"] {
            let mut field = json!({"names": {"finance": "A", "crm": "b"}});
            field[part] = match part {
                "types" => json!({"erp": "text"}),
                "values" => json!([{"finance": 1, "crm": 2, "erp": 3}]),
                "only_to" => json!("erp"),
                _ => json!({"erp": 1}),
            };
            let mut map = customers();
            map.fields = vec![serde_json::from_value(field).unwrap()];
            assert!(mistakes(&map).iter().any(|m| m.field == format!("fields[0].{part}.erp")), "{part}");
        }
    }

    #[test]
    fn a_name_may_not_be_mapped_twice_and_there_must_be_fields() {
        let mut map = customers();
        map.fields.push(map.fields[0].clone());
        assert!(mistakes(&map).iter().any(|m| m.message.contains("twice")));
        map.fields.clear();
        assert!(mistakes(&map).iter().any(|m| m.field == "fields"));
    }
}
