//! How far a run has read one side.

use serde::{Deserialize, Serialize};

use crate::{id::RecordKey, record::ContentHash, time::Timestamp};

/// Most rows of the page before that are remembered: a row that moves is among the first or the last of a page.
const MAX_PREVIOUS: usize = 1_000;

/// How far a run has read one side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListProgress {
    /// Where the next page begins; `None` at the beginning.
    pub cursor: Option<String>,
    /// Pages that were read to their end.
    pub pages: u64,
    /// Since when the side has listed everything.
    pub exhausted_at: Option<Timestamp>,
    /// How many records the side says it has.
    pub total: Option<u64>,
    /// When this page was asked for first: ids of its copies carry this time.
    pub page_began: Option<Timestamp>,
    /// How often the list began anew.
    #[serde(default)]
    pub begun_anew: u32,
    /// How many rows are asked for, after a page was too large.
    pub page_size: Option<u32>,
    /// Rows of this page that are counted, and those of the page before: rows move between pages while they are read.
    current: Vec<ContentHash>,
    previous: Vec<ContentHash>,
    /// A cursor that was seen, at that page: it is set anew at each power of two, so a loop of pages of any length meets it.
    checkpoint: Option<(ContentHash, u64)>,
}

/// What follows a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageTurn {
    /// Another page.
    Next,
    /// Nothing: the side has listed everything.
    End,
    /// A page that was read before: its side lists in a circle.
    Loop,
    /// Another page, though this one had no rows: the source may have lost some.
    EmptyPage,
}

/// What a row is to its listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowSeen {
    New,
    /// It was counted before a crash.
    Counted,
    /// The page before had it, too.
    Repeated,
}

impl ListProgress {
    /// Rows of this page that are counted: so many are met again when the page is read again after a crash.
    #[must_use]
    pub fn counted_rows(&self) -> usize {
        self.current.len()
    }

    /// Notes a row of the page that is being read. `read_again`: it is one of the first rows of a page that was begun before.
    pub(super) fn note_row(&mut self, key: &RecordKey, read_again: bool) -> RowSeen {
        let hash = ContentHash::of_text(key.as_str());
        let counted = self.current.contains(&hash);
        if counted && read_again {
            return RowSeen::Counted;
        }
        self.current.push(hash);
        if counted || self.previous.contains(&hash) { RowSeen::Repeated } else { RowSeen::New }
    }

    /// Forgets which rows were read.
    pub(super) fn forget_rows(&mut self) {
        (self.current, self.previous) = (Vec::new(), Vec::new());
    }

    /// Goes back to the beginning of the list: the app has forgotten where it was to go on.
    pub fn begin_anew(&mut self) {
        (self.cursor, self.checkpoint, self.page_began) = (None, None, None);
        self.current.clear();
        self.begun_anew += 1;
    }

    /// Ends the page. `next` is where the next one begins.
    pub fn turn_page(&mut self, next: Option<String>, now: Timestamp) -> PageTurn {
        let empty = self.current.is_empty();
        self.previous = std::mem::take(&mut self.current);
        self.previous.truncate(MAX_PREVIOUS);
        self.pages += 1;
        self.page_began = None;
        let Some(next) = next else {
            (self.cursor, self.exhausted_at) = (None, Some(now));
            return PageTurn::End;
        };
        let hash = ContentHash::of_text(&next);
        let looped = self.checkpoint.is_some_and(|(seen, _)| seen == hash) || self.cursor.as_ref() == Some(&next);
        if self.checkpoint.is_none_or(|(_, page)| self.pages >= page * 2) {
            self.checkpoint = Some((hash, self.pages));
        }
        self.cursor = Some(next);
        match () {
            () if looped => PageTurn::Loop,
            () if empty => PageTurn::EmptyPage,
            () => PageTurn::Next,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(5);

    #[test]
    fn a_circle_of_pages_of_any_length_is_noticed() {
        for length in 1..=40_u32 {
            let mut listing = ListProgress::default();
            let turns = (0..1_000).find(|page| {
                listing.note_row(&format!("K{page}").parse().unwrap(), false);
                listing.turn_page(Some(format!("page-{}", page % length)), NOW) == PageTurn::Loop
            });
            assert!(turns.is_some_and(|turns| turns <= 4 * length), "{length}: {turns:?}");
        }
        let mut straight = ListProgress::default();
        for page in 0..1_000 {
            straight.note_row(&format!("K{page}").parse().unwrap(), false);
            assert_eq!(straight.turn_page(Some(page.to_string()), NOW), PageTurn::Next);
        }
        straight.note_row(&"last".parse().unwrap(), false);
        assert_eq!((straight.turn_page(None, NOW), straight.exhausted_at), (PageTurn::End, Some(NOW)));
    }

    #[test]
    fn a_row_is_counted_once_on_a_page_and_noticed_on_the_next() {
        let (one, two): (RecordKey, RecordKey) = ("1".parse().unwrap(), "2".parse().unwrap());
        let mut listing = ListProgress::default();
        assert_eq!(listing.note_row(&one, false), RowSeen::New);
        assert_eq!(
            [listing.note_row(&one, true), listing.note_row(&one, false)],
            [RowSeen::Counted, RowSeen::Repeated]
        );
        listing.turn_page(Some("b".to_owned()), NOW);
        assert_eq!([listing.note_row(&one, false), listing.note_row(&two, false)], [RowSeen::Repeated, RowSeen::New]);
        listing.turn_page(Some("c".to_owned()), NOW);
        assert_eq!(listing.turn_page(Some("d".to_owned()), NOW), PageTurn::EmptyPage);
    }
}
