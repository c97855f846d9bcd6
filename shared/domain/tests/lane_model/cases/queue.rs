//! Pointers and the sweep: real queues, lost pointers, and pointers to entries that are not next.

use crate::case::{breaks, cases, holds};
use crate::setup::{EarlyPointer, Faults, Queue, Setup};

const FIFO: Setup = Setup { queue: Queue::Fifo, ..Setup::ONE_ORIGIN };
const STANDARD: Setup = Setup { queue: Queue::Standard, ..Setup::ONE_ORIGIN };
const UNKNOWN: Faults = Faults { unknowns: 1, ..Faults::USUAL };
const CRASH: Faults = Faults { crashes: 1, ..Faults::PAUSE };
const FAILURE: Faults = Faults { failures: 1, ..Faults::PAUSE };

cases! {
    an_early_pointer_left_in_a_fifo_queue_blocks_its_group_for_ever: breaks(2, "STUCK"), Setup {
        early_pointer: EarlyPointer::StaysInQueue,
        queue_limit: 3,
        faults: Faults::PAUSE,
        ..FIFO
    };
    an_early_pointer_left_in_a_standard_queue_does_no_harm: holds(199_147, 975_810), Setup {
        early_pointer: EarlyPointer::StaysInQueue,
        drain_workers: 2,
        faults: UNKNOWN,
        ..STANDARD
    };
    an_early_pointer_wakes_the_lane_of_a_fifo_queue: holds(189_151, 814_494), Setup {
        faults: UNKNOWN,
        ..FIFO
    };
    an_early_pointer_wakes_one_of_two_fifo_workers: holds(46_189, 195_402), Setup {
        drain_workers: 2,
        faults: CRASH,
        ..FIFO
    };
    an_early_pointer_may_be_deleted_from_a_fifo_queue: holds(46_931, 179_940), Setup {
        early_pointer: EarlyPointer::IsDeleted,
        ..FIFO
    };
    an_early_pointer_wakes_the_lane_of_a_standard_queue: holds(208_355, 1_019_010), Setup {
        drain_workers: 2,
        faults: UNKNOWN,
        ..STANDARD
    };
    a_standard_queue_bears_refusals: holds(139_357, 521_046), Setup {
        faults: Faults { refusals: 1, ..UNKNOWN },
        ..STANDARD
    };
    a_fifo_queue_bears_refusals: holds(30_571, 106_474), Setup {
        faults: Faults { refusals: 1, ..FAILURE },
        ..FIFO
    };
    a_worker_that_runs_what_its_pointer_names_forgets_an_earlier_entry: breaks(2, "entry #0 never finished"), Setup {
        next_entry_only: false,
        ..STANDARD
    };
    a_worker_that_runs_what_its_pointer_names_sticks_the_lane: breaks(2, "STUCK"), Setup {
        next_entry_only: false,
        faults: Faults::PAUSE,
        ..STANDARD
    };

    the_sweep_makes_the_second_look_at_the_map_optional: holds(27_591, 103_712), Setup {
        reread: false,
        ..FIFO
    };
    without_the_sweep_a_crash_sticks_the_lane: breaks(3, "STUCK"), Setup {
        sweep: false,
        ..FIFO
    };
    without_the_sweep_one_lost_pointer_sticks_the_lane: breaks(3, "STUCK"), Setup {
        sweep: false,
        faults: Faults::PAUSE,
        ..FIFO
    };
    without_the_sweep_and_the_second_look_the_lane_sticks: breaks(3, "STUCK"), Setup {
        sweep: false,
        reread: false,
        ..STANDARD
    };
    /// The sweep is there for losses and crashes alone.
    without_the_sweep_nothing_sticks_when_nothing_is_lost: holds(1_821, 4_288), Setup {
        sweep: false,
        pointers_get_lost: false,
        faults: FAILURE,
        ..FIFO
    };
}
