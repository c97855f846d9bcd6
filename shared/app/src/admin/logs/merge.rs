//! Many partitions of a log as one list, newest first.
//!
//! **Invariant: what is held grows with neither the partitions nor the page.** Each partition is read a few lines ahead,
//! and read on when these are used up; the one that has most of the lines is read in longer and longer strides.

use std::collections::{BinaryHeap, VecDeque};

use domain::LogId;
use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};

use super::Page;
use crate::ports::{LogRange, PortError};

/// Lines that all partitions together are read ahead, to begin with. A line is 1 to 8 KB.
const AHEAD: usize = 2_000;
/// Fewest and most lines that one is read ahead.
const STRIDE: (usize, usize) = (2, 100);
/// Partitions read at the same time.
const AT_ONCE: usize = 10;

/// Partitions that are being read.
#[derive(Debug)]
pub(super) struct Merge<K, T> {
    range: LogRange,
    parts: Vec<Part<K, T>>,
    /// The newest line of each partition that has one at hand, and the partition's place.
    newest: BinaryHeap<(LogId, usize)>,
    /// Partitions to be read on before any line is taken: they may have the newest.
    dry: Vec<usize>,
}

#[derive(Debug)]
struct Part<K, T> {
    key: K,
    ahead: VecDeque<T>,
    before: Option<LogId>,
    stride: usize,
}

impl<K: Clone + Send + Sync, T: Send> Merge<K, T> {
    pub(super) fn new(keys: Vec<K>, range: LogRange) -> Self {
        let (least, most) = STRIDE;
        let stride = (AHEAD / keys.len().max(1)).clamp(least, most);
        let part = |key| Part { key, ahead: VecDeque::new(), before: range.before, stride };
        let parts: Vec<_> = keys.into_iter().map(part).collect();
        Self { range, dry: (0..parts.len()).collect(), parts, newest: BinaryHeap::new() }
    }

    /// The next lines that pass, at most `limit`; `look_at` bounds those that are looked at for them.
    pub(super) async fn page<'a>(
        &mut self,
        read: impl Fn(K, LogRange, usize) -> BoxFuture<'a, Result<Vec<T>, PortError>> + Send + Sync,
        id: impl Fn(&T) -> LogId + Send + Sync,
        passes: impl Fn(&T) -> bool + Send + Sync,
        limit: usize,
        look_at: usize,
    ) -> Result<Page<T>, PortError> {
        let mut page = Page { lines: Vec::new(), looked_at: 0, next: None };
        while page.lines.len() < limit && page.looked_at < look_at {
            self.read_on(&read, &id).await?;
            let Some((at, from)) = self.newest.pop() else {
                return Ok(Page { next: None, ..page });
            };
            let part = &mut self.parts[from];
            let line = part.ahead.pop_front();
            match part.ahead.front() {
                Some(line) => self.newest.push((id(line), from)),
                None => self.dry.push(from),
            }
            page.looked_at += 1;
            page.next = Some(at);
            page.lines.extend(line.filter(&passes));
        }
        Ok(page)
    }

    /// Reads the partitions of which nothing is at hand. One that gives less than it was asked for has no more.
    async fn read_on<'a>(
        &mut self,
        read: &(impl Fn(K, LogRange, usize) -> BoxFuture<'a, Result<Vec<T>, PortError>> + Send + Sync),
        id: &(impl Fn(&T) -> LogId + Send + Sync),
    ) -> Result<(), PortError> {
        let mut reads = Vec::new();
        for from in self.dry.drain(..) {
            let part = &self.parts[from];
            if part.stride > 0 {
                let range = LogRange { before: part.before, ..self.range };
                let lines = read(part.key.clone(), range, part.stride);
                reads.push(async move { lines.await.map(|lines| (from, lines)) });
            }
        }
        if reads.is_empty() {
            return Ok(());
        }
        let found: Vec<_> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
        for (from, lines) in found {
            let part = &mut self.parts[from];
            part.stride = if lines.len() < part.stride { 0 } else { (part.stride * 2).min(STRIDE.1) };
            part.before = lines.last().map(id).or(part.before);
            part.ahead = lines.into();
            if let Some(line) = part.ahead.front() {
                self.newest.push((id(line), from));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use domain::Timestamp;
    use futures::FutureExt;

    use super::*;

    const ALL: LogRange = LogRange { from: Timestamp(0), before: None };

    /// Partitions in which line `n` has the id `n`.
    struct Parts {
        lines: Vec<Vec<u128>>,
        read: AtomicUsize,
    }

    impl Parts {
        fn page(&self, merge: &mut Merge<usize, u128>) -> Page<u128> {
            let read = |part: usize, range: LogRange, limit: usize| {
                let older = self.lines[part].iter().rev().filter(|id| range.before.is_none_or(|at| **id < at.0));
                let lines: Vec<u128> = older.take(limit).copied().collect();
                self.read.fetch_add(lines.len(), Ordering::SeqCst);
                async move { Ok(lines) }.boxed()
            };
            merge.page(read, |id| LogId(*id), |_| true, 1_000, usize::MAX).now_or_never().unwrap().unwrap()
        }
    }

    #[test]
    fn lines_of_many_partitions_come_once_and_in_their_order() {
        for (count, each) in [(1, 3_500), (3, 1_000), (40, 90), (7, 0), (1_500, 3)] {
            // The newer half is in one partition: an outage of one app.
            let mut lines: Vec<Vec<u128>> = vec![Vec::new(); count];
            for n in 0..count * each {
                lines[if n > count * each / 2 { 0 } else { n * 7 % count }].push(n as u128);
            }
            let parts = Parts { lines, read: AtomicUsize::new(0) };
            let (mut merge, mut seen) = (Merge::new((0..count).collect(), ALL), Vec::new());
            loop {
                let page = parts.page(&mut merge);
                seen.extend(page.lines);
                if page.next.is_none() {
                    break;
                }
            }
            let wanted: Vec<_> = (0..(count * each) as u128).rev().collect();
            assert!(seen == wanted, "{count} partitions of {each}: {} lines", seen.len());
            assert_eq!(parts.read.into_inner(), count * each, "each is read once");
        }
    }

    #[test]
    fn a_page_reads_little_more_than_it_shows_however_many_partitions_there_are() {
        let lines: Vec<Vec<u128>> = (0..500).map(|part| (0..1_000).map(|n| n * 500 + part).collect()).collect();
        let parts = Parts { lines, read: AtomicUsize::new(0) };
        assert_eq!(parts.page(&mut Merge::new((0..500).collect(), ALL)).lines.len(), 1_000);
        let read = parts.read.into_inner();
        assert!(read <= 1_000 + 2 * AHEAD, "{read} lines were read for a page of 1,000");
    }
}
