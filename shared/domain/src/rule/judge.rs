//! Whether a rule's threshold is reached. Exact: errors themselves are counted, not buckets of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::{Count, RuleConfig};
use crate::{
    id::{LogId, MapUid},
    log::{ErrorDisposition, ErrorEvent},
    map::Map,
    time::Timestamp,
};

/// An error, as far as counting needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedError {
    /// Its id.
    pub id: LogId,
    /// When Tandem met it.
    pub at: Timestamp,
    /// Attempts of one write have the same.
    pub unit: u128,
}

/// So many errors within the rule's window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// When the first of them happened.
    pub first_at: Timestamp,
    /// When the last of them happened.
    pub last_at: Timestamp,
    /// The errors that were counted, newest first, one for each that counts.
    pub errors: Vec<LogId>,
}

/// Why an error counts for a rule, or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusion {
    /// It counts.
    Counts,
    /// It is of another class.
    OtherClass,
    /// It was met when writing to another app.
    OtherSide,
    /// It happened before changes began to flow last: before the last resume.
    BeforeResume,
    /// It happened before the last incident of this rule was over.
    BeforeRecovery,
    /// It belongs to an earlier map of the same name.
    OtherMap,
    /// A sync run met it when it copied a record, and the rule does not count copies: the run itself lists it.
    Copied,
}

/// Whether an error counts for a rule on this map. `closed`: when the rule's last incident on it was over.
#[must_use]
pub fn counts(rule: &RuleConfig, map: &Map, closed: Option<Timestamp>, event: &ErrorEvent) -> Exclusion {
    let uid: MapUid = map.uid;
    if event.uid != uid {
        Exclusion::OtherMap
    } else if event.fate == ErrorDisposition::Copied && !rule.counts_copies {
        Exclusion::Copied
    } else if !rule.classes.is_empty() && !rule.classes.contains(&event.class) {
        Exclusion::OtherClass
    } else if !rule.to_sides.is_empty() && !rule.to_sides.contains(&event.to) {
        Exclusion::OtherSide
    } else if event.epoch < map.live_epoch {
        Exclusion::BeforeResume
    } else if closed.is_some_and(|closed| event.at <= closed) {
        Exclusion::BeforeRecovery
    } else {
        Exclusion::Counts
    }
}

impl RuleConfig {
    /// What this error is counted as: errors with the same are counted once.
    #[must_use]
    pub fn unit(&self, event: &ErrorEvent) -> u128 {
        match self.count {
            Count::Writes => event.unit(),
            Count::Attempts => event.id.0,
        }
    }
}

/// Judges errors that count, newest first; no more of them are asked for than are needed.
///
/// The window may end at any of them that happened at `from` or later, not only at the newest: what is judged late is
/// judged alike. A window that ended before `from` has had its judgement: a rule that is saved today does not act on last
/// night's errors.
#[must_use]
pub fn judge(
    rule: &RuleConfig,
    from: Timestamp,
    newest_first: impl IntoIterator<Item = CountedError>,
) -> Option<Breach> {
    let threshold = usize::try_from(rule.threshold.max(1)).unwrap_or(usize::MAX);
    let mut window: VecDeque<CountedError> = VecDeque::new(); // newest in front
    let mut units: BTreeMap<u128, usize> = BTreeMap::new();
    for (n, error) in newest_first.into_iter().enumerate() {
        let unit = |error: &CountedError| match rule.count {
            Count::Writes => error.unit,
            Count::Attempts => error.id.0,
        };
        debug_assert!(window.back().is_none_or(|newer| newer.at >= error.at), "error {n} is newer than the one before");
        while window.front().is_some_and(|newest| newest.at.ms_since(error.at) > rule.window_ms()) {
            if let Some(gone) = window.pop_front()
                && let Some(left) = units.get_mut(&unit(&gone))
            {
                *left -= 1;
                if *left == 0 {
                    units.remove(&unit(&gone));
                }
            }
        }
        *units.entry(unit(&error)).or_default() += 1;
        window.push_back(error);
        if window.front().is_some_and(|newest| newest.at < from) {
            return None;
        }
        if units.len() >= threshold {
            let mut seen = BTreeSet::new();
            let errors = window.iter().filter(|error| seen.insert(unit(error))).map(|error| error.id).collect();
            let last_at = window.front().map_or(error.at, |newest| newest.at);
            return Some(Breach { first_at: error.at, last_at, errors });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::log::Order;
    use crate::rule::tests::rule;

    const MINUTE: u64 = 60_000;

    const BEGINNING: Timestamp = Timestamp(0);

    fn at(minute: u64, unit: u128) -> CountedError {
        let at = Timestamp(1_795_428_000_000 + minute * MINUTE);
        CountedError { id: LogId::of(at, Order::Change(0), &[&unit.to_be_bytes()]), at, unit }
    }

    #[test]
    fn the_threshold_within_the_window_and_not_one_less() {
        let ten: Vec<_> = (0..10).map(|n| at(n, u128::from(n))).rev().collect();
        let breach = judge(&rule(10, 15), BEGINNING, ten.clone()).unwrap();
        assert_eq!((breach.errors.len(), breach.first_at, breach.last_at), (10, ten[9].at, ten[0].at));
        assert_eq!(judge(&rule(10, 15), BEGINNING, ten[1..].to_vec()), None);
        assert_eq!(judge(&rule(10, 8), BEGINNING, ten.clone()), None, "the first and the last are nine minutes apart");
        assert!(judge(&rule(10, 9), BEGINNING, ten).is_some(), "the window's end is within it");
    }

    #[test]
    fn attempts_of_one_write_count_once_unless_the_rule_says_attempts() {
        let tries: Vec<_> = (0..5).map(|n| CountedError { unit: 7, ..at(n, u128::from(n)) }).rev().collect();
        assert_eq!(judge(&rule(2, 15), BEGINNING, tries.clone()), None);
        assert!(judge(&RuleConfig { count: Count::Attempts, ..rule(5, 15) }, BEGINNING, tries).is_some());
    }

    #[test]
    fn a_window_that_ended_before_is_not_judged_again() {
        let three: Vec<_> = (0..3).map(|n| at(n, u128::from(n))).rev().collect();
        assert!(judge(&rule(3, 15), three[0].at, three.clone()).is_some(), "it ends at that very time");
        assert_eq!(judge(&rule(3, 15), three[0].at.plus_ms(1), three.clone()), None);
        let later = [vec![at(30, 9)], three.clone()].concat();
        assert_eq!(
            judge(&rule(3, 15), three[0].at.plus_ms(1), later),
            None,
            "what came since is in no window with them"
        );
    }

    /// Under fifty lines, and slow: every window that ends at an error is looked at.
    fn reference(rule: &RuleConfig, from: Timestamp, errors: &[CountedError]) -> bool {
        errors.iter().filter(|last| last.at >= from).any(|last| {
            let within = errors.iter().filter(|one| one.at <= last.at && last.at.0 - one.at.0 <= rule.window_ms());
            let units: std::collections::BTreeSet<_> =
                within.map(|one| if rule.count == Count::Writes { one.unit } else { one.id.0 }).collect();
            units.len() >= rule.threshold as usize
        })
    }

    #[test]
    fn an_error_counts_or_the_reason_is_named() {
        use crate::{ErrorClass, id::EntryId, log::ErrorDisposition, mapping::tests::customers};
        let rule = RuleConfig {
            classes: [ErrorClass::Application].into(),
            to_sides: ["crm".parse().unwrap()].into(),
            ..rule(1, 1)
        };
        let map = Map::new("customers".parse().unwrap(), MapUid(1), customers(), "kim", Timestamp(1));
        let map = Map { live_epoch: 4, ..map };
        let event = ErrorEvent {
            id: LogId(7),
            at: Timestamp(9),
            happened_at: None,
            map: map.id.clone(),
            uid: map.uid,
            epoch: 4,
            from: None,
            to: "crm".parse().unwrap(),
            key: None,
            entry: Some(EntryId(3)),
            seq: None,
            write: None,
            attempt: 1,
            class: ErrorClass::Application,
            code: None,
            message: String::new(),
            fate: ErrorDisposition::Parked,
            payload: None,
        };
        let all = |event: &ErrorEvent| counts(&rule, &map, Some(Timestamp(8)), event);
        assert_eq!(all(&event), Exclusion::Counts);
        assert_eq!(all(&ErrorEvent { uid: MapUid(2), ..event.clone() }), Exclusion::OtherMap);
        assert_eq!(all(&ErrorEvent { class: ErrorClass::Timeout, ..event.clone() }), Exclusion::OtherClass);
        assert_eq!(all(&ErrorEvent { to: "finance".parse().unwrap(), ..event.clone() }), Exclusion::OtherSide);
        assert_eq!(all(&ErrorEvent { epoch: 3, ..event.clone() }), Exclusion::BeforeResume);
        assert_eq!(all(&ErrorEvent { at: Timestamp(8), ..event.clone() }), Exclusion::BeforeRecovery);
        let copied = ErrorEvent { fate: ErrorDisposition::Copied, ..event.clone() };
        assert_eq!(all(&copied), Exclusion::Copied);
        let with_copies = RuleConfig { counts_copies: true, ..rule.clone() };
        assert_eq!(counts(&with_copies, &map, None, &copied), Exclusion::Counts);
        let other = ErrorEvent { class: ErrorClass::Timeout, ..copied };
        assert_eq!(counts(&with_copies, &map, None, &other), Exclusion::OtherClass, "as any other error");
        let any = RuleConfig { classes: BTreeSet::new(), to_sides: BTreeSet::new(), ..rule.clone() };
        let other = ErrorEvent { class: ErrorClass::Timeout, to: "finance".parse().unwrap(), ..event.clone() };
        assert_eq!(counts(&any, &map, None, &other), Exclusion::Counts);
        assert_eq!((rule.unit(&event), RuleConfig { count: Count::Attempts, ..rule }.unit(&event)), (3, 7));
    }

    proptest! {
        #[test]
        fn it_finds_exactly_what_the_reference_finds(
            history in proptest::collection::vec((0u64..60, 0u128..6), 0..40), threshold in 1u32..6, window in 1u32..20, attempts: bool, from in 0u64..70,
        ) {
            let mut errors: Vec<_> = history.into_iter().enumerate()
                .map(|(n, (minute, unit))| CountedError { id: LogId(n as u128), ..at(minute, unit) }).collect();
            errors.sort_by_key(|error| std::cmp::Reverse((error.at, error.id)));
            let rule = RuleConfig { count: if attempts { Count::Attempts } else { Count::Writes }, ..rule(threshold, window) };
            let from = at(from, 0).at;
            let found = judge(&rule, from, errors.clone());
            prop_assert_eq!(found.is_some(), reference(&rule, from, &errors));
            if let Some(breach) = found {
                prop_assert!(breach.errors.len() >= threshold as usize);
                prop_assert!(breach.last_at.ms_since(breach.first_at) <= rule.window_ms());
                prop_assert!(breach.last_at >= from);
            }
        }
    }
}
