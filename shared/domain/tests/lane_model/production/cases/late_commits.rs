//! Callers that commit after their answer: what their app shows until then decides no copy.

use crate::case::{breaks, cases, holds};
use crate::production::setup::{A, AppKind, B, Setup, saves, saves_in_transaction};

/// A user saves in a transaction, and an operator has the record copied from the user's app.
const COPIED: Setup = Setup { edits: &[saves_in_transaction(A, "red")], recoveries: &[A], ticks: 2, ..Setup::QUIET };
/// The other app changes the record in a transaction, without knowing the primary's change: it gets what the primary has.
const LOSES: Setup = Setup {
    edits: &[saves(A, "red"), saves_in_transaction(B, "blue")],
    apps: [Setup::APP, SILENT],
    primary: Some(A),
    ticks: 1,
    ..Setup::QUIET
};
const SILENT: AppKind = AppKind { reports_own_writes: false, set_to_report: false, says_before: false, ..Setup::APP };
const NO_TIME: AppKind = AppKind { set_to_ticks: 0, ..Setup::APP };
const TOO_LITTLE: AppKind = AppKind { set_to_ticks: 1, ..Setup::APP };

cases! {
    a_copy_waits_for_the_caller_that_commits_late: holds(483, 714), COPIED;
    a_copy_waits_for_the_caller_across_a_crash: holds(859, 1_256), Setup { crashes: 1, ticks: 1, ..COPIED };
    a_copy_to_the_app_of_the_caller_waits: holds(483, 714), Setup { recoveries: &[B], ..COPIED };
    a_copy_waits_for_the_last_of_two_callers: holds(5_624, 9_210), Setup {
        edits: &[saves_in_transaction(A, "red"), saves_in_transaction(A, "blue")],
        ..COPIED
    };
    a_copy_waits_for_the_callers_of_both_apps: holds(1_155, 1_779), Setup {
        edits: &[saves_in_transaction(A, "red"), saves_in_transaction(B, "blue")],
        ticks: 0,
        ..COPIED
    };
    a_copy_that_does_not_wait_brings_the_older_record: breaks(15, "AppsDiffer"), Setup {
        apps: [NO_TIME, Setup::APP],
        ..COPIED
    };
    a_copy_that_waits_too_little_brings_the_older_record: breaks(15, "AppsDiffer"), Setup {
        apps: [TOO_LITTLE, Setup::APP],
        ..COPIED
    };
    a_change_that_loses_waits_for_its_own_commit: holds(979, 1_339), LOSES;
    a_change_that_loses_before_its_commit_stays: breaks(15, "AppsDiffer"), Setup {
        apps: [Setup::APP, AppKind { set_to_ticks: 0, ..SILENT }],
        ..LOSES
    };
}
