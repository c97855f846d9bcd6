//! Fields that are renamed while changes wait: the waiting changes still have the old names.

use domain::{Map, MapConfig, SideIx, mapping::FieldMapping, side::Mistake};

use super::AdminPorts;
use crate::{
    error::AppError,
    ports::{Archive, Lanes, OpenRange},
};

/// Waiting records that are counted, at most.
const MAX_COUNTED: usize = 1_000;

/// A mistake for each field that has another name than before, if changes wait that have the old one. Without the old name they
/// would be read as having no value, and blank the field in both apps.
pub(super) async fn find_undeclared<P: AdminPorts>(
    ports: &P,
    stored: &Map,
    config: &MapConfig,
) -> Result<Vec<Mistake>, AppError> {
    let renamed: Vec<_> = undeclared(&stored.config, config).collect();
    if renamed.is_empty() {
        return Ok(Vec::new());
    }
    let waiting = ports.lanes().open(stored, OpenRange::all(), MAX_COUNTED).await?.len();
    // What may be brought back has the old name, too.
    let may_come_back = async || -> Result<bool, AppError> {
        let archived = ports.lanes().archived(stored, None, 1).await?;
        Ok(!archived.is_empty() || !ports.lanes().conflicts(stored, None, 1).await?.is_empty())
    };
    if waiting == 0 && !may_come_back().await? {
        return Ok(Vec::new());
    }
    let records = match waiting {
        0 => "the archive or the list of conflicts has".to_owned(),
        1 => "1 record has".to_owned(),
        MAX_COUNTED => format!("{MAX_COUNTED} or more records have"),
        n => format!("{n} records have"),
    };
    let says = |(at, field, side, before): (usize, &FieldMapping, SideIx, &str)| {
        let side = &config.side(side).side;
        let now = field.names.get(side).map_or("", String::as_str);
        let help = if field.lookup.contains_key(side) {
            "Wait until they are written: a lookup has no former name".to_owned()
        } else {
            format!("Add \"former_names\": {{\"{side}\": \"{before}\"}} to the field, or wait until they are written")
        };
        let message = format!("{records} changes that wait, in which {now} is called {before}. {help}");
        Mistake { field: format!("fields[{at}].names.{side}"), message }
    };
    Ok(renamed.into_iter().map(says).collect())
}

/// Fields of which one side's name, or former name, is gone while the other side's name stands: where, and what is gone.
fn undeclared<'a>(
    before: &'a MapConfig,
    after: &'a MapConfig,
) -> impl Iterator<Item = (usize, &'a FieldMapping, SideIx, &'a str)> {
    after.fields.iter().enumerate().flat_map(move |(at, field)| {
        SideIx::BOTH.into_iter().filter_map(move |side| {
            let (here, there) = (&after.side(side).side, &after.side(side.other()).side);
            let of_old =
                |old: &&FieldMapping| field.names.get(there).is_some_and(|name| old.names.get(there) == Some(name));
            let old = before.fields.iter().find(of_old)?;
            let is_missing =
                |name: &&String| field.names.get(here) != Some(*name) && field.former_names.get(here) != Some(*name);
            let missing = [old.names.get(here), old.former_names.get(here)].into_iter().flatten().find(is_missing)?;
            field.names.contains_key(here).then_some((at, field, side, missing.as_str()))
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn map(fields: Value) -> MapConfig {
        let end = |side: &str| json!({"side": side, "entity": "things", "key_field": "id"});
        serde_json::from_value(json!({"sides": [end("erp"), end("crm")], "fields": fields})).unwrap()
    }

    #[test]
    fn a_field_that_one_side_calls_otherwise_must_say_what_it_was_called() {
        let before =
            map(json!([{"names": {"erp": "Name", "crm": "name"}}, {"names": {"erp": "Phone", "crm": "phone"}}]));
        let found = |fields: Value| {
            let after = map(fields);
            undeclared(&before, &after).map(|(at, _, side, old)| (at, side, old.to_owned())).collect::<Vec<_>>()
        };
        let renamed =
            json!([{"names": {"erp": "Phone", "crm": "phone"}}, {"names": {"erp": "FullName", "crm": "name"}}]);
        assert_eq!(found(renamed), [(1, SideIx::First, "Name".to_owned())]);
        let said = json!([{"names": {"erp": "FullName", "crm": "name"}, "former_names": {"erp": "Name"}}]);
        assert_eq!(found(said), []);
        let more = json!([{"names": {"erp": "Name", "crm": "name"}}, {"names": {"erp": "Fax", "crm": "fax"}}]);
        assert_eq!(found(more), [], "another field is no renamed one");
        let before = map(json!([{"names": {"erp": "B", "crm": "name"}, "former_names": {"erp": "A"}}]));
        let of = |field: Value| {
            let after = map(json!([field]));
            undeclared(&before, &after).map(|(.., old)| old.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(of(json!({"names": {"erp": "B", "crm": "name"}})), ["A"], "changes may wait that have it");
        assert_eq!(
            of(json!({"names": {"erp": "C", "crm": "name"}, "former_names": {"erp": "B"}})),
            ["A"],
            "there is one former name"
        );
    }
}
