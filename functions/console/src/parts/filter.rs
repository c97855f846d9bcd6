//! A filter: a form that is sent by GET, so that the address says which rows are shown.

use domain::ErrorClass;
use maud::{Markup, html};

/// A field of a filter.
pub(crate) enum Field<'a> {
    /// Free text.
    Text {
        /// The parameter.
        name: &'static str,
        /// What it is called.
        label: &'static str,
        /// What it is now.
        value: Option<&'a str>,
    },
    /// One of several values; the first choice is to say nothing.
    Choice {
        /// The parameter.
        name: &'static str,
        /// What it is called.
        label: &'static str,
        /// What it is to say nothing.
        all: &'static str,
        /// Values with what they are called.
        values: Vec<(String, String)>,
        /// What it is now.
        value: Option<&'a str>,
    },
}

/// A filter of the page it stands on. `all` leads to the page without it.
pub(crate) fn filter(fields: &[Field<'_>], all: &str) -> Markup {
    let is_set = fields.iter().any(|field| match field {
        Field::Text { value, .. } | Field::Choice { value, .. } => value.is_some(),
    });
    html! {
        form.filter method="get" role="search" {
            @for field in fields {
                @match field {
                    Field::Text { name, label, value } => {
                        label { span { (label) } input type="search" name=(name) value=[value] data-find; }
                    }
                    Field::Choice { name, label, all, values, value } => {
                        label {
                            span { (label) }
                            select name=(name) {
                                option value="" { (all) }
                                @for (one, called) in values {
                                    option value=(one) selected[*value == Some(one.as_str())] { (called) }
                                }
                            }
                        }
                    }
                }
            }
            button.btn { "Show" }
            @if is_set { a href=(all) { "Show all" } }
        }
    }
}

/// The classes of errors, with what they are called.
pub(crate) fn classes() -> Vec<(String, String)> {
    ErrorClass::ALL.map(|class| (class.as_str().to_owned(), class.as_str().replace('_', " "))).into()
}
