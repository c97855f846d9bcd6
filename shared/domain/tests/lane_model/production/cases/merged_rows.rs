//! Rows of a record in which each app wins something: one from each, and neither undoes the other, or a change of a user.

use crate::case::{breaks, cases, holds};
use crate::production::setup::{A, AppKind, B, Mutant, Setup, deletes, saves, saves_in_transaction};

const APP: AppKind = AppKind { reports_within_ticks: Some(1), ..Setup::APP };
const SILENT: AppKind = AppKind { reports_own_writes: false, set_to_report: false, ..APP };
/// The first app wins the colour, the second one the size.
const MERGED: Setup = Setup {
    records: [Some("white small"), Some("blue large")],
    apps: [APP; 2],
    runs: &[A, B],
    size_winner: Some(B),
    told_report_ticks: 1,
    ..Setup::QUIET
};
/// Only the direction of the first app is on, and the first look is enough: the other app's users do nothing.
const ONE_WAY: Setup = Setup { runs: &[A], edits: &[saves(A, "red small")], told_report_ticks: 0, ..MERGED };

cases! {
    each_app_gets_what_the_other_one_wins: holds(331, 557), MERGED;
    each_app_gets_what_the_other_one_wins_across_crashes: holds(45_739, 104_829), Setup { crashes: 2, ..MERGED };
    each_silent_app_gets_what_the_other_one_wins: holds(6_655, 12_895), Setup { apps: [SILENT; 2], crashes: 1, ..MERGED };
    a_record_that_differs_in_one_direction_is_written_once: holds(34, 50), Setup {
        records: [Some("white small"), Some("white large")],
        ..MERGED
    };
    merged_rows_give_way_to_a_live_change_of_one_app: holds(31_515, 74_528), Setup { edits: &[saves(A, "red small")], ..MERGED };
    merged_rows_give_way_to_a_live_change_of_the_other_app: holds(29_178, 69_552), Setup { edits: &[saves(B, "red small")], ..MERGED };
    merged_rows_give_way_to_a_change_that_is_reported_later: holds(73_347, 180_898), Setup {
        records: [Some("white small"), Some("white large")],
        edits: &[saves(B, "red large")],
        ticks: 1,
        ..MERGED
    };
    merged_rows_are_read_again_when_a_caller_has_committed: holds(5_578, 8_726), Setup {
        edits: &[saves_in_transaction(A, "red small")],
        runs: &[B],
        ticks: 2,
        told_report_ticks: 0,
        ..MERGED
    };
    merged_rows_give_way_to_a_deletion: holds(13_100, 30_835), Setup { edits: &[deletes(A)], ..MERGED };
    a_merged_row_gives_way_to_a_live_change_of_its_app: holds(231, 396), ONE_WAY;

    records_that_are_not_merged_lose_what_an_app_wins: breaks(23, "NotMerged"), Setup {
        mutant: Mutant::RecordsAreNotMerged,
        ..MERGED
    };
    a_record_that_is_merged_from_an_earlier_look_undoes_a_change: breaks(23, "AppsDiffer"), Setup {
        mutant: Mutant::RecordsOfAnEarlierLookAreMerged,
        ..ONE_WAY
    };
    a_second_row_that_does_not_compare_heads_undoes_a_change: breaks(20, "AppsDiffer"), Setup {
        edits: &[saves(A, "red small")],
        mutant: Mutant::HeadsAreNotCompared,
        ..MERGED
    };
}
