//! A deletion that waits yields to a change of the other app that wins: what no mapping carries must not be destroyed.

use crate::case::{breaks, cases, holds};
use crate::production::setup::{A, B, Mutant, Setup, deletes, saves, saves_in_transaction};

const CROSSED: Setup = Setup { edits: &[deletes(A), saves(B, "red")], paused: true, ..Setup::QUIET };

cases! {
    a_deletion_that_waits_yields_to_a_change_that_wins: holds(394, 583), CROSSED;
    a_deletion_that_waits_yields_across_a_crash: holds(1_994, 2_875), Setup { crashes: 1, ..CROSSED };
    a_deletion_yields_to_a_change_that_its_caller_commits_late: holds(4_358, 6_866), Setup {
        edits: &[deletes(A), saves_in_transaction(B, "red")],
        ticks: 1,
        ..CROSSED
    };
    a_deletion_with_a_record_made_anew_behind_it_yields: holds(6_075, 10_139), Setup {
        edits: &[deletes(A), saves(A, "blue"), saves(B, "red")],
        ..CROSSED
    };
    a_deletion_of_the_primary_yields_to_nothing: holds(275, 404), Setup { primary: Some(A), ..CROSSED };
    a_deletion_yields_to_the_primary: holds(303, 443), Setup { primary: Some(B), ..CROSSED };
    a_deletion_that_does_not_yield_destroys_what_no_mapping_carries:
        breaks(18, "DeletedUnderAChange(Second)"), Setup {
        mutant: Mutant::DeletionsDoNotYield,
        ..CROSSED
    };
}
