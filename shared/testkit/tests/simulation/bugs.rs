//! Each invariant is seen to fail: a mistake is planted into the production code, or a bug put into the fakes, and the checks
//! must find it.

use std::{
    collections::BTreeSet,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use domain::{
    mutant::{Mutant, plant},
    side::Capability,
};
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

/// The mistake, where it is found, what the check says of it, and the invariants that this shows to be checked.
const MUTANTS: [(Mutant, Worlds, &str, &[&str]); 30] = [
    (Mutant::ConflictIsAcknowledged, Worlds::Idempotent, "were given one place", &["S1", "S3"]),
    (Mutant::ArchiveForgets, Worlds::Idempotent, "was acknowledged and is nowhere", &["S1"]),
    (Mutant::CutCoversAll, Worlds::Idempotent, "was accepted after the resume", &["S1"]),
    (Mutant::LeaseIsNotAwaited, Worlds::Plain, "comes after", &["S2"]),
    (Mutant::IdleLaneBeginsAnew, Worlds::Idempotent, "stands behind it", &["S3"]),
    (Mutant::FreshKeyPerAttempt, Worlds::Idempotent, "under two keys", &["S4"]),
    (Mutant::LandingIsIgnored, Worlds::Plain, "comes after", &["S4"]),
    (Mutant::NotAppliedIsDone, Worlds::Idempotent, "never took it", &["S5"]),
    (Mutant::LeftIsDone, Worlds::Idempotent, "never took it", &["S5"]),
    (Mutant::EndTakesTwo, Worlds::Idempotent, "was acknowledged and is nowhere", &["S5"]),
    (Mutant::AnswersAreForgotten, Worlds::Idempotent, "was accepted twice", &["S6"]),
    (Mutant::AnyBodyIsARepeat, Worlds::Idempotent, "came again with another body", &["S6"]),
    (Mutant::MapIsSavedBlindly, Worlds::Idempotent, "the map went from", &["S7"]),
    (Mutant::ResumeRunsAtOnce, Worlds::Idempotent, "the map went from", &["S7"]),
    (Mutant::EpochStands, Worlds::Idempotent, "the map went from", &["S7"]),
    (Mutant::PauseIsNotSeen, Worlds::Plain, "though the map is paused", &["S8"]),
    (Mutant::ParkedEndsRun, Worlds::OneParked, "waits for the parked one", &["S9"]),
    (Mutant::ParkedStopsMap, Worlds::Refusals, "is stuck", &["S9"]),
    (Mutant::BacklogIsPassed, Worlds::Idempotent, "passed the entry", &["S10"]),
    (Mutant::UntouchedIsKept, Worlds::Idempotent, "though nothing waits before it", &["S10"]),
    (Mutant::IncidentOpensAgain, Worlds::Rules, "was opened twice", &["S11"]),
    (Mutant::AttemptsAreWrites, Worlds::Rules, "breaches", &["S11"]),
    (Mutant::CatchUpHasNoEnd, Worlds::Idempotent, "the map is CatchingUp", &["L1"]),
    (Mutant::LeaseNeverEnds, Worlds::Idempotent, "is stuck", &["L2"]),
    (Mutant::IndexIsNotAsked, Worlds::Idempotent, "is stuck", &["L2"]),
    (Mutant::SweepIsIdle, Worlds::Idempotent, "is stuck", &["L2"]),
    (Mutant::ThresholdIsExceeded, Worlds::Rules, "breaches", &["L3"]),
    (Mutant::NothingIsJudged, Worlds::Rules, "breaches", &["L3"]),
    (Mutant::CrossingIsNotSeen, Worlds::Idempotent, "the apps differ", &["L4"]),
    (Mutant::NothingIsWrittenBack, Worlds::Idempotent, "the apps differ", &["L4"]),
];

const INVARIANTS: [&str; 15] =
    ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "L1", "L2", "L3", "L4"];

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

#[test]
fn every_invariant_finds_a_mistake_in_the_production_code() {
    let (mut missed, mut shown) = (Vec::new(), BTreeSet::<&str>::new());
    for (mutant, worlds, says, shows) in MUTANTS {
        let planted = plant(mutant);
        let mut others = BTreeSet::new();
        let seen = (0..WORLDS).find(|seed| {
            let wrong = found(*seed, worlds);
            others.extend(wrong.iter().map(|wrong| wrong.chars().take(80).collect::<String>()));
            wrong.iter().any(|wrong| wrong.contains(says))
        });
        drop(planted);
        match seen {
            Some(seed) => {
                let _ = writeln!(std::io::stderr(), "{mutant:?} is found by {shows:?} in world {seed}");
                shown.extend(shows);
            }
            None => missed.push(format!("{mutant:?} was not found as `{says}` in {WORLDS} worlds, but as {others:?}")),
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    let unshown: Vec<_> = INVARIANTS.into_iter().filter(|invariant| !shown.contains(invariant)).collect();
    assert!(unshown.is_empty(), "nothing shows that these are checked: {unshown:?}");
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
