//! What DynamoDB charges, from the items themselves. The rules are those of its developer guide ("item sizes and
//! formats", "capacity unit consumption"), the prices those of on-demand tables in us-east-1.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// US dollars for a million write request units.
pub const USD_PER_MILLION_WRITES: f64 = 0.625;
/// US dollars for a million read request units.
pub const USD_PER_MILLION_READS: f64 = 0.125;
/// US dollars for a million requests to a FIFO queue.
pub const USD_PER_MILLION_FIFO_REQUESTS: f64 = 0.50;
/// A write within a transaction takes this many times the units of the same write alone.
const IN_A_TRANSACTION: usize = 2;
/// One write request unit writes this much of an item.
const WRITE_UNIT_BYTES: usize = 1024;
/// One read request unit reads this much of an item, strongly consistent.
const READ_UNIT_BYTES: usize = 4096;

/// An item.
pub type Item = HashMap<String, AttributeValue>;

/// The size of an item as DynamoDB counts it: names and values.
#[must_use]
pub fn item_bytes(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(blob) => blob.as_ref().len(),
        // "Approximately (1 byte per two significant digits) + (1 byte)"; zeros at either end are trimmed.
        AttributeValue::N(number) => number.trim_matches(['-', '0']).len().div_ceil(2) + 1,
        AttributeValue::Bool(_) | AttributeValue::Null(_) => 1,
        AttributeValue::L(items) => 3 + items.iter().map(|item| 1 + value_bytes(item)).sum::<usize>(),
        AttributeValue::M(item) => 3 + item.len() + item_bytes(item),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        other => unreachable!("no item of Tandem's has a {other:?}"),
    }
}

/// Request units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Write request units.
    pub writes: usize,
    /// Read request units.
    pub reads: usize,
}

impl Units {
    /// Their price for a million requests.
    #[must_use]
    pub fn usd_per_million(self) -> f64 {
        self.writes as f64 * USD_PER_MILLION_WRITES + self.reads as f64 * USD_PER_MILLION_READS
    }

    /// Of one strongly consistent read; an item that is not there is charged as a small one.
    #[must_use]
    pub fn read(item: Option<&Item>) -> Self {
        Self { reads: item.map_or(0, item_bytes).div_ceil(READ_UNIT_BYTES).max(1), writes: 0 }
    }

    /// Of one update: the larger of the item before and after, and what the index of open lanes has to follow. A key
    /// of the index that changes is a deletion and a put.
    #[must_use]
    pub fn update(before: Option<&Item>, after: &Item) -> Self {
        Self { writes: written(before, after) + indexed(before, after), reads: 0 }
    }

    /// Of one put or update within a transaction. The index follows at the price of any other change.
    #[must_use]
    pub fn in_a_transaction(before: Option<&Item>, after: &Item) -> Self {
        Self { writes: IN_A_TRANSACTION * written(before, after) + indexed(before, after), reads: 0 }
    }
}

fn written(before: Option<&Item>, after: &Item) -> usize {
    let bytes = before.map_or(0, item_bytes).max(item_bytes(after));
    bytes.div_ceil(WRITE_UNIT_BYTES).max(1)
}

fn indexed(before: Option<&Item>, after: &Item) -> usize {
    let key = |item: &Item| Some((item.get("open_pk")?.clone(), item.get("open_at")?.clone()));
    let (was, is) = (before.and_then(key), key(after));
    if was == is { 0 } else { usize::from(was.is_some()) + usize::from(is.is_some()) }
}

impl std::iter::Sum for Units {
    fn sum<I: Iterator<Item = Self>>(units: I) -> Self {
        units.fold(Self::default(), |sum, one| Self { writes: sum.writes + one.writes, reads: sum.reads + one.reads })
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    fn item(open_at: Option<&str>, payload_bytes: usize) -> Item {
        let mut item = Item::from([
            ("pk".to_owned(), AttributeValue::S("ü".to_owned())),
            ("b".to_owned(), AttributeValue::B(Blob::new(vec![0; payload_bytes]))),
        ]);
        if let Some(at) = open_at {
            item.insert("open_pk".to_owned(), AttributeValue::S("O".to_owned()));
            item.insert("open_at".to_owned(), AttributeValue::N(at.to_owned()));
        }
        item
    }

    #[test]
    fn names_and_values_count_and_numbers_by_their_digits() {
        assert_eq!(item_bytes(&item(None, 10)), (2 + 2) + (1 + 10));
        assert_eq!(item_bytes(&item(Some("12300"), 0)), 5 + (7 + 1) + (7 + 3));
    }

    #[test]
    fn an_update_is_charged_by_the_larger_image_and_for_the_index() {
        let writes = |before: Option<&Item>, after: &Item| Units::update(before, after).writes;
        assert_eq!(writes(None, &item(None, 1_000)), 1);
        assert_eq!(writes(Some(&item(None, 1_100)), &item(None, 0)), 2);
        assert_eq!(writes(Some(&item(None, 0)), &item(Some("1"), 0)), 2);
        assert_eq!(writes(Some(&item(Some("1"), 0)), &item(Some("2"), 0)), 3);
        assert_eq!(writes(Some(&item(Some("1"), 0)), &item(Some("1"), 0)), 1);
        assert_eq!(Units::in_a_transaction(None, &item(Some("1"), 1_100)).writes, 5);
    }

    #[test]
    fn four_writes_and_one_read_cost_what_the_budget_says() {
        assert_eq!(Units { writes: 4, reads: 2 }.usd_per_million(), 2.75);
        assert_eq!(Units::read(None), Units { writes: 0, reads: 1 });
    }
}
