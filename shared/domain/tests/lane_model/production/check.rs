//! What must hold in a state by itself.

use super::{
    app::merged,
    setup::{A, B, Form, Setup, Value},
    state::State,
    violation::Violation,
};

/// More entries than any case needs.
const MAX_ENTRIES: u64 = 10;

pub(crate) fn check(setup: &Setup, state: &State) -> Option<Violation> {
    let parked = state.head.as_ref().is_some_and(|head| head.parked);
    if parked && !setup.may_park {
        return Some(Violation::Parked);
    }
    if state.head.as_ref().is_some_and(|head| head.next_seq > MAX_ENTRIES) {
        return Some(Violation::NeverEnds);
    }
    if !state.is_quiet(setup) || parked {
        return None;
    }
    let [a, b] = [A, B].map(|side| state.apps[side].value());
    let small = |value: Value| value.map(str::to_lowercase);
    if small(a) != small(b) {
        return Some(Violation::AppsDiffer { a, b });
    }
    let merged = setup.size_winner.map(|winner| merged(setup.records[A.at()], setup.records[winner.at()]));
    if merged.is_some_and(|merged| setup.edits.is_empty() && merged != a) {
        return Some(Violation::NotMerged(a));
    }
    let as_sent = setup.apps.iter().all(|app| app.form == Form::AsSent);
    let mut last = [A, B].into_iter().filter_map(|side| state.apps[side].last_edit).peekable();
    let is_edited = last.peek().is_some();
    (as_sent && is_edited && !last.any(|value| value == a)).then_some(Violation::NobodysLastEdit(a))
}
