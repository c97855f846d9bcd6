//! The set of states found so far, each with its number.

use std::hash::{Hash, Hasher};

use crate::state::State;

const EMPTY: u32 = u32::MAX;

/// States live once, in the order found; the hash table holds only their numbers. A map keyed by state would take
/// twice the memory, which decides how many cases can run side by side.
pub(crate) struct Table {
    states: Vec<State>,
    /// A power of two, at most half full.
    slots: Vec<u32>,
}

impl Table {
    pub(crate) fn new() -> Self {
        Self { states: Vec::new(), slots: vec![EMPTY; 1 << 10] }
    }

    pub(crate) fn len(&self) -> usize {
        self.states.len()
    }

    pub(crate) fn get(&self, number: usize) -> &State {
        &self.states[number]
    }

    /// The state's number, which is new when it equals the length before the call.
    pub(crate) fn insert(&mut self, state: &State) -> u32 {
        if self.states.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let slot = self.slot(state);
        if self.slots[slot] == EMPTY {
            self.slots[slot] = self.states.len() as u32;
            self.states.push(*state);
        }
        self.slots[slot]
    }

    /// Where the state is, or where it belongs.
    fn slot(&self, state: &State) -> usize {
        let mask = self.slots.len() - 1;
        let mut hasher = Mixer(0);
        state.hash(&mut hasher);
        let mut slot = hasher.finish() as usize & mask;
        while self.slots[slot] != EMPTY && self.states[self.slots[slot] as usize] != *state {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        self.slots = vec![EMPTY; self.slots.len() * 2];
        for number in 0..self.states.len() {
            let slot = self.slot(&self.states[number]);
            self.slots[slot] = number as u32;
        }
    }
}

/// A state is a hundred small fields, for which the standard hasher is several times slower. Nobody attacks this table.
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(u64::from(value));
    }

    fn write_isize(&mut self, value: isize) {
        self.write_u64(value as u64);
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(5) ^ value).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
