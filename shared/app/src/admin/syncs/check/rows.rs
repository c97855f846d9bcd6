//! What the first page of a list shows: keys that come twice or cannot be used, and values that cannot be written.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    listing::{ListedRecord, PageRow, UnusableRow},
    mapping::{passes, translate},
    record::Image,
};
use serde_json::Value;

use super::{End, SyncProblem};

/// The keys of the first page.
pub(super) fn judge_keys(end: &End<'_>) -> Vec<SyncProblem> {
    let mut problems = Vec::new();
    let Some(page) = &end.first_page else { return problems };
    let (mut seen, mut twice) = (BTreeMap::<_, &ListedRecord>::new(), BTreeSet::new());
    let mut unusable: Vec<&UnusableRow> = Vec::new();
    for row in &page.rows {
        match row {
            PageRow::Unusable(row) => unusable.push(row),
            PageRow::Record(listed) => match seen.get(&listed.key) {
                // A list that is read while it changes may show a record a second time.
                Some(known) if known.record == listed.record && known.spelling == listed.spelling => {}
                Some(_) => drop(twice.insert(&listed.key)),
                None => drop(seen.insert(&listed.key, listed)),
            },
        }
    }
    let at = format!("sides[{}].key_field", end.ix.at());
    if let Some(first) = twice.first() {
        let message = format!(
            "{} keys of the first {} rows are of several records, such as {first}: the map takes these for one",
            twice.len(),
            page.rows.len()
        );
        let fix = "Put what tells them apart into key_field, correct key_rule, or correct the records.";
        problems.push(end.error("key_twice", message, fix).at(at.clone()));
    }
    if let Some(first) = unusable.first() {
        let (count, rows, why) = (unusable.len(), page.rows.len(), &first.why);
        let message = format!("{count} of the first {rows} rows cannot be copied. The first: {why}");
        let fix = "Correct these records, or leave them out with a list_filter: a run lists each as failed.";
        problems.push(end.warning("row_unusable", message, fix).at(at));
    }
    problems
}

/// The values of the first page, as the other app would get them.
pub(super) fn judge_values(from: &End<'_>, to: &End<'_>) -> Vec<SyncProblem> {
    let Some(page) = &from.first_page else { return Vec::new() };
    let config = &from.map.config;
    // By field: how many rows, and what is wrong with the first.
    let (mut unmapped, mut too_long) = (BTreeMap::<String, (usize, String)>::new(), BTreeMap::<String, usize>::new());
    for row in &page.rows {
        let PageRow::Record(listed) = row else { continue };
        let image = Image::Present(listed.record.clone());
        if !passes(&config.side(from.ix).filter, &image) {
            continue;
        }
        match translate(config, from.ix, &image) {
            Ok(Image::Present(record)) => {
                let is_long = |(name, value): &(&String, &Value)| is_too_long(to, name, value);
                for (name, _) in record.iter().filter(is_long) {
                    *too_long.entry(name.clone()).or_default() += 1;
                }
            }
            Ok(Image::Absent) => {}
            Err(error) => unmapped.entry(error.field).or_insert((0, error.message)).0 += 1,
        }
    }
    let rows = page.rows.len();
    let unmapped = unmapped.into_iter().map(|(field, (count, says))| {
        let message = format!("{count} of the first {rows} rows cannot be mapped: {field} {says}");
        from.warning("value_unmapped", message, "Correct the records, or the field in the map.").at(field)
    });
    let too_long = too_long.into_iter().map(|(field, count)| {
        let message = format!("{count} of the first {rows} rows have a text that is longer than {field} may be there");
        to.warning("value_too_long", message, "Shorten the texts, or let the app take longer ones.").at(field)
    });
    unmapped.chain(too_long).collect()
}

fn is_too_long(to: &End<'_>, name: &str, value: &Value) -> bool {
    let longest = to.description.as_ref().and_then(|entity| entity.facets.get(name)?.max_length);
    longest.zip(value.as_str()).is_some_and(|(longest, text)| text.chars().count() > longest)
}
