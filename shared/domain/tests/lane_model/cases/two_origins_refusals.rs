//! Refusals and skips where the origin has committed its change already.

use crate::case::{breaks, cases, holds};
use crate::setup::{Faults, FinalRefusal, Policy, Setup, Target};
use crate::state::Side;

const ONE_EACH: Setup = Setup { writers: &[Side::A, Side::B], ..Setup::TWO_ORIGINS };
const REFUSED: Faults = Faults { refusals: 1, ..Faults::PAUSE };
const SKIPPED: Faults = Faults { failures: 1, unknowns: 1, skips: 1, ..REFUSED };
const ZOMBIES: Setup =
    Setup { restores: true, leases_expire_early: true, faults: Faults { unknowns: 1, ..REFUSED }, ..ONE_EACH };

cases! {
    a_422_that_restores_nothing_leaves_the_origin_alone_with_its_value:
        breaks(12, "at rest A=0 B=1, lane says 0"), Setup {
        faults: REFUSED,
        ..ONE_EACH
    };
    a_422_with_a_restore_entry_puts_the_origin_back: holds(164_868, 478_822), Setup {
        restores: true,
        faults: Faults { failures: 1, ..REFUSED },
        ..Setup::TWO_ORIGINS
    };
    a_skip_with_a_restore_entry_puts_both_apps_back: holds(69_958, 199_184), Setup {
        restores: true,
        faults: SKIPPED,
        ..ONE_EACH
    };
    the_primary_wins_across_refusals_and_skips: holds(64_483, 182_649), Setup {
        restores: true,
        policy: Policy::PrimaryWins,
        faults: SKIPPED,
        ..ONE_EACH
    };

    a_refused_write_back_parks: holds(180_654, 532_427), Setup {
        restores: true,
        any_call_may_be_refused: true,
        faults: Faults { failures: 1, ..REFUSED },
        ..Setup::TWO_ORIGINS
    };
    a_refused_write_back_may_be_skipped_with_a_restore_entry: holds(74_264, 213_312), Setup {
        restores: true,
        any_call_may_be_refused: true,
        faults: SKIPPED,
        ..ONE_EACH
    };
    a_refused_write_back_answered_422_comes_after_the_effect: breaks(6, "422 for #1 but it has an effect"), Setup {
        restores: true,
        any_call_may_be_refused: true,
        final_refusal: FinalRefusal::OfWriteBackToo,
        faults: REFUSED,
        ..ONE_EACH
    };

    versioned_apps_bear_zombies_and_refusals: holds(121_090, 519_706), Setup {
        target: Target::Versioned,
        ..ZOMBIES
    };
    idempotent_apps_bear_zombies_and_refusals: holds(121_090, 519_706), ZOMBIES;
}
