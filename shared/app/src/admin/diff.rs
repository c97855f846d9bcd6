//! The difference of two JSON values, as paths.

pub use domain::log::Change;
use serde::Serialize;
use serde_json::Value;

use crate::ports::PortError;

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
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for i in 0..old.len().max(new.len()) {
                compare(format!("{path}[{i}]"), old.get(i), new.get(i), changes);
            }
        }
        (from, to) if from == to => {}
        (from, to) => changes.push(Change { path, from: from.cloned(), to: to.cloned() }),
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
}
