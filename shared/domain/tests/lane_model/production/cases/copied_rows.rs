//! Rows that were read from pages: a row never overwrites a change that the lane has accepted.

use crate::case::{breaks, cases, holds};
use crate::production::setup::{A, AppKind, B, Mutant, Setup, deletes, saves, saves_in_transaction};

const APP: AppKind = AppKind { reports_within_ticks: Some(1), ..Setup::APP };
/// The apps differ at first, and the lane has no head.
const COPIED: Setup =
    Setup { records: [Some("white"), Some("blue")], apps: [APP; 2], runs: &[A], told_report_ticks: 1, ..Setup::QUIET };
/// They do not, and a user of the other app changes the record.
const REPORTED_LATER: Setup = Setup { records: [Some("white"); 2], edits: &[saves(B, "red")], ticks: 1, ..COPIED };
/// A user of the row's app saves in a transaction.
const LATE: Setup = Setup { edits: &[saves_in_transaction(A, "red")], ticks: 2, told_report_ticks: 0, ..COPIED };
/// The other app's user does.
const LATE_THERE: Setup = Setup { edits: &[saves_in_transaction(B, "red")], ..LATE };
const LIVE: Setup = Setup { edits: &[saves(A, "red")], ..COPIED };
const DELETED: Setup = Setup { edits: &[deletes(A)], ..COPIED };
const TWO_RUNS: Setup = Setup { runs: &[A, B], ..COPIED };

const NO_TIME: AppKind = AppKind { set_to_ticks: 0, ..APP };
const TOO_LITTLE: AppKind = AppKind { set_to_ticks: 1, ..APP };
const SILENT: AppKind = AppKind { reports_own_writes: false, set_to_report: false, says_before: false, ..APP };

cases! {
    a_row_is_copied: holds(832, 1_266), Setup { crashes: 2, ..COPIED };
    a_row_makes_the_record_in_the_other_app: holds(255, 372), Setup { records: [Some("white"), None], crashes: 1, ..COPIED };

    a_row_is_read_again_when_its_caller_has_committed: holds(4_356, 6_958), LATE;
    a_row_is_read_again_when_the_other_caller_has_committed: holds(5_578, 8_726), LATE_THERE;
    a_row_that_is_read_while_a_caller_may_commit_brings_the_older_record: breaks(19, "AppsDiffer"), Setup {
        apps: [NO_TIME, APP],
        ..LATE
    };
    a_row_that_is_read_a_little_too_early_brings_the_older_record: breaks(19, "AppsDiffer"), Setup {
        apps: [TOO_LITTLE, APP],
        ..LATE
    };
    a_row_that_counts_as_read_when_it_is_applied_brings_the_older_record: breaks(19, "AppsDiffer"), Setup {
        mutant: Mutant::RowsCountAsReadWhenApplied,
        ..LATE
    };

    a_row_gives_way_to_live_changes_of_its_app: holds(4_398, 9_269), Setup {
        edits: &[saves(A, "red"), saves(A, "green")],
        ..LIVE
    };
    a_row_gives_way_to_a_live_change_of_the_other_app: holds(18_751, 41_228), Setup { edits: &[saves(B, "red")], crashes: 1, ..LIVE };
    a_row_gives_way_to_live_changes_of_both_apps: holds(33_010, 75_545), Setup {
        edits: &[saves(A, "red"), saves(B, "green")],
        told_report_ticks: 0,
        ..LIVE
    };
    a_row_gives_way_to_live_changes_of_silent_apps: holds(17_314, 30_744), Setup {
        edits: &[saves(A, "red"), saves(B, "green")],
        apps: [SILENT; 2],
        ..LIVE
    };
    /// The other app's users do nothing: the first look is enough.
    a_row_that_was_looked_at_once_gives_way_to_live_changes_of_its_app: holds(2_226, 4_697), Setup {
        edits: &[saves(A, "red"), saves(A, "green")],
        told_report_ticks: 0,
        ..LIVE
    };
    a_row_gives_way_to_a_change_that_waits: holds(8_257, 16_100), Setup { paused: true, crashes: 1, ..LIVE };
    a_row_gives_way_to_a_deletion: holds(2_631, 5_219), Setup { crashes: 1, ..DELETED };
    a_row_gives_way_to_a_deletion_of_the_other_app: holds(314, 523), Setup { edits: &[deletes(B)], ..DELETED };
    a_row_that_is_applied_to_another_head_brings_the_older_record: breaks(20, "AppsDiffer"), Setup {
        mutant: Mutant::HeadsAreNotCompared,
        ..LIVE
    };
    a_row_that_is_read_before_the_head_brings_the_older_record: breaks(20, "AppsDiffer"), Setup {
        mutant: Mutant::RowsAreReadBeforeTheHead,
        told_report_ticks: 0,
        ..LIVE
    };
    a_row_that_is_applied_to_another_head_brings_a_deleted_record_back: breaks(20, "AppsDiffer"), Setup {
        mutant: Mutant::HeadsAreNotCompared,
        ..DELETED
    };

    two_runs_copy_a_record_once: holds(295, 517), TWO_RUNS;
    two_runs_give_way_to_a_live_change: holds(29_938, 71_690), Setup { edits: &[saves(A, "red")], ..TWO_RUNS };
    two_runs_that_do_not_compare_heads_swap_the_records: breaks(20, "AppsDiffer"), Setup {
        mutant: Mutant::HeadsAreNotCompared,
        ..TWO_RUNS
    };

    a_row_gives_way_to_a_change_that_is_reported_later: holds(1_078, 1_838), REPORTED_LATER;
    a_row_gives_way_to_two_changes_that_are_reported_later: holds(1_989, 4_173), Setup {
        edits: &[saves(B, "red"), saves(B, "green")],
        ticks: 0,
        ..REPORTED_LATER
    };
    a_row_gives_way_to_a_deletion_that_is_reported_later: holds(641, 1_152), Setup { edits: &[deletes(B)], ..REPORTED_LATER };
    a_row_gives_way_to_a_change_that_a_silent_app_reports_later: holds(1_078, 1_838), Setup {
        apps: [APP, AppKind { says_before: true, ..SILENT }],
        ..REPORTED_LATER
    };
    an_answer_that_counts_from_the_question_confirms_a_change_that_is_reported_later:
        breaks(21, "NobodysLastEdit(Some(\"white\"))"), Setup {
        mutant: Mutant::AnswersCountFromTheQuestion,
        ..REPORTED_LATER
    };
    a_row_that_is_copied_at_the_first_look_undoes_a_change_that_is_reported_later:
        breaks(21, "NobodysLastEdit(Some(\"white\"))"), Setup {
        told_report_ticks: 0,
        ..REPORTED_LATER
    };
    a_row_that_is_copied_at_the_first_look_undoes_a_deletion_that_is_reported_later:
        breaks(21, "NobodysLastEdit(Some(\"white\"))"), Setup {
        edits: &[deletes(B)],
        told_report_ticks: 0,
        ..REPORTED_LATER
    };
    a_row_that_is_copied_at_the_first_look_undoes_a_change_of_a_silent_app: breaks(21, "AppsDiffer"), Setup {
        apps: [APP, AppKind { says_before: true, ..SILENT }],
        told_report_ticks: 0,
        ..REPORTED_LATER
    };
}
