//! Lists, as the apps give them.

use domain::{
    Failure,
    listing::{Cursor, PageRow},
};

/// Which page of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the list goes on; `None`: at its beginning.
    pub cursor: Option<Cursor>,
    /// How many rows, at most. An app may give fewer, or more: neither says anything about the end of the list. What is above
    /// the side's `max_page_size` is not asked for.
    pub size: u32,
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Its rows, in the app's order. None at all does not mean the end: only `next` does.
    pub rows: Vec<PageRow>,
    /// Rows that are not among `rows`, since they are of another map: a fixed part of their key is another.
    pub left_out: u32,
    /// Where the list goes on; `None` after the last page. An app may name a page that was read before, again and again.
    pub next: Option<Cursor>,
    /// How many records the app says the list has. Only the first page may have it, and it may be wrong.
    pub total: Option<u64>,
}

/// Why a page was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageError {
    /// The app cannot be reached or refuses, or its answer is no page.
    Failed(Failure),
    /// The app does not know the cursor (any more), or the side's settings have changed since: the list has to begin anew.
    CursorExpired(Failure),
    /// The page is larger than what is read at once. Fewer rows, by the same cursor, may fit.
    TooLarge(Failure),
}

impl PageError {
    /// The failure, whatever follows from it. It had no effect.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        let (Self::Failed(failure) | Self::CursorExpired(failure) | Self::TooLarge(failure)) = self;
        failure
    }
}

impl From<Failure> for PageError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
