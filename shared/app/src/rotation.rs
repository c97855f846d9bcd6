//! Fair turns: a run that has no time for all begins with others than the run before it.

use domain::Timestamp;

/// Runs begin once a minute.
const RUN_EVERY_MS: u64 = 60_000;

/// Rotates items so that each run begins `step` items behind the beginning of the run before it.
pub(crate) fn rotate_fairly<T>(items: &mut [T], now: Timestamp, step: usize) {
    if items.is_empty() {
        return;
    }
    let run = usize::try_from(now.0 / RUN_EVERY_MS).unwrap_or(0);
    let first = run.wrapping_mul(step) % items.len();
    items.rotate_left(first);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotated(minute: u64, step: usize) -> [u8; 5] {
        let mut items = [0, 1, 2, 3, 4];
        rotate_fairly(&mut items, Timestamp(minute * RUN_EVERY_MS + 7), step);
        items
    }

    #[test]
    fn every_item_is_the_first_one_in_some_run() {
        for step in [1, 8] {
            let mut firsts: Vec<_> = (0..5).map(|minute| rotated(minute, step)[0]).collect();
            firsts.sort_unstable();
            assert_eq!(firsts, [0, 1, 2, 3, 4]);
        }
    }

    #[test]
    fn the_next_run_begins_behind_those_that_had_their_turn() {
        assert_eq!(rotated(10, 2), [0, 1, 2, 3, 4]);
        assert_eq!(rotated(11, 2), [2, 3, 4, 0, 1]);
    }

    #[test]
    fn nothing_is_rotated_when_there_is_nothing() {
        rotate_fairly(&mut Vec::<u8>::new(), Timestamp(0), 1);
    }
}
