//! Unknown outcomes and leases that are taken over, for the three kinds of target.

use crate::case::{breaks, cases, holds};
use crate::setup::{Faults, Setup, Target};
use crate::state::Side;

const ONE: Setup = Setup::ONE_ORIGIN;
const ZOMBIES: Setup = Setup::ZOMBIES;
const UNKNOWN: Faults = Faults { unknowns: 1, ..Faults::USUAL };
const RELEASED_AT_ONCE: Setup = Setup { unknown_stays_in_flight: false, faults: UNKNOWN, ..ONE };

cases! {
    plain_target_holds_while_unknown_calls_stay_in_flight: holds(34_523, 126_508), Setup {
        target: Target::Plain,
        drain_workers: 2,
        faults: UNKNOWN,
        ..ONE
    };
    plain_target_holds_for_three_writers: holds(655_731, 2_579_630), Setup {
        target: Target::Plain,
        writers: &[Side::A, Side::A, Side::A],
        faults: UNKNOWN,
        ..ONE
    };
    plain_target_released_at_timeout_lets_an_old_call_land_on_a_newer_one:
        breaks(4, "old effect after new: app B gets #0 after #1"), Setup {
        target: Target::Plain,
        ..RELEASED_AT_ONCE
    };
    idempotent_target_may_be_released_at_timeout: holds(46_797, 193_992), Setup {
        drain_workers: 2,
        ..RELEASED_AT_ONCE
    };
    versioned_target_may_be_released_at_timeout: holds(46_797, 193_992), Setup {
        target: Target::Versioned,
        drain_workers: 2,
        ..RELEASED_AT_ONCE
    };
    plain_target_taken_over_too_early_gets_an_old_call_after_a_newer_one:
        breaks(5, "old effect after new: app B gets #0 after #1"), Setup {
        target: Target::Plain,
        ..ZOMBIES
    };
    idempotent_target_bears_zombies: holds(15_753, 62_966), ZOMBIES;
    idempotent_target_bears_zombies_and_a_crash: holds(14_059, 59_138), Setup {
        faults: Faults { crashes: 1, ..Faults::PAUSE },
        ..ZOMBIES
    };
    versioned_target_bears_zombies: holds(15_753, 62_966), Setup {
        target: Target::Versioned,
        ..ZOMBIES
    };
    versioned_target_bears_zombies_among_two_workers: holds(19_005, 71_530), Setup {
        target: Target::Versioned,
        drain_workers: 2,
        faults: Faults::PAUSE,
        ..ZOMBIES
    };
    an_older_version_taken_for_a_refusal_parks_the_lane_for_ever: breaks(14, "STUCK"), Setup {
        target: Target::Versioned,
        older_version_is_success: false,
        faults: UNKNOWN,
        ..ONE
    };
}
