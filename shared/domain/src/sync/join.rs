//! Joins the rows of two sides that list the same records, each in an order of its own.
//!
//! A row waits for the row of the other side with the same key. Keys are compared by their canonical bytes, never by an
//! app's collation. If both apps list in like orders, few rows wait. Whatever the orders are, no more than
//! [`MAX_WAITING`] of a side do: the oldest beyond that are looked up one by one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    id::RecordKey,
    map::{PerSide, SideIx},
    record::ContentHash,
};

/// Most rows of a side that wait. They are stored with the run, in an item of 400 KB.
pub(super) const MAX_WAITING: usize = 500;
/// Most bytes of their keys: what is stored with each takes fifty more.
const MAX_WAITING_KEY_BYTES: usize = 40_000;

/// Rows that wait for their counterpart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    waiting: [BTreeMap<RecordKey, WaitingRow>; 2],
    /// How many rows have waited so far: the order of their arrival.
    arrived: u64,
    /// Rows of the side were given up: that one of them has no counterpart is not certain.
    given_up: PerSide<bool>,
}

/// A row that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct WaitingRow {
    content: ContentHash,
    arrived: u64,
}

/// What a row met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// The row of the other side.
    Pair {
        /// Both have the same content.
        equal: bool,
    },
    /// Nothing yet: it waits.
    Waits,
    /// A row of its own side that waits: the side listed the record twice.
    Twice,
}

impl Join {
    /// Offers a row: its key, and its content in the form in which both sides are compared.
    pub fn offer(&mut self, side: SideIx, key: &RecordKey, content: ContentHash) -> Joined {
        if let Some(other) = self.waiting[side.other().at()].remove(key) {
            return Joined::Pair { equal: other.content == content };
        }
        let own = &mut self.waiting[side.at()];
        if own.contains_key(key) {
            return Joined::Twice;
        }
        own.insert(key.clone(), WaitingRow { content, arrived: self.arrived });
        self.arrived += 1;
        Joined::Waits
    }

    /// Takes out the oldest rows of a side beyond the bound: they must be looked up.
    pub fn take_overflow(&mut self, side: SideIx) -> Vec<RecordKey> {
        let rows = &self.waiting[side.at()];
        let bytes: usize = rows.keys().map(|key| key.as_str().len()).sum();
        let too_large = bytes > MAX_WAITING_KEY_BYTES;
        let excess = rows.len().saturating_sub(MAX_WAITING).max(usize::from(too_large));
        self.take_oldest(side, excess)
    }

    /// Takes out the oldest rows of a side, so many. Their counterparts, if they come, are looked up, too.
    pub fn take_oldest(&mut self, side: SideIx, count: usize) -> Vec<RecordKey> {
        if count == 0 {
            return Vec::new();
        }
        let rows = &mut self.waiting[side.at()];
        let mut oldest: Vec<(u64, RecordKey)> = rows.iter().map(|(key, row)| (row.arrived, key.clone())).collect();
        oldest.sort_unstable();
        oldest.truncate(count);
        self.given_up[side] = true;
        oldest
            .into_iter()
            .map(|(_, key)| {
                rows.remove(&key);
                key
            })
            .collect()
    }

    /// Notes that the list of a side may lack records that the side has: what is not met may be there all the same.
    pub fn may_lack(&mut self, side: SideIx) {
        self.given_up[side] = true;
    }

    /// Takes a row out again: it was offered, and is dealt with in another way.
    pub fn forget(&mut self, side: SideIx, key: &RecordKey) {
        self.waiting[side.at()].remove(key);
    }

    /// The rows of a side that wait, in the order of their keys.
    pub fn waiting_keys(&self, side: SideIx) -> impl Iterator<Item = &RecordKey> {
        self.waiting[side.at()].keys()
    }

    /// How many rows of a side wait.
    #[must_use]
    pub fn waiting(&self, side: SideIx) -> usize {
        self.waiting[side.at()].len()
    }

    /// Whether a row that waits on the other side would have been met: none of this side's was given up.
    #[must_use]
    pub fn remembers_all(&self, side: SideIx) -> bool {
        !self.given_up[side]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SideIx::{First, Second};

    fn key(n: usize) -> RecordKey {
        format!("K-{n}").parse().unwrap()
    }

    #[test]
    fn rows_meet_whatever_the_order_is() {
        let mut join = Join::default();
        for n in 0..50 {
            assert_eq!(join.offer(First, &key(n), ContentHash(n as u64)), Joined::Waits);
        }
        for n in (0..50).rev() {
            let content = ContentHash(if n == 7 { 99 } else { n as u64 });
            assert_eq!(join.offer(Second, &key(n), content), Joined::Pair { equal: n != 7 });
        }
        assert_eq!((join.waiting(First), join.waiting(Second)), (0, 0));
        assert!(join.remembers_all(First) && join.remembers_all(Second));
    }

    #[test]
    fn a_row_that_comes_twice_while_it_waits_is_noticed() {
        let mut join = Join::default();
        join.offer(First, &key(1), ContentHash(1));
        assert_eq!(join.offer(First, &key(1), ContentHash(2)), Joined::Twice);
        assert_eq!(join.offer(Second, &key(1), ContentHash(1)), Joined::Pair { equal: true });
    }

    #[test]
    fn no_more_rows_wait_than_the_bound_and_the_oldest_go_first() {
        let mut join = Join::default();
        for n in 0..MAX_WAITING + 3 {
            join.offer(Second, &key(n), ContentHash(0));
        }
        assert_eq!(join.take_overflow(Second), [key(0), key(1), key(2)]);
        assert_eq!((join.waiting(Second), join.take_overflow(Second).len()), (MAX_WAITING, 0));
        assert!(!join.remembers_all(Second) && join.remembers_all(First));
    }

    #[test]
    fn long_keys_do_not_fill_the_item_of_the_run() {
        let mut join = Join::default();
        let long = |n: usize| format!("{n:0>256}").parse().unwrap();
        for n in 0..1_000 {
            join.offer(First, &long(n), ContentHash(u64::MAX));
            assert!(join.take_overflow(First).len() <= 1);
        }
        assert!(serde_json::to_vec(&join).unwrap().len() < 100_000);
    }
}
