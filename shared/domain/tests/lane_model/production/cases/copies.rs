//! What an operator's copy may still do to a change whose report is on its way.

use crate::case::{breaks, cases, holds, is_limited};
use crate::production::setup::{A, B, Mutant, Setup, saves};

const COPIED: Setup =
    Setup { edits: &[saves(A, "blue"), saves(A, "red"), saves(A, "green")], recoveries: &[A], ..Setup::QUIET };

cases! {
    an_echo_of_a_copy_is_known_before_the_copy_is_settled: holds(622, 1_241), COPIED;
    an_echo_of_a_copy_is_known_across_a_crash: holds(1_113, 2_006), Setup { edits: &[saves(A, "blue"), saves(A, "red")], crashes: 1, ..COPIED };
    /// The report of the copy seems to be a change, which wins over what was accepted in between.
    an_echo_of_a_copy_that_is_not_announced_is_taken_for_a_change: breaks(22, "NobodysLastEdit(Some(\"red\"))"), Setup {
        mutant: Mutant::CopiesAreNotAnnounced,
        ..COPIED
    };
    /// What an app had when its record was copied first is unknown to the lane. A user changes it, and the same is copied on
    /// top of that. The report says that it was made on such a value: it seems to know the copy, and the echo of that, which
    /// comes later, seems to be a change.
    a_copy_of_what_was_there_before_is_taken_for_what_the_user_knew: is_limited("NobodysLastEdit(Some(\"white\"))"), Setup {
        records: [Some("white"), Some("blue")],
        edits: &[saves(A, "red")],
        runs: &[A],
        recoveries: &[B],
        ..Setup::QUIET
    };
}
