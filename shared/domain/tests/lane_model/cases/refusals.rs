//! Refusals with one origin: who is told 422, and what parks.

use crate::case::{breaks, cases, holds};
use crate::setup::{Faults, FinalRefusal, Setup, Target};
use crate::state::Side;

const ONE: Setup = Setup::ONE_ORIGIN;
const ZOMBIES: Setup = Setup {
    leases_expire_early: true,
    faults: Faults { crashes: 1, unknowns: 1, refusals: 1, ..Faults::PAUSE },
    ..ONE
};

cases! {
    a_refusal_parks_or_is_answered_422: holds(183_633, 543_608), Setup {
        writers: &[Side::A, Side::A, Side::A],
        faults: Faults { failures: 1, refusals: 2, ..Faults::PAUSE },
        ..ONE
    };
    idempotent_target_may_refuse_zombies: holds(201_417, 1_083_396), ZOMBIES;
    versioned_target_may_refuse_zombies: holds(201_417, 1_083_396), Setup {
        target: Target::Versioned,
        ..ZOMBIES
    };
    a_refusal_in_a_drain_loses_an_acknowledged_write: breaks(6, "was answered Queued and ended as Refused"), Setup {
        final_refusal: FinalRefusal::InDrainToo,
        faults: Faults { refusals: 1, ..Faults::PAUSE },
        ..ONE
    };
    a_422_for_an_appended_entry_may_come_after_its_effect: breaks(6, "422 for #0 but it has an effect"), Setup {
        final_refusal: FinalRefusal::OfAppendedToo,
        unknown_stays_in_flight: false,
        faults: Faults { unknowns: 1, refusals: 1, ..Faults::PAUSE },
        ..ONE
    };
    a_422_without_the_lease_is_not_true: breaks(6, "was answered Refused and ended as Applied"), Setup {
        final_refusal: FinalRefusal::WithoutLease,
        ..ZOMBIES
    };
}
