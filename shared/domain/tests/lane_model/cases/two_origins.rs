//! Both apps change the same record. Each has committed its own change before it calls, and both must end with the
//! same value.

use crate::case::{breaks, cases, holds};
use crate::setup::{Crossing, Faults, Policy, Setup, Target};
use crate::state::Side;

const TWO: Setup = Setup::TWO_ORIGINS;
const ONE_EACH: &[Side] = &[Side::A, Side::B];
const A_AROUND_B: &[Side] = &[Side::A, Side::B, Side::A];
const UNKNOWN: Faults = Faults { unknowns: 1, ..Faults::PAUSE };
const UNKNOWN_OR_FAILED: Faults = Faults { failures: 1, ..UNKNOWN };
const CRASH: Faults = Faults { crashes: 1, ..Faults::PAUSE };
const EXPIRY: Faults = Faults { crashes: 1, expiries: 1, ..Faults::PAUSE };
const PLAIN: Setup = Setup { target: Target::Plain, faults: UNKNOWN, ..TWO };

cases! {
    without_a_crossing_rule_the_apps_swap_their_values: breaks(11, "at rest A=1 B=0, lane says 1"), Setup {
        crossing: Crossing::Never,
        writers: ONE_EACH,
        faults: Faults::NONE,
        ..TWO
    };
    a_rule_that_looks_at_open_entries_misses_a_crossing: breaks(11, "at rest A=1 B=0, lane says 1"), Setup {
        crossing: Crossing::BehindOpenEntry,
        writers: ONE_EACH,
        faults: Faults::NONE,
        ..TWO
    };
    a_rule_that_looks_at_the_last_entry_misses_a_crossing: breaks(11, "at rest A=2 B=1, lane says 2"), Setup {
        crossing: Crossing::BehindLastEntry,
        faults: Faults::NONE,
        ..TWO
    };
    writing_back_always_converges: holds(77_195, 254_851), Setup {
        crossing: Crossing::Always,
        faults: CRASH,
        ..TWO
    };
    writing_back_once_the_lane_ever_wrote_converges: holds(220_821, 777_975), Setup {
        crossing: Crossing::EverWritten,
        faults: UNKNOWN_OR_FAILED,
        ..TWO
    };

    writing_back_since_the_base_converges: holds(259_946, 878_090), Setup {
        faults: UNKNOWN_OR_FAILED,
        ..TWO
    };
    writing_back_since_the_base_converges_across_a_crash: holds(255_571, 879_057), Setup {
        writers: A_AROUND_B,
        faults: Faults::USUAL,
        ..TWO
    };
    the_primary_wins_since_the_base: holds(223_325, 744_753), Setup {
        policy: Policy::PrimaryWins,
        faults: UNKNOWN_OR_FAILED,
        ..TWO
    };
    the_primary_wins_since_the_base_across_a_crash: holds(213_829, 732_784), Setup {
        policy: Policy::PrimaryWins,
        writers: A_AROUND_B,
        faults: Faults::USUAL,
        ..TWO
    };
    versioned_apps_converge_since_the_base: holds(81_335, 255_243), Setup {
        target: Target::Versioned,
        faults: UNKNOWN,
        ..TWO
    };
    versioned_apps_bear_zombies: holds(40_894, 168_070), Setup {
        target: Target::Versioned,
        writers: ONE_EACH,
        leases_expire_early: true,
        faults: UNKNOWN,
        ..TWO
    };
    idempotent_apps_bear_zombies: holds(40_894, 168_070), Setup {
        writers: ONE_EACH,
        leases_expire_early: true,
        faults: UNKNOWN,
        ..TWO
    };

    a_base_from_before_the_expiry_of_the_head_counts_as_crossed: holds(114_588, 358_296), Setup {
        faults: EXPIRY,
        ..TWO
    };
    versioned_apps_converge_when_a_base_from_before_the_expiry_counts_as_crossed: holds(114_588, 358_296), Setup {
        target: Target::Versioned,
        faults: EXPIRY,
        ..TWO
    };
    a_head_that_forgets_what_it_wrote_misses_a_crossing: breaks(11, "at rest A=2 B=0, lane says 2"), Setup {
        lost_memory_counts: false,
        faults: EXPIRY,
        ..TWO
    };

    the_base_of_a_plain_app_is_not_enough_as_a_retry_lands_after_it: breaks(11, "at rest A=2 B=0, lane says 2"), PLAIN;
    plain_apps_converge_once_the_lane_ever_wrote: holds(63_261, 207_451), Setup {
        crossing: Crossing::EverWritten,
        ..PLAIN
    };
    plain_apps_converge_once_the_lane_ever_wrote_across_a_crash: holds(55_269, 178_567), Setup {
        crossing: Crossing::EverWritten,
        writers: A_AROUND_B,
        faults: CRASH,
        ..PLAIN
    };
    the_primary_wins_at_plain_apps_once_the_lane_ever_wrote: holds(53_563, 174_898), Setup {
        crossing: Crossing::EverWritten,
        policy: Policy::PrimaryWins,
        ..PLAIN
    };

    one_app_that_sends_out_of_order_ends_with_its_older_value: breaks(13, "at rest A=1 B=0, lane says 0"), Setup {
        writers: &[Side::A, Side::A],
        commit_order: false,
        faults: Faults::PAUSE,
        ..TWO
    };
    one_app_may_send_out_of_order_when_every_write_is_written_back: holds(1_033, 2_224), Setup {
        writers: &[Side::A, Side::A],
        commit_order: false,
        crossing: Crossing::Always,
        faults: Faults::PAUSE,
        ..TWO
    };
}
