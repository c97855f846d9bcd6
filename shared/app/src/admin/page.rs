//! Filtered pages with a limit on the items that are read.

use std::future::Future;

use crate::error::AppError;

/// Most items that one filtered page reads. A page that reaches this limit may be empty and still have a next page.
const MAX_LOOKED_AT: usize = 2_000;

/// An item that was read: its place in the list, and the item itself if it passes the filter.
pub(super) type Candidate<C, T> = (C, Option<T>);

/// Reads the items after `after` until `limit` of them pass the filter, the list ends, or [`MAX_LOOKED_AT`] items were
/// read. Returns the items that pass, and the place where the next page begins.
///
/// `read` returns up to `limit` items after a place; fewer items mean the end of the list. `select` applies the filter.
pub(super) async fn filtered_page<C, R, T, Read, Select>(
    mut after: Option<C>,
    limit: usize,
    read: impl Fn(Option<C>) -> Read + Send,
    select: impl Fn(R) -> Select + Send,
) -> Result<(Vec<T>, Option<C>), AppError>
where
    C: Clone,
    Read: Future<Output = Result<Vec<R>, AppError>>,
    Select: Future<Output = Result<Candidate<C, T>, AppError>>,
{
    let (mut selected, mut looked_at) = (Vec::new(), 0);
    loop {
        let items = read(after.clone()).await?;
        let is_last = items.len() < limit;
        looked_at += items.len();
        for item in items {
            let (place, item) = select(item).await?;
            after = Some(place);
            selected.extend(item);
            if selected.len() == limit {
                return Ok((selected, after));
            }
        }
        if is_last {
            return Ok((selected, None));
        }
        if looked_at >= MAX_LOOKED_AT {
            return Ok((selected, after));
        }
    }
}
