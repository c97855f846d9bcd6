//! Random worlds: people at both apps edit the same few records while functions crash, calls fail or come late, wake-ups
//! are lost and the index lags. At rest both apps must agree, and nothing that was acknowledged may be missing.
//!
//! `TANDEM_WORLDS=100000 cargo test -p testkit --test simulation` runs more of them; `TANDEM_SEED=17` replays one.

mod alerts;
mod announced;
mod bounces;
mod bugs;
mod check;
mod covered;
mod damaged;
mod deletions;
mod drain;
mod edits;
mod evaluation;
mod kept;
mod keys;
mod kind;
mod late_commits;
mod left_out;
mod mails;
mod matrix;
mod operator;
mod parked;
mod play;
mod rules;
mod seen;
mod syncs;
mod unavailable;
mod weeks;

use std::{
    collections::BTreeMap,
    io::Write,
    time::{SystemTime, UNIX_EPOCH},
};

use domain::side::Capability;

use crate::{
    kind::Kind,
    play::{Played, play},
};

/// Of each kind; there are fourteen.
const WORLDS: u64 = 350;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// The seeds of a run: `TANDEM_SEED` alone; else the fixed ones, `0..worlds`, and a tenth as many fresh ones. The fresh ones
/// start at `TANDEM_SEED_BASE`, or at a number made from the time. `TANDEM_WORLDS` replaces the number of worlds; then all
/// are fresh if there is a base.
pub(crate) fn seeds(worlds: u64) -> Vec<u64> {
    if let Some(seed) = number("TANDEM_SEED") {
        return vec![seed];
    }
    let (wanted, base) = (number("TANDEM_WORLDS"), number("TANDEM_SEED_BASE"));
    if let (Some(wanted), Some(base)) = (wanted, base) {
        return (base..base + wanted).collect();
    }
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (worlds, base) = (wanted.unwrap_or(worlds), base.unwrap_or(clock * 1_000));
    let _ = writeln!(std::io::stderr(), "seeds 0..{worlds} and {base}..{}", base + worlds / 10);
    (0..worlds).chain(base..base + worlds / 10).collect()
}

fn run(kind: Kind) {
    run_each(kind, |_| kind);
}

/// Worlds of one kind, but for what a seed changes.
fn run_each(kind: Kind, of: impl Fn(u64) -> Kind) {
    let seeds = seeds(WORLDS);
    let mut seen: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut deeds: BTreeMap<String, u64> = BTreeMap::new();
    let worlds = seeds.len() as u64;
    // So many of the worlds may meet the known limit; one that is replayed by itself may not.
    let mut limited_left = if worlds == 1 { 0 } else { worlds.div_ceil(1_000) };
    for seed in seeds {
        let played = play(seed, of(seed));
        if limited_left > 0 && seed >= WORLDS && check::is_known_limit(&played) {
            limited_left -= 1;
            let _ = writeln!(std::io::stderr(), "TANDEM_SEED={seed} meets a known limit of {kind:?}");
            continue;
        }
        check::check(&played).unwrap_or_else(|wrong| {
            let trace = played.world.executor.fingerprint();
            panic!("{:?}, TANDEM_SEED={seed}, calls {trace:016x}: {wrong}\n{}", played.kind, played.story())
        });
        for (what, count) in played.seen() {
            *seen.entry(what).or_default() += count;
        }
        for (deed, count) in played.deeds.all() {
            *deeds.entry(deed).or_default() += count;
        }
    }
    // Past libtest's capture: whoever runs this sees what it covered.
    let told: Vec<_> = seen.iter().map(|(what, count)| format!("{what} {count}")).collect();
    let did: Vec<_> = deeds.iter().map(|(deed, count)| format!("{deed} {count}")).collect();
    let _ =
        writeln!(std::io::stderr(), "{worlds} worlds of {kind:?}: {}; operators: {}", told.join(", "), did.join(", "));
    // A generator that stopped producing what it is for would pass every check.
    if worlds >= WORLDS {
        for what in kind.must_see() {
            assert!(
                seen.get(what).is_some_and(|count| *count >= worlds / 20),
                "{kind:?}: {what} is not covered: {seen:?}"
            );
        }
        for deed in kind.must_do() {
            assert!(
                deeds.get(*deed).is_some_and(|count| *count >= worlds / 40),
                "{kind:?}: {deed} is not covered: {deeds:?}"
            );
        }
    }
}

#[test]
fn apps_that_honour_the_idempotency_key_agree_whatever_fails() {
    run(Kind::faulty(Capability::Idempotent));
}

#[test]
fn plain_apps_agree_whatever_fails_as_long_as_calls_do_not_outlive_their_bound() {
    run(Kind::faulty(Capability::Plain));
}

#[test]
fn a_refused_record_stops_only_itself() {
    run(Kind { refusals: true, ..Kind::faulty(Capability::Idempotent) });
}

#[test]
fn without_faults_every_write_is_answered_and_both_apps_agree() {
    run(Kind { faults: false, ..Kind::faulty(Capability::Idempotent) });
}

#[test]
fn whatever_operators_do_nothing_is_lost_and_both_apps_agree() {
    run(Kind { refusals: true, operators: true, ..Kind::faulty(Capability::Idempotent) });
}

#[test]
fn whatever_operators_do_plain_apps_agree() {
    run(Kind { refusals: true, operators: true, ..Kind::faulty(Capability::Plain) });
}

#[test]
fn apps_that_do_not_report_our_writes_agree_whatever_fails() {
    run(Kind { silent: true, terse: true, ..Kind::faulty(Capability::Idempotent) });
    run(Kind { silent: true, terse: true, ..Kind::faulty(Capability::Plain) });
}

#[test]
fn apps_that_do_not_say_what_a_record_was_before_agree_whatever_fails() {
    run(Kind { terse: true, ..Kind::faulty(Capability::Idempotent) });
}

#[test]
fn apps_that_take_a_write_only_under_their_tag_agree_whatever_fails() {
    let kind = Kind { refusals: true, ..Kind::faulty(Capability::Versioned) };
    run_each(kind, |seed| kind.versioned_somewhere(seed));
}

#[test]
fn whatever_operators_do_apps_with_tags_agree() {
    let kind = Kind { refusals: true, operators: true, ..Kind::faulty(Capability::Versioned) };
    run_each(kind, |seed| kind.versioned_somewhere(seed));
}

#[test]
fn a_primary_side_wins_whatever_fails() {
    let kind = Kind { primary: true, ..Kind::faulty(Capability::Versioned) };
    run_each(kind, |seed| kind.of_all_capabilities(seed));
}

#[test]
fn a_caller_that_is_told_503_rolls_back_and_both_apps_agree() {
    let kind = Kind { fails: true, refusals: true, ..Kind::faulty(Capability::Versioned) };
    run_each(kind, |seed| kind.of_all_capabilities(seed));
}

#[test]
fn a_map_that_is_stopped_and_run_skips_and_counts_and_loses_nothing_else() {
    let kind = Kind { stops: true, operators: true, refusals: true, ..Kind::faulty(Capability::Versioned) };
    // Without faults, the count is exact.
    run_each(kind, |seed| Kind { faults: !seed.is_multiple_of(4), ..kind.of_all_capabilities(seed) });
}

#[test]
fn the_same_seed_gives_the_same_world() {
    let kind = Kind { refusals: true, operators: true, ..Kind::faulty(Capability::Idempotent) };
    let story = |played: Played| (played.world.executor.fingerprint(), played.world.executor.steps(), played.story());
    for seed in 0..5 {
        assert_eq!(story(play(seed, kind)), story(play(seed, kind)), "TANDEM_SEED={seed}");
    }
}
