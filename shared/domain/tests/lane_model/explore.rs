//! The search: every state within the bounds, breadth first, so that the trace of a violation is a shortest one.

use crate::action::Action;
use crate::case::{self, Findings, Searched};
use crate::check::check;
use crate::setup::Setup;
use crate::state::State;
use crate::steps::Steps;
use crate::table::Table;
use crate::violation::Violation;

/// A guard against bounds that nobody meant: no verdict is better than an hour's wait.
const MAX_STATES: usize = 2_000_000;

struct Broken {
    violation: Violation,
    trace: Vec<Action>,
}

impl Searched for Setup {
    fn search(&self) -> Findings {
        let mut explorer = Explorer::new(self);
        let broken = explorer.search().or_else(|| explorer.find_stuck());
        let broken = broken.map(|Broken { violation, trace }| case::Broken {
            violation: violation.to_string(),
            trace: trace.iter().map(Action::to_string).collect(),
        });
        Findings { states: explorer.table.len(), transitions: explorer.transitions, broken }
    }
}

struct Explorer<'a> {
    setup: &'a Setup,
    table: Table,
    /// By which step from which state each state was found first; the initial state has none.
    found_by: Vec<Option<(u32, Action)>>,
    transitions: usize,
    quiet: Vec<u32>,
    /// Steps that are not faults, as (to, from).
    reversed: Vec<(u32, u32)>,
}

impl<'a> Explorer<'a> {
    fn new(setup: &'a Setup) -> Self {
        let mut table = Table::new();
        table.insert(&State::initial(setup));
        Self { setup, table, found_by: vec![None], transitions: 0, quiet: Vec::new(), reversed: Vec::new() }
    }

    fn search(&mut self) -> Option<Broken> {
        let mut steps = Vec::new();
        let mut from = 0;
        while from < self.table.len() {
            let state = *self.table.get(from);
            if let Some(violation) = check(self.setup, &state) {
                return Some(Broken { violation, trace: self.trace(from) });
            }
            if state.is_quiet() {
                self.quiet.push(from as u32);
            }
            Steps::find(self.setup, &state, &mut steps);
            for step in &steps {
                self.transitions += 1;
                if let Some(violation) = step.violation {
                    let mut trace = self.trace(from);
                    trace.push(step.action);
                    return Some(Broken { violation, trace });
                }
                self.follow(from as u32, step.action, &step.next);
            }
            assert!(self.table.len() <= MAX_STATES, "more than {MAX_STATES} states, none of them bad so far");
            from += 1;
        }
        None
    }

    fn follow(&mut self, from: u32, action: Action, next: &State) {
        let to = self.table.insert(next);
        if to as usize == self.found_by.len() {
            self.found_by.push(Some((from, action)));
        }
        if !action.is_fault() && to != from {
            self.reversed.push((to, from));
        }
    }

    /// From every state a quiet one must stay reachable without the help of faults. This assumes fairness, and says
    /// nothing of time.
    fn find_stuck(&mut self) -> Option<Broken> {
        self.reversed.sort_unstable();
        let mut reaches_quiet = vec![false; self.table.len()];
        let mut todo = std::mem::take(&mut self.quiet);
        todo.iter().for_each(|state| reaches_quiet[*state as usize] = true);
        while let Some(state) = todo.pop() {
            let first = self.reversed.partition_point(|(to, _)| *to < state);
            let edges = self.reversed[first..].iter().take_while(|(to, _)| *to == state);
            for (_, from) in edges {
                if !std::mem::replace(&mut reaches_quiet[*from as usize], true) {
                    todo.push(*from);
                }
            }
        }
        let stuck = reaches_quiet.iter().position(|reaches| !reaches)?;
        Some(Broken { violation: Violation::Stuck, trace: self.trace(stuck) })
    }

    fn trace(&self, mut state: usize) -> Vec<Action> {
        let mut trace = Vec::new();
        while let Some((from, action)) = self.found_by[state] {
            trace.push(action);
            state = from as usize;
        }
        trace.reverse();
        trace
    }
}
