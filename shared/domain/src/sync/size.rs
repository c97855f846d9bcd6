//! Whether a list has ended too early.

use serde::{Deserialize, Serialize};

/// A list may be short by this part of what is expected, in percent: records come and go while it is read, and what an app
/// counts for a list is an estimate in some.
const SHORT_PERCENT: u64 = 10;
/// A list may be short by so many records, whatever part that is: of a few records many may go in a day.
const SHORT_RECORDS: u64 = 20;

/// Why so many records are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SizeBasis {
    /// The app said so on the first page.
    Total,
    /// The last run that read the whole list met so many.
    LastRun,
}

impl SizeBasis {
    /// What is expected, in words.
    #[must_use]
    pub fn describe(self, expected: u64) -> String {
        match self {
            Self::Total => format!("the app had counted {expected}"),
            Self::LastRun => format!("the last run that read it had met {expected}"),
        }
    }
}

/// How many records a list should have, and why, if it has ended too early.
#[must_use]
pub fn find_missing(listed: u64, total: Option<u64>, last_run: Option<u64>) -> Option<(u64, SizeBasis)> {
    let known = [(total, SizeBasis::Total), (last_run, SizeBasis::LastRun)];
    known
        .into_iter()
        .filter_map(|(records, basis)| Some((records?, basis)))
        .find(|(records, _)| is_short(listed, *records))
}

fn is_short(listed: u64, expected: u64) -> bool {
    let missing = expected.saturating_sub(listed);
    // A list without any record is what a lost right or a wrong company looks like, however few there were.
    listed == 0 && expected > 0
        || missing >= SHORT_RECORDS && missing.saturating_mul(100) > expected.saturating_mul(SHORT_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use SizeBasis::{LastRun, Total};

    #[test]
    fn a_list_is_short_when_it_lacks_a_tenth_and_twenty_records_or_everything() {
        assert_eq!(find_missing(1_000, None, None), None);
        assert_eq!(find_missing(900, Some(1_000), None), None, "a tenth may go");
        assert_eq!(find_missing(899, Some(1_000), None), Some((1_000, Total)));
        assert_eq!(find_missing(899, None, Some(1_000)), Some((1_000, LastRun)));
        assert_eq!(find_missing(899, Some(899), Some(1_000)), Some((1_000, LastRun)));
        assert_eq!(find_missing(1, Some(20), None), None, "of a few, many may go");
        assert_eq!(find_missing(0, Some(20), None), Some((20, Total)));
        assert_eq!(find_missing(0, Some(1), None), Some((1, Total)), "all of them is too much");
        assert_eq!(find_missing(0, Some(0), Some(0)), None);
        assert_eq!(find_missing(5_000, Some(12), Some(4_000)), None, "more than expected is no doubt");
    }
}
