//! Records that one app lacks: an operator has approved that the other one's is deleted. Absence alone never destroys a change.

use crate::case::{breaks, cases, holds};
use crate::production::setup::{A, AppKind, B, Mutant, Setup, deletes, saves, saves_in_transaction};

const APP: AppKind = AppKind { reports_within_ticks: Some(1), ..Setup::APP };
/// The first app lacks the record, and the lane has no head.
const APPROVED: Setup = Setup {
    records: [None, Some("white")],
    apps: [APP; 2],
    runs: &[A],
    runs_delete: true,
    told_report_ticks: 1,
    ..Setup::QUIET
};
/// A user makes it anew where it was missing.
const CAME_BACK: Setup = Setup { edits: &[saves(A, "red")], ..APPROVED };
/// The same in a transaction.
const LATE: Setup = Setup { edits: &[saves_in_transaction(A, "red")], ticks: 2, told_report_ticks: 0, ..APPROVED };
/// Neither app had the record, and a user of the other one makes it: its report is on its way while the run looks.
const MADE_THERE: Setup = Setup { records: [None; 2], edits: &[saves(B, "red")], ticks: 1, ..APPROVED };

const NO_TIME: AppKind = AppKind { set_to_ticks: 0, ..APP };

cases! {
    a_deletion_is_carried_out: holds(391, 622), Setup { crashes: 2, ..APPROVED };
    two_runs_delete_a_record_once: holds(1_955, 4_499), Setup { runs: &[A, A], crashes: 1, ..APPROVED };

    a_deletion_gives_way_to_a_record_that_came_back: holds(1_463, 2_891), Setup { crashes: 1, ..CAME_BACK };
    a_deletion_gives_way_to_a_record_that_comes_back_while_the_map_is_paused: holds(280, 506), Setup { paused: true, ..CAME_BACK };
    a_deletion_gives_way_to_a_caller_that_commits_late: holds(3_202, 5_448), LATE;
    a_deletion_gives_way_to_the_other_apps_caller_that_commits_late: holds(3_421, 5_564), Setup {
        edits: &[saves_in_transaction(B, "red")],
        ..LATE
    };
    a_deletion_gives_way_to_a_change_of_the_record: holds(7_043, 15_224), Setup { edits: &[saves(B, "red")], crashes: 1, ..APPROVED };
    a_deletion_gives_way_to_changes_of_both_apps: holds(6_584, 14_547), Setup {
        edits: &[saves(A, "red"), saves(B, "green")],
        told_report_ticks: 0,
        ..APPROVED
    };
    a_deletion_beside_a_users_own_deletion_ends_the_record: holds(957, 1_632), Setup { edits: &[deletes(B)], crashes: 1, ..APPROVED };
    a_deletion_gives_way_to_a_record_whose_report_is_on_its_way: holds(496, 865), MADE_THERE;

    a_deletion_that_is_applied_to_another_head_destroys_a_record_that_came_back: breaks(20, "AppsDiffer"), Setup {
        mutant: Mutant::HeadsAreNotCompared,
        ..CAME_BACK
    };
    a_deletion_of_a_record_that_came_back_is_no_repair: breaks(24, "AppsDiffer"), Setup {
        mutant: Mutant::RecordsThatCameBackAreDeleted,
        ..CAME_BACK
    };
    an_absence_that_is_read_before_the_head_destroys_a_record_that_came_back: breaks(20, "AppsDiffer"), Setup {
        mutant: Mutant::RowsAreReadBeforeTheHead,
        told_report_ticks: 0,
        ..CAME_BACK
    };
    an_absence_that_is_read_while_a_caller_may_commit_destroys_its_record: breaks(19, "AppsDiffer"), Setup {
        apps: [NO_TIME, APP],
        ..LATE
    };
    a_deletion_after_one_look_destroys_a_record_whose_report_is_on_its_way: breaks(21, "NobodysLastEdit(None)"), Setup {
        told_report_ticks: 0,
        ..MADE_THERE
    };
}
