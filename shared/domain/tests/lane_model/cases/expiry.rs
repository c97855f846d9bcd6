//! An idle head expires and is made anew.

use crate::case::{breaks, cases, holds};
use crate::setup::{Faults, Setup, Target};
use crate::state::Side;

const VERSIONED: Setup = Setup { target: Target::Versioned, ..Setup::ONE_ORIGIN };

cases! {
    a_new_generation_follows_an_expired_head: holds(957_426, 3_681_665), Setup {
        writers: &[Side::A, Side::A, Side::A],
        faults: Faults { unknowns: 1, expiries: 1, ..Faults::USUAL },
        ..VERSIONED
    };
    a_new_generation_bears_zombies: holds(22_979, 92_826), Setup {
        leases_expire_early: true,
        faults: Faults { unknowns: 1, expiries: 1, ..Faults::PAUSE },
        ..VERSIONED
    };
    without_a_new_generation_a_write_is_taken_for_an_old_one:
        breaks(10, "#1 marked done but never applied at B"), Setup {
        new_generation: false,
        faults: Faults { expiries: 1, ..Faults::PAUSE },
        ..VERSIONED
    };
}
