//! Each invariant is seen to fail: a port lies, a store or an app breaks its word, or a patch puts a mistake into the
//! production code, and the check of that invariant must find it.

use std::{
    collections::BTreeSet,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
};

use domain::side::Capability;
use testkit::Bug;

use crate::{check::wrongs, kind::Kind, late_commits, parked, play::set_up, rules};

/// Worlds that are played at most until a mistake is found.
const WORLDS: u64 = 300;
/// Worlds of rules take less time, and an operator seldom comes between an incident and its action.
const RULE_WORLDS: u64 = 1_000;

/// The worlds in which a mistake is looked for.
#[derive(Clone, Copy, Debug)]
enum Worlds {
    /// Operators between idempotent apps.
    Idempotent,
    /// Operators between plain apps. No function is frozen there, so it is checked that a pause is seen.
    Plain,
    /// Nobody cleans up: what is parked stays so.
    Refusals,
    /// Apps that do not report what Tandem writes.
    Silent,
    /// A backlog in which one record is refused.
    OneParked,
    /// Copies while a caller may still commit.
    LateCommits,
    /// Errors and rules.
    Rules,
    /// Apps that take a write only under its tag.
    Versioned,
    /// One side is the primary one.
    Primary,
    /// Callers are told 503.
    Fails,
    /// Operators stop and run the map; plain apps.
    Stops,
}

fn kind(capability: Capability) -> Kind {
    Kind { refusals: true, operators: true, ..Kind::faulty(capability) }
}

/// The first world in which a check says this; or all that the checks said instead.
fn first_world(worlds: Worlds, bug: Option<Bug>, says: &str) -> Result<u64, BTreeSet<String>> {
    let mut others = BTreeSet::new();
    let count = if matches!(worlds, Worlds::Rules) { RULE_WORLDS } else { WORLDS };
    let seen = (0..count).find(|seed| {
        let wrong = wrongs_of(*seed, worlds, bug);
        others.extend(wrong.iter().map(|wrong| wrong.chars().take(80).collect::<String>()));
        wrong.iter().any(|wrong| wrong.contains(says))
    });
    seen.ok_or(others)
}

/// All that the checks find wrong in a world.
fn wrongs_of(seed: u64, worlds: Worlds, bug: Option<Bug>) -> Vec<String> {
    let kind = match worlds {
        Worlds::Versioned => Kind::faulty(Capability::Versioned),
        Worlds::Primary => Kind { primary: true, ..Kind::faulty(Capability::Idempotent) },
        Worlds::Fails => Kind { fails: true, ..Kind::faulty(Capability::Idempotent) },
        Worlds::Stops => Kind { stops: true, ..kind(Capability::Plain) },
        Worlds::Idempotent => kind(Capability::Idempotent),
        Worlds::Plain => kind(Capability::Plain),
        Worlds::Silent => {
            Kind { operators: false, refusals: false, silent: true, terse: true, ..kind(Capability::Idempotent) }
        }
        Worlds::Refusals => Kind { operators: false, ..kind(Capability::Idempotent) },
        Worlds::OneParked => return parked::wrong(seed).into_iter().collect(),
        Worlds::LateCommits => return late_commits::find_difference(seed).into_iter().collect(),
        Worlds::Rules => return rules::check(&rules::play(seed, bug)).err().into_iter().collect(),
    };
    let mut played = set_up(seed, kind, bug);
    // An assertion of the production code may end it before; what counts is what the checks say of the world then.
    let _ = catch_unwind(AssertUnwindSafe(|| played.comes_to_rest()));
    wrongs(&played)
}

/// A lie, the worlds it is told in, what the check of its invariant says of it, and the invariants that this shows.
const LIES: [(Bug, Worlds, &str, &[&str]); 26] = [
    (Bug::ConflictIsAcknowledged, Worlds::Idempotent, "were given one place", &["S1", "S3"]),
    (Bug::ArchiveForgets, Worlds::Idempotent, "was acknowledged and is nowhere", &["S1"]),
    (Bug::CutCoversAll, Worlds::Idempotent, "was accepted after the resume", &["S1"]),
    (Bug::LeaseIsNotAwaited, Worlds::Plain, "comes after", &["S2"]),
    (Bug::IdleLaneBeginsAnew, Worlds::Idempotent, "stands behind it", &["S3"]),
    (Bug::FreshKeyPerAttempt, Worlds::Idempotent, "under two keys", &["S4"]),
    (Bug::LandingIsIgnored, Worlds::Plain, "comes after", &["S4"]),
    (Bug::NotAppliedIsDone, Worlds::Idempotent, "never took it", &["S5"]),
    (Bug::EndTakesTwo, Worlds::Idempotent, "was acknowledged and is nowhere", &["S5"]),
    (Bug::AnswersAreForgotten, Worlds::Idempotent, "was accepted twice", &["S6"]),
    (Bug::ResumeRunsAtOnce, Worlds::Idempotent, "the map went from", &["S7"]),
    (Bug::EpochStands, Worlds::Idempotent, "the map went from", &["S7"]),
    (Bug::PauseIsNotSeen, Worlds::Plain, "though the map is paused", &["S8"]),
    (Bug::MapIsNeverReadAgain, Worlds::Plain, "though the map is paused", &["S8"]),
    (Bug::SilenceIsNotKnown, Worlds::Silent, "the apps differ", &["L4"]),
    (Bug::CatchUpHasNoEnd, Worlds::Idempotent, "the map is CatchingUp", &["L1"]),
    (Bug::LeaseNeverEnds, Worlds::Idempotent, "is stuck", &["L2"]),
    (Bug::IndexIsNotAsked, Worlds::Idempotent, "is stuck", &["L2"]),
    (Bug::SweepIsIdle, Worlds::Idempotent, "is stuck", &["L2"]),
    (Bug::NothingIsJudged, Worlds::Rules, "breaches", &["L3"]),
    (Bug::ThresholdIsExceeded, Worlds::Rules, "breaches", &["L3"]),
    (Bug::AttemptsAreWrites, Worlds::Rules, "breaches", &["S11"]),
    (Bug::PrimaryIsNotKnown, Worlds::Primary, "is not as the primary side has it", &["L4"]),
    (Bug::RestoreIsForgotten, Worlds::Fails, "nothing restores the app", &["L4"]),
    (Bug::StopIsNotSeen, Worlds::Stops, "though the map was stopped", &["S8"]),
    (Bug::SkippedIsNotCounted, Worlds::Stops, "were skipped, and", &["S8"]),
];

#[test]
fn a_port_that_behaves_as_a_mistake_would_is_found_by_the_check_of_its_invariant() {
    let mut missed = Vec::new();
    for (lie, worlds, says, shows) in LIES {
        match first_world(worlds, Some(lie), says) {
            Ok(seed) => {
                let _ = writeln!(std::io::stderr(), "{lie:?} | {} | {seed} | found", shows.join(" "));
            }
            Err(others) => {
                missed.push(format!("{lie:?} was not found as `{says}` in {WORLDS} worlds, but as {others:?}"))
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// A mistake in the production code, as the tool that applies its patch asks for it. Ignored: without a patch there is
/// none.
#[test]
#[ignore = "run by `cargo mistakes`, which applies a patch first"]
fn the_mistake_of_a_patch_is_found_by_the_check_of_its_invariant() {
    let asked = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set"));
    let says = asked("TANDEM_MISTAKE_SAYS");
    let worlds = match asked("TANDEM_MISTAKE_WORLDS").as_str() {
        "idempotent" => Worlds::Idempotent,
        "plain" => Worlds::Plain,
        "refusals" => Worlds::Refusals,
        "silent" => Worlds::Silent,
        "one parked" => Worlds::OneParked,
        "late commits" => Worlds::LateCommits,
        "rules" => Worlds::Rules,
        "versioned" => Worlds::Versioned,
        "primary" => Worlds::Primary,
        "fails" => Worlds::Fails,
        "stops" => Worlds::Stops,
        other => panic!("there are no worlds named {other}"),
    };
    match first_world(worlds, None, &says) {
        Ok(seed) => println_to_stderr(&format!("found in world {seed}")),
        Err(others) => panic!("not found as `{says}` in {WORLDS} worlds, but as {others:?}"),
    }
}

fn println_to_stderr(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A bug of the fakes, and what one of the checks must say of it.
const BUGS: [(Bug, Capability, &str); 8] = [
    (Bug::CommitForgetsEntries, Capability::Idempotent, "is stuck"),
    (Bug::CommitIgnoresVersion, Capability::Idempotent, "were given one place"),
    (Bug::AppIgnoresKey, Capability::Idempotent, "comes after"),
    (Bug::AppIgnoresTag, Capability::Versioned, "comes after"),
    (Bug::AppLies, Capability::Idempotent, "is nowhere"),
    (Bug::MapIgnoresVersion, Capability::Idempotent, "the map went from"),
    (Bug::NothingIsFound, Capability::Idempotent, "is stuck"),
    (Bug::PointersStay, Capability::Idempotent, "pointers are left"),
];

#[test]
fn a_store_or_an_app_that_breaks_its_word_is_found() {
    for (bug, capability, says) in BUGS {
        let seen = (0..WORLDS).any(|seed| {
            let mut played = set_up(seed, kind(capability), Some(bug));
            played.comes_to_rest();
            wrongs(&played).iter().any(|wrong| wrong.contains(says))
        });
        assert!(seen, "{bug:?} was not found as `{says}` in {WORLDS} worlds");
    }
}
