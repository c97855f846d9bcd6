//! Plain apps with a base. A plain app may get one entry twice, the second time on top of a change of its own that it
//! committed in between, with that very entry as its base. So the base counts only when nothing about it is in doubt.

use crate::case::{breaks, cases, holds};
use crate::setup::{Crossing, Doubt, Faults, Policy, Setup, Target};
use crate::state::Side;

const UNKNOWN: Setup = Setup {
    target: Target::Plain,
    crossing: Crossing::SinceBase(Doubt::OpenOrMarked),
    faults: Faults { unknowns: 1, ..Faults::PAUSE },
    ..Setup::TWO_ORIGINS
};
const CRASH: Setup =
    Setup { writers: &[Side::A, Side::B, Side::A], faults: Faults { crashes: 1, ..Faults::PAUSE }, ..UNKNOWN };
const BASE_ALONE: Crossing = Crossing::SinceBase(Doubt::OpenOrMarkedBase);

cases! {
    plain_apps_converge_when_doubt_counts: holds(78_840, 251_124), UNKNOWN;
    plain_apps_converge_when_doubt_counts_across_a_crash: holds(75_758, 233_900), CRASH;
    the_primary_wins_at_plain_apps_when_doubt_counts: holds(67_388, 213_283), Setup {
        policy: Policy::PrimaryWins,
        ..UNKNOWN
    };
    the_primary_wins_at_plain_apps_when_doubt_counts_across_a_crash: holds(60_452, 186_308), Setup {
        policy: Policy::PrimaryWins,
        ..CRASH
    };

    /// The head then has to remember only the last entry that was written to each side.
    plain_apps_converge_when_doubt_about_the_base_counts: holds(79_584, 252_880), Setup {
        crossing: BASE_ALONE,
        ..UNKNOWN
    };
    plain_apps_converge_when_doubt_about_the_base_counts_across_a_crash: holds(76_390, 235_224), Setup {
        crossing: BASE_ALONE,
        ..CRASH
    };
    the_primary_wins_at_plain_apps_when_doubt_about_the_base_counts: holds(68_184, 215_177), Setup {
        crossing: BASE_ALONE,
        policy: Policy::PrimaryWins,
        ..UNKNOWN
    };
    the_primary_wins_at_plain_apps_when_doubt_about_the_base_counts_across_a_crash: holds(61_120, 187_710), Setup {
        crossing: BASE_ALONE,
        policy: Policy::PrimaryWins,
        ..CRASH
    };

    doubt_about_open_entries_alone_forgets_that_a_base_was_written_twice: breaks(11, "at rest A="), Setup {
        crossing: Crossing::SinceBase(Doubt::Open),
        ..UNKNOWN
    };
    doubt_about_marked_entries_alone_overlooks_a_base_that_is_still_open: breaks(11, "at rest A="), Setup {
        crossing: Crossing::SinceBase(Doubt::Marked),
        ..UNKNOWN
    };
    a_takeover_that_leaves_no_mark_forgets_that_a_base_was_written_twice: breaks(11, "at rest A="), Setup {
        takeover_marks: false,
        ..CRASH
    };
}
