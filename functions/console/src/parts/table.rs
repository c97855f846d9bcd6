//! A table that becomes a list of cards on a narrow screen.

use maud::{Markup, html};

/// A column.
pub(crate) struct Column {
    name: &'static str,
    is_number: bool,
}

/// A column of text.
pub(crate) const fn text(name: &'static str) -> Column {
    Column { name, is_number: false }
}

/// A column of numbers.
pub(crate) const fn figures(name: &'static str) -> Column {
    Column { name, is_number: true }
}

/// A table; the first cell of a row names it. Without rows, `empty` stands in its place.
pub(crate) fn table(caption: &str, columns: &[Column], rows: &[Vec<Markup>], empty: &str) -> Markup {
    if rows.is_empty() {
        return html! { p.soft { (empty) } };
    }
    html! {
        table.fold {
            caption.unseen { (caption) }
            thead {
                tr { @for column in columns { th scope="col" class=[column.is_number.then_some("n")] { (column.name) } } }
            }
            tbody {
                @for row in rows {
                    tr data-row {
                        @for (i, (cell, column)) in row.iter().zip(columns).enumerate() {
                            @if i == 0 {
                                th.head scope="row" { (cell) }
                            } @else {
                                td data-l=(column.name) class=[column.is_number.then_some("n")] { div { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
