//! A client's retry of a write gets the answer of the original, and never a second entry.

use crate::case::{breaks, cases, holds};
use crate::setup::{EvictedIds, Faults, RecentRule, RetryInFlight, Setup};
use crate::state::Side;

const TWO_WRITERS: Setup = Setup { retry_of: Some((1, 0)), ..Setup::ONE_ORIGIN };
const THREE_WRITERS: Setup =
    Setup { writers: &[Side::A, Side::A, Side::A], retry_of: Some((2, 0)), ..Setup::ONE_ORIGIN };
const THREE_IDS: Setup = Setup { writers: &[Side::A, Side::A, Side::A], ..Setup::ONE_ORIGIN };
const ONE_ID: RecentRule = RecentRule { capacity: 1, keeps_open: true, evicted: EvictedIds::Forgotten };

cases! {
    a_retry_waits_for_the_original_and_ids_are_kept_in_every_step: holds(217_858, 836_482), Setup {
        faults: Faults { unknowns: 1, refusals: 1, ..Faults::USUAL },
        ..THREE_WRITERS
    };
    a_retry_bears_zombies: holds(14_430, 67_843), Setup {
        leases_expire_early: true,
        faults: Faults { crashes: 1, unknowns: 1, refusals: 1, ..Faults::PAUSE },
        ..TWO_WRITERS
    };
    a_retry_that_looks_only_in_recent_misses_the_one_in_flight: breaks(7, "id 0 appended twice"), Setup {
        retry_in_flight: RetryInFlight::GoesUnnoticed,
        release_remembers_id: false,
        ..TWO_WRITERS
    };
    a_release_that_does_not_remember_its_id_loses_it: breaks(7, "id 0 appended twice"), Setup {
        release_remembers_id: false,
        ..TWO_WRITERS
    };
    a_ring_that_evicts_open_ids_loses_them: breaks(7, "id 0 appended twice"), Setup {
        recent: RecentRule { keeps_open: false, ..ONE_ID },
        faults: Faults { failures: 1, ..Faults::PAUSE },
        ..THREE_WRITERS
    };
    a_ring_without_a_floor_takes_an_old_retry_for_a_new_write: breaks(7, "id 0 appended twice"), Setup {
        recent: ONE_ID,
        faults: Faults::PAUSE,
        ..THREE_WRITERS
    };
    a_ring_with_a_floor_refuses_an_old_retry: holds(109_118, 409_450), Setup {
        recent: RecentRule { evicted: EvictedIds::RaiseFloor, ..ONE_ID },
        faults: Faults { unknowns: 1, ..Faults::USUAL },
        ..THREE_WRITERS
    };
    a_ring_that_keeps_evicted_ids_refuses_an_old_retry: holds(109_118, 409_450), Setup {
        recent: RecentRule { evicted: EvictedIds::Kept, ..ONE_ID },
        faults: Faults { unknowns: 1, ..Faults::USUAL },
        ..THREE_WRITERS
    };
    a_floor_refuses_a_new_id_that_comes_out_of_order: breaks(7, "new id 0 refused"), Setup {
        recent: RecentRule { evicted: EvictedIds::RaiseFloor, ..ONE_ID },
        ..THREE_IDS
    };
    a_ring_that_keeps_evicted_ids_takes_new_ids_in_any_order: holds(220_860, 750_017), Setup {
        recent: RecentRule { evicted: EvictedIds::Kept, ..ONE_ID },
        ..THREE_IDS
    };
    a_retry_answered_202_while_the_original_is_in_flight_may_be_wrong: breaks(8, "id 0 got different answers"), Setup {
        retry_in_flight: RetryInFlight::IsAnswered202,
        faults: Faults { refusals: 1, ..Faults::USUAL },
        ..TWO_WRITERS
    };
}
