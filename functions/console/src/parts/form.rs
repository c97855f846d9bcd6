//! Forms that change something.

use maud::{Markup, html};

use crate::http::{guard::FORM_TOKEN, visit::Visit};

/// A form with the token of the session.
pub(crate) fn post(visit: &Visit, to: &str, body: &Markup) -> Markup {
    html! {
        form method="post" action=(to) {
            input type="hidden" name=(FORM_TOKEN) value=(visit.form_token());
            (body)
        }
    }
}

/// The field for the reason.
pub(crate) fn reason(value: Option<&str>, wrong: Option<&str>) -> Markup {
    html! {
        label.field for="reason" { "Why" }
        @if let Some(wrong) = wrong { p.wrong #reason-wrong { (wrong) } }
        input #reason name="reason" type="text" required maxlength="500" value=[value] autocomplete="off"
            aria-invalid=[wrong.map(|_| "true")] aria-describedby=[wrong.map(|_| "reason-wrong")];
        p.soft.small { "One line. It stands in the activity log and in mails." }
    }
}
