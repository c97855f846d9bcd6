//! What must hold in a state by itself; what a single step may not do is said where the step is.

use crate::plan::last_value;
use crate::setup::Setup;
use crate::state::{Answer, Content, EntryNo, ErrorDisposition, State};
use crate::violation::Violation;

pub(crate) fn check(setup: &Setup, state: &State) -> Option<Violation> {
    if let Some(violation) = answers_agree(setup, state) {
        return Some(violation);
    }
    if !state.is_quiet() {
        return None;
    }
    answers_are_true(setup, state).or_else(|| all_finished(state)).or_else(|| values_agree(setup, state))
}

fn numbered_answers(state: &State) -> impl Iterator<Item = (u8, Answer)> {
    (0..).zip(state.answers).filter_map(|(number, answer)| Some((number, answer?)))
}

/// A write and its retry are never told 422 by one answer and success by another.
fn answers_agree(setup: &Setup, state: &State) -> Option<Violation> {
    numbered_answers(state).filter(|(_, answer)| *answer == Answer::Refused).find_map(|(refused, _)| {
        let id = setup.id_of(refused);
        let same_id = |(number, answer): (u8, Answer)| setup.id_of(number) == id && answer != Answer::Refused;
        numbered_answers(state).any(same_id).then_some(Violation::DifferentAnswers { id })
    })
}

/// At rest, what clients were told is what became of their writes.
fn answers_are_true(setup: &Setup, state: &State) -> Option<Violation> {
    numbered_answers(state).find_map(|(writer, answer)| {
        let content = Content::Write(setup.id_of(writer));
        let Some(entry) = state.log.iter().rev().find(|entry| entry.content == content) else {
            return Some(Violation::AnsweredIsNowhere { writer });
        };
        let fate = entry.fate;
        let is_true = match answer {
            Answer::Applied => fate == ErrorDisposition::Applied,
            Answer::Queued => matches!(fate, ErrorDisposition::Applied | ErrorDisposition::Skipped),
            Answer::Refused => fate == ErrorDisposition::Refused,
        };
        (!is_true).then_some(Violation::AnsweredEndedAs { writer, answer, fate })
    })
}

fn all_finished(state: &State) -> Option<Violation> {
    let open = state.log.iter().position(|entry| entry.fate == ErrorDisposition::Open)?;
    Some(Violation::NeverFinished { entry: open as EntryNo })
}

/// At rest, the target (with two origins: each app) holds the lane's last value.
fn values_agree(setup: &Setup, state: &State) -> Option<Violation> {
    let lane = last_value(setup, &state.log);
    let [a, b] = state.apps.map(|app| app.value);
    if setup.commits_first {
        return (a != lane || b != lane).then_some(Violation::SidesDiffer { a, b, lane });
    }
    let skipped = state.log.iter().any(|entry| entry.fate == ErrorDisposition::Skipped);
    (b != lane).then_some(Violation::TargetDiffers { target: b, lane, skipped })
}
