//! Two apps that each store a value in a form of their own, and report that, would answer each other for ever. Users are
//! not taken for such apps.

use crate::case::{breaks, cases, holds};
use crate::production::setup::{A, AppKind, B, Edit, Form, Mutant, Setup, saves};

const CAPITALS: AppKind = AppKind { form: Form::Capitals, ..Setup::APP };
const SMALL_LETTERS: AppKind = AppKind { form: Form::SmallLetters, ..Setup::APP };
const TIDY: Setup =
    Setup { edits: &[saves(A, "red")], apps: [CAPITALS, SMALL_LETTERS], may_park: true, ..Setup::QUIET };

/// A user sets a value back, and saves it again and again.
const AGAIN: &[Edit] = &[saves(A, "red"), saves(B, "blue"), saves(A, "red"), saves(A, "red")];
/// Users of both apps do not agree.
const IN_TURN: &[Edit] = &[saves(A, "red"), saves(B, "blue"), saves(A, "red"), saves(B, "blue"), saves(A, "red")];

cases! {
    apps_that_bounce_a_record_are_stopped: holds(532, 771), TIDY;
    apps_that_bounce_a_record_are_stopped_across_a_crash: holds(3_962, 5_743), Setup { crashes: 1, ..TIDY };
    apps_that_nobody_stops_bounce_a_record_for_ever: breaks(17, "NeverEnds"), Setup {
        mutant: Mutant::BouncesAreNotCounted,
        ..TIDY
    };
    a_rule_of_the_map_keeps_a_record_from_bouncing: holds(7, 7), Setup {
        ignores_case: true,
        may_park: false,
        ..TIDY
    };
    a_silent_app_does_not_bounce_a_record: holds(5, 4), Setup {
        apps: [CAPITALS, AppKind { reports_own_writes: false, set_to_report: false, ..SMALL_LETTERS }],
        may_park: false,
        ..TIDY
    };
    a_user_who_saves_again_does_not_bounce: holds(79, 91), Setup { edits: AGAIN, users_wait: true, ..Setup::QUIET };
    a_user_who_saves_again_at_once_does_not_bounce: holds(32_561, 58_086), Setup { edits: AGAIN, ..Setup::QUIET };
    a_user_who_saves_again_is_stopped_without_a_change_of_the_other_app: breaks(17, "Parked"), Setup {
        edits: AGAIN,
        mutant: Mutant::ReportsHaveNoPlace,
        ..Setup::QUIET
    };
    users_who_take_their_time_do_not_bounce: holds(199, 231), Setup {
        edits: IN_TURN,
        users_take_their_time: true,
        users_wait: true,
        ..Setup::QUIET
    };
    users_are_stopped_when_their_time_does_not_count: breaks(17, "Parked"), Setup {
        edits: IN_TURN,
        users_take_their_time: true,
        users_wait: true,
        mutant: Mutant::ReportsHaveNoTime,
        ..Setup::QUIET
    };
}
