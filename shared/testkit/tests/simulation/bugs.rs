//! Each invariant is seen to fail: a mistake is planted into the production code, or a bug put into the fakes, and the checks
//! must find it.

use std::{
    collections::BTreeSet,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use domain::side::Capability;
use testkit::Bug;

use crate::{
    check::wrongs,
    parked,
    play::{Kind, set_up},
    rules,
};

/// Worlds that are played at most until a mistake is found.
const WORLDS: u64 = 60;

/// The worlds in which a mistake is looked for.
#[derive(Clone, Copy, Debug)]
enum Worlds {
    /// Operators between idempotent apps.
    Idempotent,
    /// Operators between plain apps. No function is frozen there, so it is checked that a pause is seen.
    Plain,
    /// Nobody cleans up: what is parked stays so.
    Refusals,
    /// A backlog in which one record is refused.
    OneParked,
    /// Errors and rules.
    Rules,
}

fn kind(capability: Capability) -> Kind {
    Kind { capability, refusals: true, faults: true, operators: true }
}

/// What is wrong with a world.
fn found(seed: u64, worlds: Worlds) -> Vec<String> {
    let kind = match worlds {
        Worlds::Idempotent => kind(Capability::Idempotent),
        Worlds::Plain => kind(Capability::Plain),
        Worlds::Refusals => Kind { operators: false, ..kind(Capability::Idempotent) },
        Worlds::OneParked => return parked::wrong(seed).into_iter().collect(),
        Worlds::Rules => return rules::check(&rules::play(seed)).err().into_iter().collect(),
    };
    let mut played = set_up(seed, kind, None);
    // An assertion of the production code may end it before; what counts is what the checks say of the world then.
    let _ = catch_unwind(AssertUnwindSafe(|| played.comes_to_rest()));
    wrongs(&played)
}

/// A bug of the fakes, and what one of the checks must say of it.
const BUGS: [(Bug, &str); 7] = [
    (Bug::CommitForgetsEntries, "is stuck"),
    (Bug::CommitIgnoresVersion, "were given one place"),
    (Bug::AppIgnoresKey, "comes after"),
    (Bug::AppLies, "is nowhere"),
    (Bug::MapIgnoresVersion, "the map went from"),
    (Bug::NothingIsFound, "is stuck"),
    (Bug::PointersStay, "pointers are left"),
];

#[test]
fn a_store_or_an_app_that_breaks_its_word_is_found() {
    for (bug, says) in BUGS {
        let seen = (0..WORLDS).any(|seed| {
            let mut played = set_up(seed, kind(Capability::Idempotent), Some(bug));
            played.comes_to_rest();
            wrongs(&played).iter().any(|wrong| wrong.contains(says))
        });
        assert!(seen, "{bug:?} was not found as `{says}` in {WORLDS} worlds");
    }
}
