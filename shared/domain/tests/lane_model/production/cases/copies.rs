//! What an operator's copy may still do to a change whose report is on its way.

use crate::case::{cases, is_limited};
use crate::production::setup::{A, B, Setup, saves};

cases! {
    /// Nobody knows what a copy brings before it is read. So its echo is known only once the attempt is settled: an app that
    /// reports it before seems to have made a change, which wins over what was accepted in between.
    an_echo_of_a_copy_that_is_not_settled_is_taken_for_a_change: is_limited("NobodysLastEdit(Some(\"red\"))"), Setup {
        edits: &[saves(A, "blue"), saves(A, "red"), saves(A, "green")],
        recoveries: &[A],
        ..Setup::QUIET
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
