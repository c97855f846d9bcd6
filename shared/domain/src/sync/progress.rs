//! How far a run has read one side.

use serde::{Deserialize, Serialize};

use crate::{id::RecordKey, record::ContentHash, time::Timestamp};

/// Most rows of the page before that are remembered: a row that moves is among the first or the last of a page.
const MAX_PREVIOUS: usize = 1_000;

/// So many empty pages in a row are asked about once more, whatever was accepted: such a list may have no end.
const MAX_EMPTY_PAGES: u32 = 100;

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
    /// Records that the list had so far, also those of other maps.
    #[serde(default)]
    pub listed: u64,
    /// An operator was asked whether a page may be empty: to resume the run was to say so.
    #[serde(default)]
    pub empty_pages_accepted: bool,
    /// Empty pages in a row.
    #[serde(default)]
    empty_pages: u32,
    /// An operator was asked whether the list may be short: to resume the run was to say so.
    #[serde(default)]
    pub short_accepted: bool,
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
    /// Another page, though this one had no rows: the source may have lost some. Not told again once it was accepted, unless
    /// many follow each other.
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
        if counted || self.previous.contains(&hash) {
            return RowSeen::Repeated;
        }
        self.listed += 1;
        RowSeen::New
    }

    /// Forgets which rows were read.
    pub(super) fn forget_rows(&mut self) {
        (self.current, self.previous) = (Vec::new(), Vec::new());
    }

    /// Goes back to the beginning of the list: it cannot go on where it was.
    pub fn begin_anew(&mut self) {
        (self.cursor, self.checkpoint, self.page_began, self.exhausted_at) = (None, None, None, None);
        (self.listed, self.total) = (0, None);
        self.current.clear();
        self.previous.clear();
    }

    /// Ends the page. `next` is where the next one begins; `left_out`: records of other maps that it had.
    pub fn turn_page(&mut self, next: Option<String>, left_out: u32, now: Timestamp) -> PageTurn {
        self.listed += u64::from(left_out);
        let empty = self.current.is_empty() && left_out == 0;
        self.empty_pages = if empty { self.empty_pages + 1 } else { 0 };
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
            () if empty && (!self.empty_pages_accepted || self.empty_pages.is_multiple_of(MAX_EMPTY_PAGES)) => {
                PageTurn::EmptyPage
            }
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
                listing.turn_page(Some(format!("page-{}", page % length)), 0, NOW) == PageTurn::Loop
            });
            assert!(turns.is_some_and(|turns| turns <= 4 * length), "{length}: {turns:?}");
        }
        let mut straight = ListProgress::default();
        for page in 0..1_000 {
            straight.note_row(&format!("K{page}").parse().unwrap(), false);
            assert_eq!(straight.turn_page(Some(page.to_string()), 0, NOW), PageTurn::Next);
        }
        straight.note_row(&"last".parse().unwrap(), false);
        assert_eq!((straight.turn_page(None, 0, NOW), straight.exhausted_at), (PageTurn::End, Some(NOW)));
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
        listing.turn_page(Some("b".to_owned()), 0, NOW);
        assert_eq!([listing.note_row(&one, false), listing.note_row(&two, false)], [RowSeen::Repeated, RowSeen::New]);
        listing.turn_page(Some("c".to_owned()), 0, NOW);
        assert_eq!(listing.turn_page(Some("d".to_owned()), 0, NOW), PageTurn::EmptyPage);
    }

    #[test]
    fn empty_pages_are_asked_about_once_and_again_when_there_is_no_end_to_them() {
        let mut listing = ListProgress::default();
        let turn = |listing: &mut ListProgress, page: u32| listing.turn_page(Some(format!("page-{page}")), 0, NOW);
        assert_eq!(turn(&mut listing, 0), PageTurn::EmptyPage);
        listing.empty_pages_accepted = true;
        let asked: Vec<u32> = (1..250).filter(|page| turn(&mut listing, *page) == PageTurn::EmptyPage).collect();
        assert_eq!(asked, [99, 199]);
        assert_eq!(
            listing.turn_page(Some("left-out".to_owned()), 5, NOW),
            PageTurn::Next,
            "it had rows of another map"
        );
        assert_eq!(listing.listed, 5);
    }

    #[test]
    fn a_list_that_begins_anew_counts_its_records_anew() {
        let mut listing = ListProgress { total: Some(9), ..ListProgress::default() };
        listing.note_row(&"1".parse().unwrap(), false);
        listing.note_row(&"1".parse().unwrap(), false);
        assert_eq!(
            (listing.turn_page(None, 0, NOW), listing.listed),
            (PageTurn::End, 1),
            "a repeated row is no record"
        );
        listing.begin_anew();
        assert_eq!((listing.listed, listing.total, listing.exhausted_at), (0, None, None));
        assert_eq!(listing.note_row(&"1".parse().unwrap(), false), RowSeen::New);
    }
}
