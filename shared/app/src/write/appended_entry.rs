//! The entry that this write has just stored: execute it if it is its turn, else leave it to the workers.

use domain::{
    EntryId, Owner,
    lane::{Answer, Claim, Entry, Head, claim},
    map::Intake,
};

use super::{Freshness, KnownMap, WriteSession};
use crate::{
    attempt::{AttemptContext, execute},
    ports::{Commit, Lanes, Pointer, Ports, Queues},
    wake::{wake_for_second_attempt, wake_if_due},
};

impl<P: Ports> WriteSession<'_, P> {
    /// Executes the entry whose claim of the lane is stored. `None`: there is none, or nobody knows what was stored of its end.
    pub(super) async fn execute_claimed(&mut self) -> Option<Answer> {
        let (head, entry) = self.unconfirmed.take()?;
        let (ports, lane) = (self.ports, self.lane);
        let context =
            AttemptContext { lane, map: &self.known.map, head, entry, owner: self.owner, caller_waiting: true };
        let ended = execute(ports, context).await;
        if let Some(head) = &ended.head {
            wake_if_due(ports, lane, head).await;
            wake_for_second_attempt(ports, lane, &self.known.map, head).await;
        }
        if ended.answer.is_none() {
            // If the write is made anew, it is another request: the entry may have been ended, and its effect undone.
            (self.entry, self.owner) = (EntryId(ports.fresh_id()), Owner(ports.fresh_id()));
        }
        ended.answer
    }

    /// The answer for an entry that is in the journal now. If it is its turn, it is executed first.
    pub(super) async fn answer_appended(&mut self, head: Head, entry: Entry) -> Answer {
        let answer = Answer::queued(&head, &entry, entry.last_failure.clone());
        if self.known.intake() == Intake::Keep {
            // The map may have been resumed while the entry was stored.
            match KnownMap::read(self.ports, &self.lane.map, Freshness::JustRead).await {
                Ok(now) if now.intake() == Intake::Write => self.known = now,
                Ok(_) | Err(_) => {
                    self.send_pointer(&entry).await;
                    return answer;
                }
            }
        }
        self.execute_if_next(head, entry, answer).await
    }

    async fn execute_if_next(&mut self, head: Head, entry: Entry, answer: Answer) -> Answer {
        if self.known.is_old(self.ports.now()) && self.read_map(Freshness::MayBeCached).await.is_err() {
            return answer; // the entry is in the journal; the sweep finds it
        }
        if self.known.intake() != Intake::Write {
            return answer;
        }
        if entry.waits_for_answer() {
            // The caller's own app takes part in its calls, and waits for this answer.
            self.leave_to_workers(&head, &entry).await;
            return answer;
        }
        let appended_version = head.version;
        let Ok(Some((head, _))) = self.ports.lanes().head(self.lane).await else { return answer };
        // Whoever attempted or changed the entry since changed the head's version too.
        let read;
        let stored = if head.version == appended_version || head.done_seq + 1 != entry.seq {
            Some(&entry)
        } else {
            let Ok(found) = self.ports.lanes().entry(self.lane, entry.seq).await else { return answer };
            read = found;
            read.as_ref()
        };
        let (now, durations) = (self.ports.now(), self.known.durations());
        match claim(&head, stored, self.known.map(), &self.lane.key, self.owner, now, durations) {
            Claim::Taken { head: taken, entry: mine } if mine.id == entry.id => {
                let commit = Commit { head: (*taken).clone(), expected: head.version, ops: Vec::new() };
                if self.ports.lanes().commit(self.lane, commit).await.is_err() {
                    return answer; // whoever changed the lane goes on with it, or the sweep does
                }
                self.unconfirmed = Some((*taken, *mine));
                self.execute_claimed().await.unwrap_or(answer)
            }
            Claim::Idle => answer,
            Claim::Parked
            | Claim::NotYet(_)
            | Claim::NeedsEntry(_)
            | Claim::Archive(_)
            | Claim::Park(..)
            | Claim::Taken { .. } => {
                self.leave_to_workers(&head, &entry).await;
                answer
            }
        }
    }

    /// Leaves an entry to the workers. An entry of a backlog gets a pointer in the map's queue, behind those before it. The
    /// drain reaches it at the app's pace, so the lane is woken only if the entry is next.
    async fn leave_to_workers(&self, head: &Head, entry: &Entry) {
        let queues = self.known.map.state.queues();
        if queues {
            self.send_pointer(entry).await;
        }
        if !queues || entry.seq <= head.done_seq + 1 {
            wake_if_due(self.ports, self.lane, head).await;
        }
    }

    /// Sends a pointer to an entry to the map's queue.
    pub(super) async fn send_pointer(&self, entry: &Entry) {
        let pointer = Pointer { key: self.lane.key.clone(), seq: entry.seq, entry: entry.id };
        if let Err(error) = self.ports.queues().send(self.known.map(), &[pointer]).await {
            tracing::warn!(
                map.id = %self.lane.map, entry.id = %entry.id, %error,
                "could not send the pointer of a queued write; the sweep finds the write in the index"
            );
        }
    }
}
