//! Lists: all records of an entity of a side, as a map reads them.

mod cursor;
mod row;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::{
    cursor::Cursor,
    row::{ListedRecord, PageRow, Unusable, UnusableRow},
};
use crate::{
    limits::MAX_LIST_FILTER_BYTES,
    map::{KeyForm, KeyTemplate, MapConfig, SideIx},
    redact,
};

/// What a filter must be.
pub(crate) const FILTER_WANTED: &str =
    "must be 1 to 1024 bytes without control characters, with every parenthesis and quote closed";

/// What is read of an entity, and how its rows become records of a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    /// The entity set or path.
    pub entity: String,
    /// The field that holds the key, or the template of several.
    pub key_field: String,
    /// The other parts of the key: records in which one of them is another are not of this map.
    pub fixed_key: BTreeMap<String, Value>,
    /// Which spellings of a key name the same record.
    pub key_form: KeyForm,
    /// The other fields that are needed, as the app answers them. Empty: all.
    pub fields: Vec<String>,
    /// Conditions in the app's own words. A record meets all of them.
    pub filters: Vec<String>,
    /// Fields whose values are not shown in a row that cannot be used.
    pub hidden: Vec<String>,
}

impl Listing {
    /// The records that one side of a map has.
    #[must_use]
    pub fn of(map: &MapConfig, of: SideIx) -> Self {
        let end = map.side(of);
        let mapped = map.fields.iter().filter_map(|field| field.member_on(&end.side));
        let filtered = end.filter.iter().map(|filter| filter.field.clone());
        let mut fields: Vec<String> = mapped.chain(filtered).filter(|name| !end.is_key(name)).collect();
        fields.sort_unstable();
        fields.dedup();
        let hidden = fields.iter().filter(|name| redact::is_hidden(map, of, name)).cloned().collect();
        Self {
            entity: end.entity.clone(),
            key_field: end.key_field.clone(),
            fixed_key: end.fixed_key.clone(),
            key_form: KeyForm::of(map),
            filters: end.list_filter.iter().cloned().collect(),
            fields,
            hidden,
        }
    }

    /// The same list, of records that meet this condition, too.
    ///
    /// # Errors
    /// Says what a condition must be.
    pub fn with_filter(mut self, filter: &str) -> Result<Self, &'static str> {
        if !is_filter(filter) {
            return Err(FILTER_WANTED);
        }
        self.filters.push(filter.to_owned());
        Ok(self)
    }

    /// All fields that are needed, those of the key first. Empty: all fields are.
    #[must_use]
    pub fn selected(&self) -> Vec<&str> {
        if self.fields.is_empty() {
            return Vec::new();
        }
        let key = self.fixed_key.keys().map(String::as_str).chain(self.key_fields());
        key.filter(|name| !name.is_empty()).chain(self.fields.iter().map(String::as_str)).collect()
    }

    /// The fields that hold the key.
    #[must_use]
    pub fn key_fields(&self) -> Vec<&str> {
        KeyTemplate::of(&self.key_field).fields
    }
}

/// Whether a text can stand between parentheses in a condition without ending them.
pub(crate) fn is_filter(text: &str) -> bool {
    let (mut depth, mut is_quoted) = (0_i32, false);
    for c in text.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    let is_closed = depth == 0 && !is_quoted;
    is_closed && !text.trim().is_empty() && text.len() <= MAX_LIST_FILTER_BYTES && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        mapping::{Filter, tests::customers},
        side::Mistake,
    };

    #[test]
    fn a_list_asks_for_the_key_the_mapped_fields_and_those_of_the_filter() {
        let mut map = customers();
        let (finance, crm) = (map.sides[0].side.clone(), map.sides[1].side.clone());
        map.sides[0].fixed_key = [("dataAreaId".to_owned(), json!("usmf"))].into();
        map.sides[0].list_filter = Some("OnHold eq 'No'".to_owned());
        map.sides[0].filter = vec![Filter { field: "Party".to_owned(), any_of: Some(vec![json!(1)]), none_of: None }];
        let field = json!({"names": {finance.as_str(): "Contact", crm.as_str(): "primarycontactid"},
                           "lookup": {crm.as_str(): {"entity": "contacts"}}});
        map.fields.push(serde_json::from_value(field).unwrap());
        map.redact = vec!["Contact".to_owned()];
        assert_eq!(map.mistakes(), [] as [Mistake; 0]);
        let listing = Listing::of(&map, SideIx::First);
        let selected = listing.selected();
        assert_eq!(selected[..2], ["dataAreaId", &*map.sides[0].key_field]);
        assert!(["Contact", "Party", "Name"].iter().all(|name| selected.contains(name)), "{selected:?}");
        assert_eq!(
            (&listing.filters[..], &listing.hidden[..]),
            (&["OnHold eq 'No'".to_owned()][..], &["Contact".to_owned()][..])
        );
        let crm = Listing::of(&map, SideIx::Second);
        assert!(crm.fields.contains(&"_primarycontactid_value".to_owned()), "{:?}", crm.fields);
        assert_eq!(crm.hidden, ["_primarycontactid_value"]);
        assert!(Listing { fields: Vec::new(), ..crm }.selected().is_empty());
    }

    #[test]
    fn a_filter_cannot_end_the_parentheses_around_it() {
        for good in ["a eq 1", "(a eq 1) or (b eq ')')", "a eq 'it''s'", "status=active&x=(1)"] {
            assert!(Listing::default().with_filter(good).is_ok(), "{good}");
        }
        for wrong in ["", " ", "a eq 1) or (b eq 2", "(a", "a eq 'x", "a\tb", &"x".repeat(MAX_LIST_FILTER_BYTES + 1)] {
            assert_eq!(Listing::default().with_filter(wrong), Err(FILTER_WANTED), "{wrong}");
        }
    }
}
