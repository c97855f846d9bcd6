//! The difference of two JSON values, as paths.

pub use domain::log::Change;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ports::PortError;

/// Most changes that one line of the log names.
const MAX_LOGGED: usize = 50;
/// Longest value that it names, in bytes of JSON. The line is stored with the configuration, in an item of 400 KB at most.
const MAX_VALUE_BYTES: usize = 1_000;

/// Changes as one line of the log has them, and how many more there are.
pub(super) fn for_the_log(mut changes: Vec<Change>) -> (Vec<Change>, u64) {
    let more = changes.len().saturating_sub(MAX_LOGGED) as u64;
    changes.truncate(MAX_LOGGED);
    for value in changes.iter_mut().flat_map(|change| [&mut change.from, &mut change.to]).flatten() {
        let bytes = value.to_string().len();
        if bytes > MAX_VALUE_BYTES {
            *value = Value::String(format!("({bytes} bytes)"));
        }
    }
    (changes, more)
}

/// Where two configurations differ; `None`: there is none.
pub(super) fn changes<C: Serialize>(from: Option<&C>, to: Option<&C>) -> Result<Vec<Change>, PortError> {
    let (from, to) = (from.map(json).transpose()?, to.map(json).transpose()?);
    Ok(match (from, to) {
        (Some(from), Some(to)) => diff(&from, &to),
        // What is new, or gone, is one change: all of it.
        (from, to) => vec![Change { path: String::new(), from, to }],
    })
}

fn json<C: Serialize>(config: &C) -> Result<Value, PortError> {
    serde_json::to_value(config).map_err(|error| PortError::Permanent(error.to_string()))
}

/// Where two values differ, each place as deep as can be named.
fn diff(from: &Value, to: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(String::new(), Some(from), Some(to), &mut changes);
    changes
}

fn compare(path: String, from: Option<&Value>, to: Option<&Value>, changes: &mut Vec<Change>) {
    match (from, to) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                compare(path, old.get(name), new.get(name), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => match (named(old), named(new)) {
            (Some(old), Some(new)) => by_name(&path, &old, &new, changes),
            _ => by_place(&path, old, new, changes),
        },
        (from, to) if from == to => {}
        (from, to) => changes.push(Change { path, from: from.cloned(), to: to.cloned() }),
    }
}

/// A field mapping, and what it is called on each side.
type Named<'a> = (&'a Value, &'a Map<String, Value>);

/// Field mappings, if these are.
fn named(list: &[Value]) -> Option<Vec<Named<'_>>> {
    list.iter().map(|one| Some((one, one.get("names")?.as_object()?))).collect()
}

/// Fields are told by name, wherever they stand: by both names, or else by the one that stayed.
fn by_name(path: &str, old: &[Named<'_>], new: &[Named<'_>], changes: &mut Vec<Change>) {
    let mut came_from: Vec<Option<usize>> = vec![None; new.len()];
    let mut became: Vec<Option<usize>> = vec![None; old.len()];
    let stayed =
        |a: &Map<String, Value>, b: &Map<String, Value>| a.iter().any(|(side, name)| b.get(side) == Some(name));
    for by_both in [true, false] {
        for (i, (_, before)) in old.iter().enumerate() {
            let is_it = |after: &Map<String, Value>| if by_both { *before == after } else { stayed(before, after) };
            let found = new.iter().enumerate().find(|(j, (_, after))| came_from[*j].is_none() && is_it(after));
            if let (None, Some((j, _))) = (became[i], found) {
                (became[i], came_from[j]) = (Some(j), Some(i));
            }
        }
    }
    let told = changes.len();
    for ((before, names), after) in old.iter().zip(&became) {
        let after = after.map(|j| new[j]);
        let path = format!("{path}[{}]", label(names, after.map(|(_, names)| names)));
        compare(path, Some(before), after.map(|(after, _)| after), changes);
    }
    for ((after, names), _) in new.iter().zip(&came_from).filter(|(_, before)| before.is_none()) {
        compare(format!("{path}[{}]", label(names, None)), None, Some(after), changes);
    }
    if changes.len() == told && !became.is_sorted() {
        changes.push(Change { path: path.to_owned(), from: None, to: Some("in another order".into()) });
    }
}

/// One name of a field, of a side on which it stayed.
fn label(names: &Map<String, Value>, after: Option<&Map<String, Value>>) -> String {
    let stayed = |(side, name): &(&String, &Value)| after.is_none_or(|after| after.get(*side) == Some(name));
    let (side, name) = names.iter().find(stayed).map_or(("", ""), |(side, name)| (side, name.as_str().unwrap_or("")));
    format!("{side}.{name}")
}

/// What has no name is told by its place, between what is the same at both ends.
fn by_place(path: &str, old: &[Value], new: &[Value], changes: &mut Vec<Change>) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    for i in 0..old_rest.len().max(new_rest.len()) {
        compare(format!("{path}[{}]", start + i), old_rest.get(i), new_rest.get(i), changes);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_is_named_as_deep_as_can_be() {
        let before = json!({"a": 1, "gone": true, "list": [{"x": 1}, 2], "same": [1]});
        let after = json!({"a": "1", "list": [{"x": 2}, 2, 3], "new": null, "same": [1]});
        let said: Vec<_> = diff(&before, &after).into_iter().map(|c| (c.path, c.from, c.to)).collect();
        let wanted = [
            ("a".to_owned(), Some(json!(1)), Some(json!("1"))),
            ("gone".to_owned(), Some(json!(true)), None),
            ("list[0].x".to_owned(), Some(json!(1)), Some(json!(2))),
            ("list[2]".to_owned(), None, Some(json!(3))),
            ("new".to_owned(), None, Some(json!(null))),
        ];
        assert_eq!(said, wanted);
        assert_eq!(diff(&before, &before), []);
    }

    fn told(before: &Value, after: &Value) -> Vec<String> {
        let value = |value: Option<Value>| value.map_or("-".to_owned(), |value| value.to_string());
        diff(before, after).into_iter().map(|c| format!("{}: {} > {}", c.path, value(c.from), value(c.to))).collect()
    }

    fn field(erp: &str, crm: &str) -> Value {
        json!({"names": {"erp": erp, "crm": crm}})
    }

    #[test]
    fn a_field_is_told_by_its_name_wherever_it_stands() {
        let before = json!({"fields": [field("A", "a"), field("B", "b"), field("C", "c")]});
        let gone = json!({"fields": [field("B", "b"), field("C", "c")]});
        assert_eq!(told(&before, &gone), [r#"fields[crm.a]: {"names":{"crm":"a","erp":"A"}} > -"#]);
        assert_eq!(told(&gone, &before), [r#"fields[crm.a]: - > {"names":{"crm":"a","erp":"A"}}"#]);
        let mut renamed = json!({"fields": [field("C", "c"), field("A", "a"), field("B", "b2")]});
        renamed["fields"][1]["required"] = json!(true);
        assert_eq!(
            told(&before, &renamed),
            ["fields[crm.a].required: - > true", r#"fields[erp.B].names.crm: "b" > "b2""#]
        );
        let turned = json!({"fields": [field("C", "c"), field("B", "b"), field("A", "a")]});
        assert_eq!(told(&before, &turned), [r#"fields: - > "in another order""#]);
    }

    #[test]
    fn a_value_that_goes_out_of_a_list_is_one_change() {
        let before = json!({"values": [1, 2, 3, 4]});
        assert_eq!(told(&before, &json!({"values": [1, 3, 4]})), ["values[1]: 2 > -"]);
        assert_eq!(told(&json!({"values": [1, 3, 4]}), &before), ["values[1]: - > 2"]);
        assert_eq!(told(&before, &json!({"values": [1, 2, 3, 4, 4]})), ["values[4]: - > 4"]);
    }

    #[test]
    fn a_line_of_the_log_names_so_many_changes_and_no_long_values() {
        let all = |n: u64| json!({"fields": (0..200).map(|i| json!({"names": {"a": i.to_string()}, "x": n})).collect::<Vec<_>>()});
        let (changes, more) = for_the_log(diff(&all(1), &all(2)));
        assert_eq!((changes.len(), more), (50, 150));
        let long = json!({"a": "x".repeat(5_000)});
        let (changes, more) = for_the_log(diff(&json!({"a": 1}), &long));
        assert_eq!((&changes[0].from, &changes[0].to, more), (&Some(json!(1)), &Some(json!("(5002 bytes)")), 0));
    }
}
