//! Maps: a pair of entities, one in each app, kept in step.

mod key_rule;
mod key_template;
mod lifecycle;
mod schedule;
mod state;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    id::SideId,
    limits::{DEFAULT_CROSSING_WINDOW_MS, MAX_KEY_BYTES},
    listing,
    mapping::{FieldMapping, Filter, Zone},
    side::Mistake,
};

pub use self::{
    key_rule::{KeyCase, KeyRule},
    key_template::{KeyForm, KeyPart, KeyTemplate, KeyType},
    lifecycle::{Backlog, Cause, Cut, FlowStart, Map, MapAnswer, MapCommand, StartedBy},
    schedule::{ReconcileSchedule, STARTS_WITHIN_MS},
    state::{Intake, MapState},
};

/// One of a map's two sides, by its place in the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SideIx {
    /// The map's first side.
    #[serde(rename = "0")]
    First,
    /// The map's second side.
    #[serde(rename = "1")]
    Second,
}

impl SideIx {
    /// Both, in map order.
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// 0 or 1.
    #[must_use]
    pub fn at(self) -> usize {
        match self {
            Self::First => 0,
            Self::Second => 1,
        }
    }
}

/// A pair of values, one for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerSide<T>(pub [T; 2]);

impl<T> std::ops::Index<SideIx> for PerSide<T> {
    type Output = T;
    fn index(&self, side: SideIx) -> &T {
        match side {
            SideIx::First => &self.0[0],
            SideIx::Second => &self.0[1],
        }
    }
}

impl<T> std::ops::IndexMut<SideIx> for PerSide<T> {
    fn index_mut(&mut self, side: SideIx) -> &mut T {
        match side {
            SideIx::First => &mut self.0[0],
            SideIx::Second => &mut self.0[1],
        }
    }
}

/// One end of a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapSide {
    /// Which app.
    pub side: SideId,
    /// Which of its entities (an `OData` entity set, or a path).
    pub entity: String,
    /// The field that holds the record key. If several fields make it, a template of them: `{dataAreaId}|{CustomerAccount}`.
    pub key_field: String,
    /// Fields of the key that are no text: they are written without quotes in an `OData` URL, and numbers as such in a body.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub key_types: BTreeMap<String, KeyType>,
    /// The other parts of the key, which are the same for all records of this map: the company, say. Text or whole numbers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fixed_key: BTreeMap<String, Value>,
    /// The time zone of this app's times that say none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<Zone>,
    /// Records that do not match are skipped when this side reports them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filter: Vec<Filter>,
    /// A condition in the app's own words, for the lists of this side's records: `OData` puts it into `$filter`; a REST app gets it
    /// as query parameters, `status=active&type=2`. Records that it leaves out are not copied, whatever `filter` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_filter: Option<String>,
}

impl MapSide {
    /// Whether a field is part of the key.
    #[must_use]
    pub fn is_key(&self, name: &str) -> bool {
        KeyTemplate::of(&self.key_field).fields.contains(&name) || self.fixed_key.contains_key(name)
    }
}

/// Who wins when both apps changed a record at the same time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictPolicy {
    /// The change that came last into the lane.
    #[default]
    LastInLane,
    /// The change of this side.
    Primary(SideId),
}

/// What a caller is told when the other app cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnavailable {
    /// 202: the write is kept and tried again.
    #[default]
    Queue,
    /// 503: the caller rolls back.
    Fail,
}

/// A map as operators configure it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MapConfig {
    /// Its two ends, in map order.
    pub sides: [MapSide; 2],
    /// How the fields of one become the fields of the other.
    pub fields: Vec<FieldMapping>,
    /// Who wins when changes cross.
    #[serde(default)]
    pub conflict: ConflictPolicy,
    /// What a caller is told when the other app cannot be reached.
    #[serde(default)]
    pub on_unavailable: OnUnavailable,
    /// How long after its commit a change, about which the caller says neither `base` nor `before`, counts as crossing
    /// a write to its own side. In milliseconds.
    #[serde(default = "default_crossing_window_ms")]
    pub crossing_window_ms: u64,
    /// Which spellings of a key name the same record.
    #[serde(default, skip_serializing_if = "KeyRule::is_exact")]
    pub key_rule: KeyRule,
    /// Fields, by the name they have on either side, whose values are shown to nobody: not in lists, errors or mails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redact: Vec<String>,
    /// When its records are compared by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reconcile: Option<ReconcileSchedule>,
}

fn default_crossing_window_ms() -> u64 {
    DEFAULT_CROSSING_WINDOW_MS
}

impl MapConfig {
    /// The place of a side in this map.
    #[must_use]
    pub fn side_ix(&self, side: &SideId) -> Option<SideIx> {
        SideIx::BOTH.into_iter().find(|ix| self.side(*ix).side == *side)
    }

    /// One end.
    #[must_use]
    pub fn side(&self, ix: SideIx) -> &MapSide {
        match ix {
            SideIx::First => &self.sides[0],
            SideIx::Second => &self.sides[1],
        }
    }

    /// The primary side, if the policy names one.
    #[must_use]
    pub fn primary(&self) -> Option<SideIx> {
        match &self.conflict {
            ConflictPolicy::LastInLane => None,
            ConflictPolicy::Primary(side) => self.side_ix(side),
        }
    }

    /// Every mistake in it, each with the field it is in.
    #[must_use]
    pub fn mistakes(&self) -> Vec<Mistake> {
        let mut found = Vec::new();
        let mut add = |field: String, message: &str| found.push(Mistake { field, message: message.to_owned() });
        if self.sides[0].side == self.sides[1].side {
            add("sides[1].side".into(), "must be another app than sides[0].side");
        }
        for (i, side) in self.sides.iter().enumerate() {
            if !is_entity_path(&side.entity) {
                add(format!("sides[{i}].entity"), "must be a name or a path without query, fragment or `..`");
            }
            if side.list_filter.as_deref().is_some_and(|filter| !listing::is_filter(filter)) {
                add(format!("sides[{i}].list_filter"), listing::FILTER_WANTED);
            }
            for (name, value) in &side.fixed_key {
                let at = format!("sides[{i}].fixed_key.{name}");
                if name.is_empty()
                    || name.len() > 128
                    || KeyTemplate::of(&side.key_field).fields.contains(&name.as_str())
                {
                    add(at.clone(), "must be another field than those of key_field, of 1 to 128 characters");
                }
                let fits = match value {
                    Value::String(text) => !text.is_empty() && text.len() <= MAX_KEY_BYTES,
                    Value::Number(number) => number.is_u64() || number.is_i64(),
                    Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
                };
                if !fits {
                    add(at, "must be a text or a whole number");
                }
            }
        }
        if let ConflictPolicy::Primary(side) = &self.conflict
            && self.side_ix(side).is_none()
        {
            add("conflict.primary".into(), "must be one of the map's two sides");
        }
        if self.crossing_window_ms > 24 * 60 * 60 * 1000 {
            add("crossing_window_ms".into(), "must be at most one day");
        }
        found.extend(self.reconcile.iter().flat_map(ReconcileSchedule::mistakes));
        found.extend(key_template::mistakes(&self.sides));
        let mapped = |name: &String| self.fields.iter().any(|field| field.names.values().any(|own| own == name));
        for (i, name) in self.redact.iter().enumerate().filter(|(_, name)| !mapped(name)) {
            let message = format!("{name} is not a mapped field of either side");
            found.push(Mistake { field: format!("redact[{i}]"), message });
        }
        found.extend(crate::mapping::mistakes(self));
        found
    }
}

fn is_entity_path(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 256
        && !text.starts_with('/')
        && !text.ends_with('/')
        && !text.split('/').any(|part| part.is_empty() || part == ".." || part == ".")
        && !text.contains(['?', '#', '\\', '%', '\'', '(', ')'])
        && !text.contains(|c: char| c.is_control() || c == ' ')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::mapping::tests::customers;

    #[test]
    fn mistakes_in_a_map_are_named_with_their_fields() {
        let mut wrong = customers();
        wrong.sides[1].side = wrong.sides[0].side.clone();
        wrong.sides[0].entity = "a/../b".into();
        wrong.conflict = ConflictPolicy::Primary("erp".parse().unwrap());
        let fields: Vec<_> = wrong.mistakes().into_iter().map(|m| m.field).collect();
        for field in ["sides[1].side", "sides[0].entity", "conflict.primary"] {
            assert!(fields.iter().any(|f| f == field), "{field} in {fields:?}");
        }
    }

    #[test]
    fn an_entity_is_a_name_or_a_path() {
        let longest = "e".repeat(256);
        for good in ["accounts", "data/CustomersV3", "a.b/c-d_e", "Ünï", longest.as_str()] {
            assert!(is_entity_path(good), "{good}");
        }
        let too_long = "e".repeat(257);
        for bad in [
            "", "/a", "a/", "a//b", "a/./b", "a/../b", "..", "a?b", "a#b", "a\\b", "a%2fb", "a'b", "a(b", "a)b", "a b",
            "a\nb", &too_long,
        ] {
            assert!(!is_entity_path(bad), "{bad}");
        }
    }

    #[test]
    fn limits_of_a_map_are_kept_and_named() {
        let fields = |change: &dyn Fn(&mut MapConfig)| {
            let mut map = customers();
            change(&mut map);
            map.mistakes().into_iter().map(|mistake| mistake.field).collect::<Vec<_>>()
        };
        assert_eq!(fields(&|map| map.sides[1].key_field = "k".repeat(128)), [""; 0]);
        assert_eq!(fields(&|map| map.sides[1].key_field = "k".repeat(129)), ["sides[1].key_field"]);
        assert_eq!(fields(&|map| map.sides[1].key_field.clear()), ["sides[1].key_field"]);
        let fixed = |name: &str, value: Value| {
            let (name, value) = (name.to_owned(), value);
            fields(&move |map| drop(map.sides[0].fixed_key.insert(name.clone(), value.clone())))
        };
        assert_eq!(fixed("dataAreaId", json!("usmf")), [""; 0]);
        assert_eq!(fixed("n", json!(7)), [""; 0]);
        assert_eq!(fixed("n", json!(-7)), [""; 0]);
        assert_eq!(fixed("n", json!("v".repeat(MAX_KEY_BYTES))), [""; 0]);
        assert_eq!(fixed(&"n".repeat(128), json!(7)), [""; 0]);
        assert_eq!(fixed(&"n".repeat(129), json!(7)).len(), 1);
        for (name, value) in [
            ("CustomerAccount", json!("x")),
            ("", json!("x")),
            ("a", json!("")),
            ("a", json!("v".repeat(MAX_KEY_BYTES + 1))),
            ("a", json!(1.5)),
            ("a", json!(true)),
            ("a", json!(null)),
        ] {
            assert_eq!(fixed(name, value), [format!("sides[0].fixed_key.{name}")]);
        }
        assert_eq!(fixed("Name", json!("x")), ["fields[0].names.finance"], "a field of the key is not mapped");
        let filter = |text: String| fields(&move |map| map.sides[1].list_filter = Some(text.clone()));
        assert_eq!(filter("name eq 'a)('".to_owned()), [""; 0]);
        for wrong in ["", "a\nb", "x eq 1) or (y eq 2", "name eq 'x", "(a", &"x".repeat(1_025)] {
            assert_eq!(filter(wrong.to_owned()), ["sides[1].list_filter"], "{wrong}");
        }
        assert_eq!(fields(&|map| map.crossing_window_ms = 86_400_000), [""; 0]);
        assert_eq!(fields(&|map| map.crossing_window_ms = 86_400_001), ["crossing_window_ms"]);
        let own = customers().fields[0].names.values().next().unwrap().clone();
        assert_eq!(fields(&|map| map.redact = vec![own.clone(), "nowhere".to_owned()]), ["redact[1]"]);
    }

    #[test]
    fn changes_are_taken_as_crossing_for_two_minutes_unless_the_map_says_otherwise() {
        let mut stored = serde_json::to_value(customers()).unwrap();
        stored.as_object_mut().unwrap().remove("crossing_window_ms");
        assert_eq!(serde_json::from_value::<MapConfig>(stored).unwrap().crossing_window_ms, 120_000);
    }
}
