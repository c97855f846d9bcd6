//! Apps that do not report what Tandem writes. A user sets a value back: it is what Tandem wrote once, and no echo.

use crate::case::{breaks, cases, holds, is_limited};
use crate::production::setup::{A, AppKind, B, Edit, Mutant, Setup, saves};

/// It does not say what the record was before, either.
const SILENT: AppKind = AppKind { reports_own_writes: false, set_to_report: false, says_before: false, ..Setup::APP };
/// Its setting is wrong.
const SILENT_BY_MISTAKE: AppKind = AppKind { set_to_report: true, ..SILENT };
const TERSE: AppKind = AppKind { says_before: false, ..Setup::APP };

/// What Tandem wrote before its last write.
const BACK_TO_AN_OLDER_VALUE: &[Edit] = &[saves(A, "red"), saves(A, "blue"), saves(B, "red")];
/// What Tandem wrote last.
const BACK_TO_THE_LAST_VALUE: &[Edit] = &[saves(A, "red"), saves(B, "blue"), saves(B, "red")];
const QUIET: Setup = Setup::QUIET;

cases! {
    a_silent_app_goes_back_to_an_older_value: holds(307, 458), Setup {
        edits: BACK_TO_AN_OLDER_VALUE,
        apps: [Setup::APP, SILENT],
        ..QUIET
    };
    a_silent_app_goes_back_to_the_last_value: holds(4_413, 7_346), Setup {
        edits: BACK_TO_THE_LAST_VALUE,
        apps: [Setup::APP, SILENT],
        crashes: 1,
        ..QUIET
    };
    two_silent_apps_go_back_to_the_last_value: holds(278, 401), Setup {
        edits: BACK_TO_THE_LAST_VALUE,
        apps: [SILENT; 2],
        ..QUIET
    };
    an_app_that_is_not_set_to_be_silent_loses_the_older_value: breaks(16, "AppsDiffer"), Setup {
        edits: BACK_TO_AN_OLDER_VALUE,
        apps: [Setup::APP, SILENT_BY_MISTAKE],
        ..QUIET
    };
    /// What it says of before tells its changes from echoes.
    an_app_that_is_not_set_to_be_silent_may_say_what_was_before: holds(251, 354), Setup {
        edits: BACK_TO_AN_OLDER_VALUE,
        apps: [Setup::APP, AppKind { says_before: true, ..SILENT_BY_MISTAKE }],
        ..QUIET
    };
    a_report_after_another_change_is_copied: holds(49, 55), Setup {
        edits: BACK_TO_THE_LAST_VALUE,
        apps: [Setup::APP, SILENT_BY_MISTAKE],
        users_wait: true,
        ..QUIET
    };
    a_report_after_another_change_may_be_an_echo: holds(49, 56), Setup {
        edits: BACK_TO_THE_LAST_VALUE,
        apps: [Setup::APP, TERSE],
        users_wait: true,
        ..QUIET
    };
    /// The copy brings the record as its app has it by then. A user who is faster than the write-back of an earlier change of
    /// hers loses the later one to it.
    a_report_is_copied_after_a_write_back_has_overwritten_it: is_limited("NobodysLastEdit(Some(\"blue\"))"), Setup {
        edits: BACK_TO_THE_LAST_VALUE,
        apps: [Setup::APP, TERSE],
        ..QUIET
    };
    a_report_after_another_change_that_is_taken_for_an_echo_is_lost: breaks(16, "AppsDiffer"), Setup {
        edits: BACK_TO_THE_LAST_VALUE,
        apps: [Setup::APP, SILENT_BY_MISTAKE],
        mutant: Mutant::ReportsHaveNoPlace,
        ..QUIET
    };
}
