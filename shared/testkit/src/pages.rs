//! How an app gives its records page by page, with the habits of real apps.

mod fake;

use std::collections::{BTreeMap, BTreeSet};

/// How an app pages. The default: by the last key, as large as asked, with no surprise.
#[derive(Clone, Debug, Default)]
pub struct PageHabits {
    /// Most rows of a page, whatever is asked for; 0: as many as are asked for.
    pub most_rows: u32,
    /// It counts rows instead of remembering the last key: while records come and go, rows move between pages.
    pub by_offset: bool,
    /// The page with this number (from 1) has no rows, and the list goes on after it.
    pub empty_at: Option<u32>,
    /// The page with this number is the one before it, once more.
    pub repeats_at: Option<u32>,
    /// The page with this number names the first page as the next one.
    pub loops_at: Option<u32>,
    /// Each page begins with so many rows of the one before it.
    pub overlap: usize,
    /// Rows that are on no page, by what they are ordered by.
    pub leaves_out: BTreeSet<String>,
    /// The page with this number fails so, once.
    pub fails_at: Option<(u32, PageFault)>,
    /// The first page says how many records there are.
    pub tells_total: bool,
    /// The first page says so instead.
    pub wrong_total: Option<u64>,
}

/// How a page fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFault {
    /// 503.
    Unavailable,
    /// 429 with this `Retry-After`.
    Throttled {
        /// In milliseconds, whole seconds.
        retry_after_ms: u64,
    },
    /// The app has forgotten the cursor.
    Expired,
    /// A page for people, with status 200.
    LoginPage,
}

/// A page, before it is put into any protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServedPage {
    /// Its rows, as JSON.
    pub rows: Vec<String>,
    /// Where the list goes on.
    pub next: Option<String>,
    /// How many records there are.
    pub total: Option<u64>,
}

/// The rows of an app, in order, and how it pages.
#[derive(Clone, Debug, Default)]
pub struct PagedRows {
    /// Each row as JSON, by what it is ordered by: the key, usually.
    pub rows: BTreeMap<String, String>,
    /// How it pages.
    pub habits: PageHabits,
}

impl PagedRows {
    /// A page.
    ///
    /// # Errors
    /// It fails as it is told to. A cursor that it has not made is expired.
    pub fn serve(&mut self, cursor: Option<&str>, size: u32) -> Result<ServedPage, PageFault> {
        self.habits.serve(&self.rows, cursor, size)
    }
}

/// A cursor: the number of its page, and where the page begins: after so many rows, or after that key.
fn parse(cursor: &str) -> Option<(u32, usize, String)> {
    let mut parts = cursor.splitn(3, '.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.to_owned()))
}

impl PageHabits {
    fn serve(
        &mut self,
        rows: &BTreeMap<String, String>,
        cursor: Option<&str>,
        size: u32,
    ) -> Result<ServedPage, PageFault> {
        let (number, offset, after) = match cursor {
            None => (1, 0, None),
            Some(cursor) => parse(cursor).map(|(n, offset, key)| (n, offset, Some(key))).ok_or(PageFault::Expired)?,
        };
        if let Some((_, fault)) = self.fails_at.take_if(|(page, _)| *page == number) {
            return Err(fault);
        }
        let size = if self.most_rows > 0 { self.most_rows.min(size) } else { size };
        let size = usize::try_from(size.max(1)).unwrap_or(usize::MAX);
        let is_left = |(place, (key, _)): &(usize, (&String, &String))| match &after {
            None => true,
            Some(_) if self.by_offset => *place >= offset,
            Some(after) => key.as_str() > after.as_str(),
        };
        let listed = rows.iter().filter(|(key, _)| !self.leaves_out.contains(*key));
        let left: Vec<_> = listed.enumerate().filter(is_left).map(|(_, row)| row).collect();
        let is_empty = self.empty_at == Some(number);
        let page = &left[..if is_empty { 0 } else { size.min(left.len()) }];
        let repeats_next = self.repeats_at == Some(number + 1);
        let next = if self.loops_at == Some(number) {
            Some("1.0.".to_owned())
        } else if repeats_next || left.len() > page.len() {
            let passed = page.len() - self.overlap.min(page.len().saturating_sub(1));
            let (passed, last) = if repeats_next { (0, None) } else { (passed, page[..passed].last()) };
            let last = last.map(|(key, _)| (*key).clone()).or(after).unwrap_or_default();
            Some(format!("{}.{}.{last}", number + 1, offset + passed))
        } else {
            None
        };
        let total = self.wrong_total.or_else(|| self.tells_total.then_some(rows.len() as u64));
        let rows = page.iter().map(|(_, row)| (*row).clone()).collect();
        Ok(ServedPage { rows, next, total: total.filter(|_| number == 1) })
    }
}
