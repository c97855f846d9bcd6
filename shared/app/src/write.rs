//! `sync-write`'s use case: take a write, write it to the other app now, or keep it.

use std::borrow::Cow;

use domain::{
    MapState, Owner, SideIx, Timestamp,
    id::EntryId,
    lane::{
        Admission, AdmitContext, Answer, Claim, Echoes, Entry, Head, Marker, SkipReason, admit, claim, lease_ms,
        requeue_abandoned,
    },
    map::{Intake, PerSide},
};

use crate::{
    attempt::{AttemptContext, execute},
    ports::{
        Commit, CommitError, Config, JournalOp, LaneKey, Lanes, Pointer, PortError, Ports, Queues, SyncMap, WakeUps,
    },
    request::{WriteRequest, mistake},
};

mod told;

pub(crate) use told::side_names;
pub use told::{WithSideNames, WriteError};

/// How often a write is decided anew because the lane changed under it.
const MAX_ROUNDS: u32 = 30;
/// How often a write is decided anew because the journal did not answer: it may have stored what was asked all the same.
const MAX_UNANSWERED: u32 = 4;
/// How long a repeat of a write in flight waits for its answer.
const WAIT_FOR_ANSWER_MS: u64 = 2_000;
/// How often it looks.
const LOOK_EVERY_MS: u64 = 50;
/// A map that was read longer ago is read anew before anything is decided by it: whoever pauses a map is told that it is
/// quiet after two seconds, and it may have been a second old when it was read.
const MAP_IS_OLD_AFTER_MS: u64 = 500;

/// Takes a write.
///
/// # Errors
/// Nothing of the write was kept; the error says why.
pub async fn write<P: Ports>(ports: &P, request: &WriteRequest) -> Result<WithSideNames<Answer>, WriteError> {
    request.id.check_age(ports.now()).map_err(|says| WriteError::Invalid(mistake("id", says)))?;
    let lane = LaneKey { map: request.map.clone(), key: request.key.clone() };
    let (map, head) = futures::join!(ports.config().map(&request.map), ports.lanes().head(&lane));
    let unknown = || WriteError::UnknownMap(request.map.clone());
    let mut map = map?.ok_or_else(unknown)?;
    let mut stored_now = false;
    if map.state.intake() == Intake::Keep {
        // Perhaps it was resumed within the second for which it is remembered: what comes now is no part of the backlog.
        map = ports.config().fresh_map(&request.map).await?.ok_or_else(unknown)?;
        stored_now = true;
    }
    let owner = Owner(ports.fresh_id());
    let (read_at, seen) = (ports.now(), Cow::Borrowed(&map));
    let session =
        WriteSession { ports, lane: &lane, map: seen, read_at, stored_now, owner, taken: None, unanswered: 0 };
    let answer = take(ports, request, session, head?).await?;
    Ok(WithSideNames { what: answer, sides: side_names(&map) })
}

async fn take<P: Ports>(
    ports: &P,
    request: &WriteRequest,
    mut session: WriteSession<'_, P>,
    mut read: Option<(Head, Echoes)>,
) -> Result<Answer, WriteError> {
    let lane = session.lane;
    let mut arrival = request.arrival(&session.map.config).map_err(WriteError::Invalid)?;
    let entry = EntryId(ports.fresh_id());
    let mut waited_ms = 0;
    for round in 0..MAX_ROUNDS {
        if round > 0 {
            ports.sleep(session.jitter(round)).await;
            read = ports.lanes().head(lane).await?;
        }
        if let Some(answer) = session.stored_after_all(read.as_ref()).await {
            return Ok(answer);
        }
        loop {
            if session.map_is_old() {
                session.read_map(false).await?;
                arrival = request.arrival(&session.map.config).map_err(WriteError::Invalid)?;
            }
            let map = &session.map;
            let (head, echoes) = match &read {
                Some((head, echoes)) => (Some(head), echoes.clone()),
                None => (None, Echoes::default()),
            };
            let marker = match head {
                Some(head) if !head.idle() => ports.lanes().marker(&lane.map, request.id).await?,
                _ => None,
            };
            let context = AdmitContext {
                map: &map.map,
                capability: PerSide([map.sides[0].config.capability, map.sides[1].config.capability]),
                now: ports.now(),
                owner: session.owner,
                lease_ms: session.lease_ms(),
            };
            match admit(head, &echoes, marker.as_ref(), arrival.clone(), entry, context)? {
                Admission::InFlight if session.laid_down(head).await => {
                    read = ports.lanes().head(lane).await?;
                }
                Admission::InFlight if waited_ms >= WAIT_FOR_ANSWER_MS => return Err(WriteError::InProgress),
                Admission::InFlight => {
                    if let Some(answer) = session.taken_over(head).await {
                        return Ok(answer);
                    }
                    ports.sleep(LOOK_EVERY_MS).await;
                    waited_ms += LOOK_EVERY_MS;
                    read = ports.lanes().head(lane).await?;
                }
                // A function that remembers the map does not know of a cut a moment ago: a change that comes after the
                // command is no part of what it takes along.
                Admission::Append { .. } if session.map.state == MapState::CatchingUp && !session.stored_now => {
                    session.read_map(true).await?;
                    arrival = request.arrival(&session.map.config).map_err(WriteError::Invalid)?;
                }
                admission => match session.carry_out(head, &echoes, admission).await? {
                    Some(answer) => return Ok(answer),
                    None => break, // the lane changed: read it again
                },
            }
        }
    }
    Err(WriteError::Contended)
}

struct WriteSession<'a, P: Ports> {
    ports: &'a P,
    lane: &'a LaneKey,
    map: Cow<'a, SyncMap>,
    /// When it was read; it may have been remembered for a second then.
    read_at: Timestamp,
    /// It was not remembered: it is as it was stored then.
    stored_now: bool,
    owner: Owner,
    /// What was stored last, if the store's answer was lost.
    taken: Option<(Head, Entry)>,
    /// How often the journal did not answer.
    unanswered: u32,
}

impl<P: Ports> WriteSession<'_, P> {
    fn map_is_old(&self) -> bool {
        self.ports.now().ms_since(self.read_at) >= MAP_IS_OLD_AFTER_MS
    }

    /// Reads the map anew, as it is stored at this moment or as it was at most a second ago.
    async fn read_map(&mut self, stored_now: bool) -> Result<(), WriteError> {
        let (id, config) = (&self.lane.map, self.ports.config());
        let now = self.ports.now();
        let map = if stored_now { config.fresh_map(id).await? } else { config.map(id).await? };
        self.map = Cow::Owned(map.ok_or_else(|| WriteError::UnknownMap(id.clone()))?);
        (self.read_at, self.stored_now) = (now, stored_now);
        Ok(())
    }

    /// What the admission asks for; `None` when the lane changed in the meantime.
    async fn carry_out(
        &mut self,
        read: Option<&Head>,
        echoes: &Echoes,
        admission: Admission,
    ) -> Result<Option<Answer>, WriteError> {
        let expected = read.map_or(0, |head| head.version);
        let lanes = self.ports.lanes();
        match admission {
            Admission::Repeat(answer) => Ok(Some(answer)),
            Admission::Queued(marker) => Ok(queued(self.ports, self.lane, read, &marker).await?),
            Admission::InFlight => Ok(None),
            Admission::Skip(reason) => {
                if reason == SkipReason::Stopped {
                    lanes.count_skipped(&self.map.map).await?;
                }
                Ok(Some(Answer::Skipped(reason)))
            }
            Admission::Echo(noted, reason) => {
                let stored = lanes.note_echo(self.lane, echoes, &noted).await;
                self.changed(stored).map(|stored| stored.then_some(Answer::Skipped(reason)))
            }
            Admission::Execute { head, entry } => {
                let commit = Commit { head: (*head).clone(), expected, ops: Vec::new() };
                self.taken = Some((*head, *entry));
                let stored = lanes.commit(self.lane, commit).await;
                if self.changed(stored)? { Ok(self.execute().await) } else { Ok(None) }
            }
            Admission::Append { head, entry } => {
                let marker = entry.marker(&self.lane.key, domain::lane::MarkerState::Open);
                let ops = vec![JournalOp::Append((*entry).clone(), marker)];
                let commit = Commit { head: (*head).clone(), expected, ops };
                let stored = lanes.commit(self.lane, commit).await;
                let stored = self.changed(stored)?;
                if stored { Ok(Some(self.appended(*head, *entry).await)) } else { Ok(None) }
            }
        }
    }

    /// Goes on with a write whose function died, now that its caller has come again: the sweep is a minute away.
    async fn taken_over(&mut self, head: Option<&Head>) -> Option<Answer> {
        let head = head.filter(|_| self.map.state.intake() == Intake::Write)?;
        let now = self.ports.now();
        let Claim::Taken { head: taken, entry } = claim(head, None, &self.map.map, self.owner, now, self.lease_ms())
        else {
            return None;
        };
        let commit = Commit::of(Some(head), (*taken).clone(), Vec::new());
        self.ports.lanes().commit(self.lane, commit).await.ok()?;
        self.taken = Some((*taken, *entry));
        self.execute().await
    }

    /// Puts a write whose function died into the journal, when nobody would go on with it: the map does not write.
    async fn laid_down(&self, head: Option<&Head>) -> bool {
        let idle = self.map.state.intake() != Intake::Write;
        let Some(head) = head.filter(|_| idle) else { return false };
        let Some((next, entry, effects)) = requeue_abandoned(head, &self.lane.key, self.ports.now()) else {
            return false;
        };
        // Whoever changed the lane in the meantime has done this, or goes on with it.
        let stored = self.ports.lanes().commit(self.lane, Commit::of(Some(head), next, effects)).await.is_ok();
        if stored && self.map.state.queues() {
            self.point_to(&entry).await;
        }
        stored
    }

    /// A conditional write that is repeated by the SDK after a lost answer fails on its own success.
    async fn stored_after_all(&mut self, read: Option<&(Head, Echoes)>) -> Option<Answer> {
        match read {
            Some((head, _)) if self.taken.is_some() && head.held_by(self.owner) => self.execute().await,
            _ => None,
        }
    }

    async fn execute(&mut self) -> Option<Answer> {
        let (head, entry) = self.taken.take()?;
        let Self { ports, lane, owner, .. } = *self;
        let ended =
            execute(ports, AttemptContext { lane, map: &self.map, head, entry, owner, caller_waiting: true }).await;
        if let Some(head) = &ended.head {
            wake_if_waiting(ports, lane, head).await;
        }
        Some(ended.answer)
    }

    /// The entry is in the journal. If it is its turn already, it need not wait for a worker.
    async fn appended(&mut self, head: Head, entry: Entry) -> Answer {
        let answer = place(&head, &entry);
        if self.map.state.intake() == Intake::Keep {
            // The map may have been resumed in between.
            let now = self.ports.config().fresh_map(&self.lane.map).await;
            return match now {
                Ok(Some(now)) if now.map.state.intake() == Intake::Write => {
                    (self.map, self.read_at) = (Cow::Owned(now), self.ports.now());
                    self.turn(head, entry, answer).await
                }
                Ok(_) | Err(_) => {
                    self.point_to(&entry).await;
                    answer
                }
            };
        }
        self.turn(head, entry, answer).await
    }

    /// Executes an entry that was just stored, if it is its turn; otherwise somebody else will.
    async fn turn(&mut self, head: Head, entry: Entry, answer: Answer) -> Answer {
        if self.map_is_old() && self.read_map(false).await.is_err() {
            return answer; // it is kept; the sweep finds it
        }
        if self.map.state.intake() != Intake::Write {
            return answer;
        }
        if entry.waits_for_answer() {
            // The caller's own app takes part in its calls, and waits for this answer.
            self.leave(&head, &entry).await;
            return answer;
        }
        let Ok(Some((head, _))) = self.ports.lanes().head(self.lane).await else { return answer };
        let now = self.ports.now();
        match claim(&head, Some(&entry), &self.map.map, self.owner, now, self.lease_ms()) {
            Claim::Taken { head: taken, entry: mine } if mine.id == entry.id => {
                let commit = Commit { head: (*taken).clone(), expected: head.version, ops: Vec::new() };
                if self.ports.lanes().commit(self.lane, commit).await.is_err() {
                    return answer; // whoever changed the lane goes on with it, or the sweep does
                }
                self.taken = Some((*taken, *mine));
                self.execute().await.unwrap_or(answer)
            }
            Claim::Idle => answer,
            Claim::Parked | Claim::NotYet(_) | Claim::NeedsEntry(_) | Claim::Archive(_) | Claim::Taken { .. } => {
                self.leave(&head, &entry).await;
                answer
            }
        }
    }

    /// Leaves an entry to the workers. One of a backlog is pointed to in the map's queue, behind those before it; the
    /// drain comes to it at the app's pace, so nobody else is woken to go through its lane.
    async fn leave(&self, head: &Head, entry: &Entry) {
        let queues = self.map.state.queues();
        if queues {
            self.point_to(entry).await;
        }
        if !queues || entry.seq <= head.done_seq + 1 {
            wake_if_waiting(self.ports, self.lane, head).await;
        }
    }

    async fn point_to(&self, entry: &Entry) {
        let pointer = Pointer { key: self.lane.key.clone(), seq: entry.seq, entry: entry.id };
        if let Err(error) = self.ports.queues().send(&self.map.map, &[pointer]).await {
            tracing::warn!(map.id = %self.lane.map, %error, "the queue was not told of a kept write; the sweep will find it");
        }
    }

    /// Whether a commit was stored; `false`: the lane must be read again, for it changed, or it is not known what became
    /// of the commit. A caller who is told that nothing was kept may roll back, so that must be true.
    fn changed(&mut self, stored: Result<(), CommitError>) -> Result<bool, WriteError> {
        match stored {
            Ok(()) => Ok(true),
            Err(CommitError::Stale | CommitError::Duplicate) => Ok(false),
            Err(CommitError::Port(PortError::Transient(_))) if self.unanswered < MAX_UNANSWERED => {
                self.unanswered += 1;
                Ok(false)
            }
            Err(CommitError::Port(error)) => Err(error.into()),
        }
    }

    fn lease_ms(&self) -> u64 {
        lease_ms([&self.map.sides[0].config, &self.map.sides[1].config])
    }

    /// Writers that met must not meet again in step.
    fn jitter(&self, round: u32) -> u64 {
        let spread = 8u64 << round.min(5);
        1 + u64::try_from(self.ports.fresh_id() % u128::from(spread)).unwrap_or(0)
    }
}

/// Somebody must go on with a lane that has something to do now. If this call is lost, the sweep does it.
pub(crate) async fn wake_if_waiting<P: Ports>(ports: &P, lane: &LaneKey, head: &Head) {
    let due = head.due().is_some_and(|due| due <= ports.now());
    if due && let Err(error) = ports.wakes().wake_lane(lane).await {
        tracing::warn!(map.id = %lane.map, %error, "a waiting lane could not be woken; the sweep will find it");
    }
}

/// The answer to a repeat of a queued write; `None` when it left the journal in the meantime.
pub(crate) async fn queued<P: Ports>(
    ports: &P,
    lane: &LaneKey,
    head: Option<&Head>,
    marker: &Marker,
) -> Result<Option<Answer>, PortError> {
    let asked = LaneKey { map: lane.map.clone(), key: marker.key.clone() };
    let (Some(head), Some(entry)) = (head, ports.lanes().entry(&asked, marker.seq).await?) else { return Ok(None) };
    Ok(Some(standing(head, &entry, marker)))
}

/// What an entry in the journal is told to be.
pub(crate) fn standing(head: &Head, entry: &Entry, marker: &Marker) -> Answer {
    let (id, version) = (entry.id, head.version_of(entry.seq));
    if marker.state == domain::lane::MarkerState::WrittenBackLater && entry.parked.is_none() {
        let crossing = entry.crossing;
        return Answer::Written { entry: Some(id), version, crossing, write_back_pending: true };
    }
    if entry.parked.is_some() {
        let half_written = SideIx::BOTH.into_iter().any(|side| entry.done[side]);
        return Answer::Parked { entry: id, version, half_written, failure: entry.last_failure.clone() };
    }
    place(head, entry)
}

fn place(head: &Head, entry: &Entry) -> Answer {
    Answer::Queued {
        entry: entry.id,
        version: head.version_of(entry.seq),
        ahead: entry.seq.saturating_sub(head.done_seq + 1),
        crossing: entry.crossing,
        failure: entry.last_failure.clone(),
    }
}
