//! The search: every state within the bounds, breadth first, so that the trace of a violation is a shortest one.

use std::fmt;

use crate::action::Action;
use crate::check::check;
use crate::setup::Setup;
use crate::state::State;
use crate::steps::Steps;
use crate::table::Table;
use crate::violation::Violation;

/// A guard against bounds that nobody meant: no verdict is better than an hour's wait.
const MAX_STATES: usize = 2_000_000;

pub(crate) struct Search {
    pub states: usize,
    pub transitions: usize,
    pub broken: Option<Broken>,
}

pub(crate) struct Broken {
    pub violation: Violation,
    pub trace: Vec<Action>,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.violation)?;
        self.trace.iter().try_for_each(|action| write!(f, "\n    {action}"))
    }
}

pub(crate) fn explore(setup: &Setup) -> Search {
    let mut explorer = Explorer::new(setup);
    let broken = explorer.search().or_else(|| explorer.find_stuck());
    Search { states: explorer.table.len(), transitions: explorer.transitions, broken }
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
