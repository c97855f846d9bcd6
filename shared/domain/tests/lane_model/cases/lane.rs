//! The lane as such: order and liveness across pauses, crashes and failures, and the compare-and-set under it.

use crate::case::{breaks, cases, holds};
use crate::setup::{Faults, Setup};
use crate::state::Side;

const ONE: Setup = Setup::ONE_ORIGIN;
const THREE_WRITERS: &[Side] = &[Side::A, Side::A, Side::A];

cases! {
    two_writers_and_two_workers_keep_the_order: holds(64_421, 250_514), Setup {
        drain_workers: 2,
        faults: Faults { pauses: 2, unknowns: 1, ..Faults::USUAL },
        ..ONE
    };
    three_writers_keep_the_order: holds(655_731, 2_579_630), Setup {
        writers: THREE_WRITERS,
        faults: Faults { unknowns: 1, ..Faults::USUAL },
        ..ONE
    };
    catching_up_may_end_too_early: holds(94_319, 395_765), Setup {
        catching_up: true,
        drain_workers: 2,
        faults: Faults { pauses: 2, unknowns: 1, ..Faults::USUAL },
        ..ONE
    };
    without_compare_and_set_the_lane_goes_back: breaks(1, "done_seq goes back 0->-1"), Setup {
        compare_and_set: false,
        faults: Faults::PAUSE,
        ..ONE
    };
}
