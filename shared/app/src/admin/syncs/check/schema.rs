//! The mapping against what both apps say of their entities (`$metadata`). Unknown names are found by the connection test.

use domain::{
    map::{KeyTemplate, MapSide},
    mapping::{FieldMapping, find_type_mistake},
    side::AppKind,
};

use super::{End, SyncProblem};
use crate::ports::{EntityDescription, FieldFacets};

/// Names that one problem lists.
const MAX_NAMES: usize = 10;

/// What stands against writing the fields of one app to the other.
pub(super) fn compare(from: &End<'_>, to: &End<'_>) -> Vec<SyncProblem> {
    let Some(target) = &to.description else { return Vec::new() };
    let config = &to.map.config;
    let (here, there) = (config.side(from.ix), config.side(to.ix));
    let mut problems = Vec::new();
    for (at, field) in config.fields.iter().enumerate() {
        let Some(name) = field.names.get(&there.side) else { continue };
        if field.only_to.as_ref().is_some_and(|only| *only != there.side) {
            continue;
        }
        let found = compare_field(field, (from, here), (to, there), target);
        problems.extend(found.map(|problem| problem.at(format!("fields[{at}].names.{}", there.side))));
        let facets = target.facets.get(name).copied().unwrap_or_default();
        problems.extend(
            compare_lengths(field, (from, here), (to, there), facets)
                .map(|problem| problem.at(format!("fields[{at}].names.{}", there.side))),
        );
    }
    problems.extend(find_unmapped(to, there, target));
    problems
}

type Ended<'a> = (&'a End<'a>, &'a MapSide);

/// A field that the app does not take, or takes only with a value.
fn compare_field(
    field: &FieldMapping,
    (from, here): Ended<'_>,
    (to, there): Ended<'_>,
    target: &EntityDescription,
) -> Option<SyncProblem> {
    let name = field.names.get(&there.side)?;
    let facets = target.facets.get(name).copied().unwrap_or_default();
    if facets.is_read_only {
        let message = format!("{name} is read-only in the app: it computes the field, or lets nobody write it");
        let fix = format!("Set only_to to {}, or take the field out of the map.", here.side);
        return Some(to.error("field_read_only", message, &fix));
    }
    let source = field.names.get(&here.side).and_then(|name| Some((name, from.description.as_ref()?)));
    let source_type = source.and_then(|(name, entity)| entity.fields.get(name)).map(String::as_str);
    let target_type = target.fields.get(name).map(String::as_str);
    if let Some(says) = find_type_mistake(field, (&here.side, source_type), (&there.side, target_type)) {
        let fix = format!("Set types or values of the field so that {} gets what it stores.", there.side);
        return Some(to.error("field_type", format!("{name} cannot be written: {says}"), &fix));
    }
    let has_value =
        [&field.constant, &field.default, &field.nothing].iter().any(|given| given.contains_key(&there.side));
    let source_has =
        source.is_some_and(|(name, entity)| entity.facets.get(name).is_some_and(|facets| facets.is_required));
    if facets.is_required && !has_value && !field.required && !source_has {
        let message = format!("{name} must have a value in the app, and {} may have none", here.side);
        let fix = format!("Set default.{} of the field, or `required`, so that these records are named.", there.side);
        return Some(to.warning("field_required", message, &fix));
    }
    None
}

/// A text that may be longer than the app takes it.
fn compare_lengths(
    field: &FieldMapping,
    (from, here): Ended<'_>,
    (to, there): Ended<'_>,
    facets: FieldFacets,
) -> Option<SyncProblem> {
    let (name, longest) = (field.names.get(&there.side)?, facets.max_length?);
    let given = [&field.constant, &field.default].into_iter().filter_map(|given| given.get(&there.side)?.as_str());
    if given.map(|text| text.chars().count()).any(|length| length > longest) {
        let message = format!("{name} takes {longest} characters, and the map has a longer value for it");
        return Some(to.error("field_length", message, "Shorten the value in the map."));
    }
    if field.constant.contains_key(&there.side) || !field.values.is_empty() {
        return None;
    }
    let source = from.description.as_ref()?.facets.get(field.names.get(&here.side)?)?.max_length?;
    (source > longest).then(|| {
        let message = format!("{name} takes {longest} characters, and {} has up to {source}", here.side);
        to.warning("field_length", message, "Let the app take longer texts, or expect that these records fail.")
    })
}

/// Fields that the app requires of a new record, and the map does not bring.
fn find_unmapped(to: &End<'_>, there: &MapSide, target: &EntityDescription) -> Option<SyncProblem> {
    let is_mapped = |name: &str| to.map.config.fields.iter().any(|field| field.is_called(&there.side, name));
    let is_key = |name: &str| {
        KeyTemplate::of(&there.key_field).fields.contains(&name)
            || there.fixed_key.contains_key(name)
            || target.key.iter().any(|key| key == name)
    };
    // Finance & Operations fills in everything but texts.
    let fills_in = |name: &str| {
        let is_text = target.fields.get(name).is_some_and(|kind| kind == "Edm.String");
        !is_text && to.side.as_ref().is_some_and(|side| side.config.connector.kind == AppKind::FinanceOperations)
    };
    let missing: Vec<_> = target
        .facets
        .iter()
        .filter(|(name, facets)| facets.is_required && !facets.is_read_only && !is_key(name) && !is_mapped(name))
        .filter(|(name, _)| !fills_in(name))
        .map(|(name, _)| name.as_str())
        .collect();
    if missing.is_empty() {
        return None;
    }
    let named = missing.iter().take(MAX_NAMES).copied().collect::<Vec<_>>().join(", ");
    let more = missing.len().saturating_sub(MAX_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let message =
        format!("the app requires fields that the map does not bring: {named}{more}. It may refuse new records");
    let fix = "Add them to the map, with a constant if the other app has no such field.";
    Some(to.warning("field_unmapped", message, fix).at("fields"))
}
