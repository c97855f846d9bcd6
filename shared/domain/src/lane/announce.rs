//! What a copy brings is known only once it has been read: it is noted in the head before the call is made.

use super::Head;
use crate::{id::Owner, map::SideIx, record::ContentHash};

/// Notes what an attempt is about to write to a side, so that an app which reports it before the attempt is settled is known
/// to report an echo. An entry with an image of its own needs none of this: its claim says what it writes. `None`: the attempt
/// has lost its lease.
#[must_use]
pub fn announce_copy(head: &Head, owner: Owner, to: SideIx, content: ContentHash) -> Option<Head> {
    let mut head = Head { version: head.version + 1, ..head.clone() };
    let inflight = head.inflight.as_mut().filter(|inflight| inflight.owner == Some(owner))?;
    inflight.writing[to] = Some(content);
    Some(head)
}
