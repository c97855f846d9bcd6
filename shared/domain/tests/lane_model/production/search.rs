//! The search: every state within the bounds, breadth first.
//!
//! The states of this model are large and its cases small, so a state is kept by its fingerprint, and itself only until its
//! steps are taken.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::{self, Write as _},
    hash::{DefaultHasher, Hasher},
};

use super::{
    check::check,
    setup::{Setup, World},
    state::State,
    steps::{Action, Step, find_steps},
    violation::Violation,
};
use crate::case::{Broken, Findings, Searched};

/// A guard against bounds that nobody meant.
const MAX_STATES: usize = 120_000;

impl Searched for Setup {
    fn search(&self) -> Findings {
        let world = World::new(self);
        let mut search = Search::default();
        let broken = search.run(&world).or_else(|| search.find_stuck());
        let broken = broken.map(|(violation, at)| Broken {
            violation: format!("{violation:?}"),
            trace: search.trace(at).iter().map(|action| format!("{action:?}")).collect(),
        });
        Findings { states: search.found_by.len(), transitions: search.transitions, broken }
    }
}

#[derive(Default)]
struct Search {
    known: BTreeMap<u64, u32>,
    /// By which step from which state each state was found first; the initial state has none.
    found_by: Vec<Option<(u32, Action)>>,
    transitions: usize,
    quiet: Vec<u32>,
    /// Steps that are no faults, as (to, from).
    reversed: Vec<(u32, u32)>,
}

impl Search {
    fn run(&mut self, world: &World<'_>) -> Option<(Violation, u32)> {
        let mut todo = VecDeque::from([State::initial(world.setup)]);
        self.number(&todo[0], None);
        let mut from = 0;
        while let Some(state) = todo.pop_front() {
            if let Some(violation) = check(world.setup, &state) {
                return Some((violation, from));
            }
            if state.is_quiet(world.setup) {
                self.quiet.push(from);
            }
            for Step { action, next, violation } in find_steps(world, &state) {
                self.transitions += 1;
                let (to, is_new) = self.number(&next, Some((from, action)));
                if let Some(violation) = violation {
                    return Some((violation, to));
                }
                if !action.is_fault() && to != from {
                    self.reversed.push((to, from));
                }
                if is_new {
                    todo.push_back(next);
                }
            }
            assert!(self.found_by.len() <= MAX_STATES, "more than {MAX_STATES} states, none of them bad so far");
            from += 1;
        }
        None
    }

    /// The state's number, and whether it is new.
    fn number(&mut self, state: &State, found_by: Option<(u32, Action)>) -> (u32, bool) {
        let new = self.found_by.len() as u32;
        let number = *self.known.entry(fingerprint(state)).or_insert(new);
        if number == new {
            self.found_by.push(found_by);
        }
        (number, number == new)
    }

    /// From every state a quiet one must stay reachable without the help of faults.
    fn find_stuck(&mut self) -> Option<(Violation, u32)> {
        self.reversed.sort_unstable();
        let mut reaches_quiet = vec![false; self.found_by.len()];
        let mut todo = std::mem::take(&mut self.quiet);
        todo.iter().for_each(|state| reaches_quiet[*state as usize] = true);
        while let Some(state) = todo.pop() {
            let first = self.reversed.partition_point(|(to, _)| *to < state);
            for (_, from) in self.reversed[first..].iter().take_while(|(to, _)| *to == state) {
                if !std::mem::replace(&mut reaches_quiet[*from as usize], true) {
                    todo.push(*from);
                }
            }
        }
        let stuck = reaches_quiet.iter().position(|reaches| !reaches)?;
        Some((Violation::Stuck, stuck as u32))
    }

    fn trace(&self, mut state: u32) -> Vec<Action> {
        let mut trace = Vec::new();
        while let Some((from, action)) = self.found_by[state as usize] {
            trace.push(action);
            state = from;
        }
        trace.reverse();
        trace
    }
}

/// 64 bits of all that is in a state: of a hundred thousand states, two share them with a chance of one in four billion.
fn fingerprint(state: &State) -> u64 {
    struct Text(DefaultHasher);
    impl fmt::Write for Text {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut text = Text(DefaultHasher::new());
    write!(text, "{state:?}").expect("a hasher takes all");
    text.0.finish()
}
