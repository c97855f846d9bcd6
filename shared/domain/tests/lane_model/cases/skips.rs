//! An operator gives a parked entry up.

use crate::case::{breaks, cases, holds};
use crate::setup::{Faults, Setup, Target};

const PARKED: Faults = Faults { failures: 1, unknowns: 1, refusals: 1, skips: 1, ..Faults::PAUSE };
const RESTORES: Setup = Setup { restores: true, faults: PARKED, ..Setup::ONE_ORIGIN };
const SKIPS_AT_ONCE: Setup = Setup {
    leases_expire_early: true,
    skip_waits_for_call: false,
    faults: Faults { failures: 0, ..PARKED },
    ..Setup::ONE_ORIGIN
};

cases! {
    a_skip_of_an_idempotent_entry_that_does_not_wait_is_overtaken:
        breaks(9, "entry #0 was skipped but takes effect at B afterwards"), SKIPS_AT_ONCE;
    a_skip_of_a_versioned_entry_that_does_not_wait_is_overtaken:
        breaks(9, "entry #0 was skipped but takes effect at B afterwards"), Setup {
        target: Target::Versioned,
        ..SKIPS_AT_ONCE
    };
    a_restore_entry_undoes_a_late_effect_at_a_versioned_target: holds(115_223, 476_822), Setup {
        target: Target::Versioned,
        restores: true,
        skipped_may_land: true,
        ..SKIPS_AT_ONCE
    };
    a_restore_entry_alone_is_not_enough_for_an_idempotent_target:
        breaks(9, "old effect after new: app B gets #0 after #1"), Setup {
        restores: true,
        skipped_may_land: true,
        ..SKIPS_AT_ONCE
    };
    a_skip_after_an_unknown_outcome_leaves_its_effect:
        breaks(9, "at rest target=1, lane says 0 (a skipped write has an effect)"), Setup {
        restores: false,
        ..RESTORES
    };
    a_skip_that_waits_and_restores_holds: holds(148_091, 498_134), Setup {
        faults: Faults { crashes: 1, ..PARKED },
        ..RESTORES
    };
    a_skip_that_waits_and_restores_holds_at_a_plain_target: holds(36_311, 103_312), Setup {
        target: Target::Plain,
        ..RESTORES
    };
    a_skip_that_waits_and_restores_holds_at_a_versioned_target: holds(36_311, 103_312), Setup {
        target: Target::Versioned,
        ..RESTORES
    };
}
