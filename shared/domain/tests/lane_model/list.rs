//! A short list of fixed capacity that is `Copy`, so that a whole state is one flat value that is cheap to copy, hash
//! and compare.

use std::ops::{Deref, DerefMut};

/// Unused places hold `T::default()`, so that equal lists are equal values.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct List<T, const N: usize> {
    len: u8,
    items: [T; N],
}

impl<T: Copy + Default, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self { len: 0, items: [T::default(); N] }
    }
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// Panics when the list is full: a case with larger bounds needs a larger list, not a silent loss.
    pub(crate) fn push(&mut self, item: T) {
        self.insert(usize::from(self.len), item);
    }

    pub(crate) fn insert(&mut self, place: usize, item: T) {
        let len = usize::from(self.len);
        self.items.copy_within(place..len, place + 1);
        self.items[place] = item;
        self.len += 1;
    }

    /// Puts `item` where it belongs in an ascending list, so that sets have one representation.
    pub(crate) fn insert_sorted(&mut self, item: T)
    where
        T: Ord,
    {
        self.insert(self.partition_point(|other| *other <= item), item);
    }

    pub(crate) fn remove(&mut self, place: usize) -> T {
        let len = usize::from(self.len);
        let item = self[place];
        self.items.copy_within(place + 1..len, place);
        self.items[len - 1] = T::default();
        self.len -= 1;
        item
    }
}

impl<T, const N: usize> Deref for List<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items[..usize::from(self.len)]
    }
}

impl<T, const N: usize> DerefMut for List<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items[..usize::from(self.len)]
    }
}

impl<T: Copy + Default, const N: usize> FromIterator<T> for List<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut list = Self::default();
        items.into_iter().for_each(|item| list.push(item));
        list
    }
}
