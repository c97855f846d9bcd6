//! Each invariant is seen to fail: a bug is put into worlds, and the checks must find it.

use domain::side::Capability;
use testkit::Bug;

use crate::{
    check::wrongs,
    play::{Kind, play_with},
};

/// Worlds that are played at most until a bug is found.
const WORLDS: u64 = 60;

/// Plays worlds until one of the checks says so; otherwise what they said.
fn seen(bug: Bug, capability: Capability, says: &[&str]) -> Result<(), Vec<String>> {
    let kind = Kind { capability, refusals: true, faults: true, operators: true };
    let mut all = Vec::new();
    for seed in 0..WORLDS {
        for wrong in wrongs(&play_with(seed, kind, Some(bug))) {
            if says.iter().any(|says| wrong.contains(says)) {
                return Ok(());
            }
            all.push(wrong.chars().take(80).collect());
        }
    }
    Err(all)
}

/// The bug, what one of the checks must say of it, and the invariants that this shows to be checked.
const BUGS: [(Bug, &str, &str); 12] = [
    (Bug::CommitForgetsEntries, "is stuck", "L2"),
    (Bug::ArchiveForgets, "was acknowledged and is nowhere", "S1"),
    (Bug::CommitIgnoresVersion, "is nowhere", "S1, S5"),
    (Bug::CommitIgnoresVersion, "stands behind it", "S3, S10"),
    (Bug::AppIgnoresKey, "comes after", "S2, S4"),
    (Bug::IdsAreForgotten, "was accepted twice", "S6"),
    (Bug::MapIgnoresVersion, "the map went from", "S7"),
    (Bug::PauseIsNotSeen, "though the map is paused", "S8"),
    (Bug::CutCoversAll, "was accepted after the resume", "S1"),
    (Bug::NothingIsFound, "is stuck", "L2, S9"),
    (Bug::NeverCaughtUp, "the map is CatchingUp", "L1"),
    (Bug::PointersStay, "pointers are left", "L1"),
];

#[test]
fn every_invariant_is_seen_to_fail() {
    for (bug, says, invariant) in BUGS {
        // Worlds without frozen functions are those in which it is checked that a pause is seen.
        let capability = if bug == Bug::PauseIsNotSeen { Capability::Plain } else { Capability::Idempotent };
        let seen = seen(bug, capability, &[says]);
        assert_eq!(seen, Ok(()), "{invariant}: {bug:?} was not found as `{says}` in {WORLDS} worlds");
    }
}

#[test]
fn an_app_that_lies_is_found() {
    let seen = seen(Bug::AppLies, Capability::Idempotent, &["the apps differ", "is nowhere"]);
    assert_eq!(seen, Ok(()), "L4");
}
